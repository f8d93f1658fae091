//! What a node shows on its admin listener.

mod health;
mod link_metrics;
mod metrics;

use std::sync::Arc;

use cluster_admin::{
    AdminConfig, AdminServer, Answer, AnswerFuture, Api, ApiConfig, Exposition, Page, Site,
};
use happn_security::authority::SecurityAuthority;

use crate::config::Settings;
use crate::parts::Parts;
use crate::start_error::StartError;
use crate::tls;

pub use health::{AskedHealth, Health, LinkHealth, MemberHealth, SessionsHealth, TrafficHealth};

/// Where the node shows its health.
pub const HEALTH_PATH: &str = "/health";

/// Opens the listener, unless it is switched off. `authority` is that of a secure node.
pub(crate) async fn open(
    settings: &Settings,
    parts: &Arc<Parts>,
    authority: Option<Arc<SecurityAuthority>>,
) -> Result<Option<AdminServer>, StartError> {
    let section = &settings.admin;
    if !section.enabled {
        return Ok(None);
    }
    let tls = tls::admin(section)?;
    let on = |port| AdminConfig {
        tls: tls.clone(),
        ..AdminConfig::on(crate::assembly::listen_host(&section.host), port)
    };
    let config = ApiConfig {
        token_ttl: section.token_ttl,
        ..ApiConfig::default()
    };
    let api = Api::new(parts.core.clone(), authority, config);
    let site = Arc::new(Site::of(pages(parts)).with_api(api));
    let port = settings.admin_port();
    let opened = AdminServer::bind(on(port), site.clone()).await;
    let server = match opened {
        // Nobody asked for this very port, so it must not keep the node from starting.
        Err(error) if error.is_taken() && section.port.is_none() => {
            tracing::warn!(
                port,
                "the admin listener's port is taken, taking another one"
            );
            AdminServer::bind(on(0), site).await?
        }
        opened => opened?,
    };
    tracing::info!(address = %server.address(), "health, metrics and administration");
    Ok(Some(server))
}

fn pages(parts: &Arc<Parts>) -> Vec<(&'static str, Box<dyn Page>)> {
    vec![
        ("/health/live", Box::new(Live)),
        ("/health/ready", Box::new(Ready(parts.clone()))),
        (HEALTH_PATH, Box::new(HealthPage(parts.clone()))),
        ("/metrics", Box::new(MetricsPage(parts.clone()))),
    ]
}

/// That it answers is the answer.
struct Live;

impl Page for Live {
    fn answer(&self) -> AnswerFuture<'_> {
        Box::pin(std::future::ready(Answer::text(200, "live\n")))
    }
}

struct Ready(Arc<Parts>);

impl Page for Ready {
    fn answer(&self) -> AnswerFuture<'_> {
        Box::pin(async {
            let obstacles = self.0.obstacles().await;
            match obstacles.is_empty() {
                true => Answer::text(200, "ready\n"),
                false => Answer::text(503, format!("not ready: {}\n", obstacles.join("; "))),
            }
        })
    }
}

struct HealthPage(Arc<Parts>);

impl Page for HealthPage {
    fn answer(&self) -> AnswerFuture<'_> {
        Box::pin(async {
            let health = Health::of(&self.0).await;
            match serde_json::to_string(&health) {
                Ok(text) => Answer::json(200, text),
                Err(error) => Answer::text(500, format!("{error}\n")),
            }
        })
    }
}

struct MetricsPage(Arc<Parts>);

impl Page for MetricsPage {
    fn answer(&self) -> AnswerFuture<'_> {
        Box::pin(async {
            Answer {
                status: 200,
                media_type: Exposition::MEDIA_TYPE,
                body: metrics::write(&self.0).await,
            }
        })
    }
}
