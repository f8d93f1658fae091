//! A command line, a person and a server, all of them scripted.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use cluster_node::administer::{AdministerError, Person, Secret, prepare};
use cluster_node::cli::{Invocation, Wish};
use cluster_node::config::Config;
use serde_json::json;
use testkit::{ScriptedServer, within};

pub(crate) const TOKEN: &str = "the.token.x";

/// Who types what they are told to type.
#[derive(Default)]
pub(crate) struct Actor {
    /// What to type; where it is empty, there is no terminal.
    pub(crate) lines: VecDeque<&'static str>,
    pub(crate) input: Vec<u8>,
    pub(crate) questions: Vec<String>,
    pub(crate) warnings: Vec<String>,
}

impl Actor {
    pub(crate) fn typing(lines: &[&'static str]) -> Self {
        Self {
            lines: lines.iter().copied().collect(),
            ..Self::default()
        }
    }
}

impl Person for Actor {
    fn secret(&mut self, question: &str) -> io::Result<Option<Secret>> {
        self.questions.push(question.to_owned());
        Ok(self.lines.pop_front().map(Secret::new))
    }

    fn warn(&mut self, text: &str) {
        self.warnings.push(text.to_owned());
    }

    fn input(&mut self) -> Box<dyn Read + '_> {
        Box::new(&self.input[..])
    }
}

pub(crate) type Variables<'a> = &'a [(&'a str, &'a str)];

/// Runs a command line to its end.
pub(crate) async fn run(
    arguments: &[&str],
    variables: Variables<'_>,
    actor: &mut Actor,
) -> Result<String, AdministerError> {
    let arguments = ["cluster-node", "admin"].iter().chain(arguments);
    let invocation = Invocation::parse(arguments).unwrap_or_else(|error| panic!("{error}"));
    let Wish::Admin(request) = invocation.wish else {
        panic!("admin");
    };
    let settings = Config::from_tree(&json!({})).unwrap().settings;
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let environment: Vec<(String, String)> = variables.iter().map(owned).collect();
    prepare(&settings, &request, &environment, actor)?
        .perform()
        .await
}

/// Answers one request after the other, and says what each was and how it was authorised.
pub(crate) async fn play(server: &ScriptedServer, answers: &[(u16, &str)]) -> Vec<String> {
    let mut asked = Vec::new();
    for (status, body) in answers {
        let exchange = server.exchange().await;
        let token = exchange.header("authorization").unwrap_or("nobody");
        let what = format!("{}: {} {}", token, exchange.what, exchange.body);
        asked.push(what.trim_end().to_owned());
        if !exchange.body.is_empty() {
            assert_eq!(exchange.header("content-type"), Some("application/json"));
        }
        exchange.answer(*status, body).await;
    }
    asked
}

/// What came of a command line that has a token, and what the server was asked.
pub(crate) async fn with_token(
    arguments: &[&str],
    answers: &[(u16, &str)],
) -> (Result<String, AdministerError>, Vec<String>) {
    let server = ScriptedServer::start().await;
    let url = format!("http://{}", server.endpoint());
    let arguments = [&["--url", &url][..], arguments].concat();
    let mut actor = Actor::default();
    let variables = [("HAPPN_ADMIN_TOKEN", TOKEN)];
    let (outcome, asked) = within(async {
        tokio::join!(
            run(&arguments, &variables, &mut actor),
            play(&server, answers)
        )
    })
    .await;
    assert!(actor.questions.is_empty(), "{:?}", actor.questions);
    (outcome, asked)
}

/// A folder that vanishes with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("cluster-node-administer-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// The path of a file with `text` that only its owner may read.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(&path, mode).unwrap();
        }
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
