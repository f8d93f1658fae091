//! A program that shows how it is: `cargo run -p cluster-admin --example own_pages`

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cluster_admin::{
    AdminConfig, AdminServer, Answer, AnswerFuture, Exposition, Page, Site, Target, fetch,
};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often somebody has looked.
struct Looks(AtomicU64);

impl Page for Looks {
    fn answer(&self) -> AnswerFuture<'_> {
        let count = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        let mut text = Exposition::default();
        let mut looks = text.counter("looks_total", "How often somebody has looked.");
        looks.sample(&[], count);
        Box::pin(std::future::ready(Answer {
            status: 200,
            media_type: Exposition::MEDIA_TYPE,
            body: text.finish(),
        }))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let page: Box<dyn Page> = Box::new(Looks(AtomicU64::new(0)));
    let site = Arc::new(Site::of(vec![("/metrics", page)]));
    let server = AdminServer::bind(AdminConfig::on("127.0.0.1", 0), site).await?;

    let target: Target = server.address().to_string().parse()?;
    for path in ["/metrics", "/metrics", "/elsewhere"] {
        let fetched = fetch(&target, path, PATIENCE).await?;
        println!("{} {path}\n{}", fetched.status, fetched.body);
    }
    server.stop().await;
    Ok(())
}
