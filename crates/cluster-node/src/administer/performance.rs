//! Doing it.

use std::path::Path;
use std::time::Duration;

use cluster_admin::{AdminClient, Fetched, Method, Question, Target};
use serde_json::{Map, Value, json};

use super::AdminRequest;
use super::access::Credentials;
use super::failure::AdministerError;
use super::route::route;
use super::secret::{Secret, Secrets};
use super::task::{Body, Expected, Show, Source, Task};
use super::terminal::Person;
use crate::config::Settings;
use crate::listener::{listener, trust};
use crate::table::Paint;

/// How long one answer may take; many new passwords take their time.
const ANSWER_MAX: Duration = Duration::from_secs(60);

/// How long to wait, all together, for a server that is asked too often.
const PATIENCE: Duration = Duration::from_secs(10);

/// A request with everything that it needs.
#[derive(Debug)]
pub struct Prepared {
    client: AdminClient,
    credentials: Credentials,
    expected: Option<Expected>,
    question: Question,
    show: Show,
    json: bool,
}

/// Finds out whom to ask, and gets the secrets that it takes, from `person` where they are nowhere
/// else. Nothing is sent yet.
///
/// # Errors
/// When the request cannot be made: nobody to ask, no secret, a secret that would travel in clear.
pub fn prepare(
    settings: &Settings,
    request: &AdminRequest,
    environment: &[(String, String)],
    person: &mut dyn Person,
) -> Result<Prepared, AdministerError> {
    let access = &request.access;
    let target = listener(settings, access.url.as_deref())?;
    if !target.is_encrypted() && !target.is_loopback() {
        return Err(AdministerError::Clear { target });
    }
    let place = target.to_string();
    let client = AdminClient::new(target, &trust(access.authorities.as_deref()))?;
    let mut secrets = Secrets {
        environment,
        person,
    };
    let credentials = access.credentials(&mut secrets, &place)?;
    let Task {
        expected,
        method,
        path,
        body,
        show,
    } = request.task.clone();
    let question = Question {
        method,
        path,
        token: None,
        body: text_of(body, &mut secrets)?,
    };
    Ok(Prepared {
        client,
        credentials,
        expected,
        question,
        show,
        json: request.json,
    })
}

fn text_of(body: Body, secrets: &mut Secrets<'_>) -> Result<Option<String>, AdministerError> {
    match body {
        Body::Nothing => Ok(None),
        Body::File(file) => {
            let text = read(&file)?;
            // Told here, it can name the line.
            let checked = serde_json::from_str::<serde::de::IgnoredAny>(&text);
            checked.map_err(|source| AdministerError::NotJson { file, source })?;
            Ok(Some(text))
        }
        Body::Members(mut members, sources) => {
            for (member, source) in sources {
                let value = value_of(source, secrets)?;
                members.insert(member.to_owned(), Value::String(value));
            }
            Ok(Some(Value::Object(members).to_string()))
        }
    }
}

fn value_of(source: Source, secrets: &mut Secrets<'_>) -> Result<String, AdministerError> {
    let secret = match source {
        Source::NewPassword { user, file } => secrets.new_password(&user, file.as_deref())?,
        Source::Token(Some(file)) => secrets.file(&file)?,
        Source::Token(None) => secrets.ask("the token: ", "--file")?,
        Source::Known(text) => return Ok(text),
        Source::Text(file) => return read(&file),
    };
    Ok(secret.reveal().to_owned())
}

fn read(file: &Path) -> Result<String, AdministerError> {
    std::fs::read_to_string(file).map_err(|source| AdministerError::File {
        file: file.to_owned(),
        source,
    })
}

impl Prepared {
    /// Logs in, asks, and answers what to print. Dropping the future leaves open whether it was
    /// done.
    ///
    /// # Errors
    /// When nobody answers, or the server refuses.
    pub async fn perform(self) -> Result<String, AdministerError> {
        let token = self.log_in().await?;
        self.expect(&token).await?;
        let question = Question {
            token: Some(token.reveal().to_owned()),
            ..self.question.clone()
        };
        let answer = self.ask(&question).await?;
        Ok(match (self.json, &self.show) {
            (true, _) if answer.body.is_empty() => String::new(),
            (true, _) => format!("{}\n", answer.body.trim_end()),
            (false, Show::Said(said)) => format!("{said}\n"),
            (false, Show::Answer(show)) => {
                let value = serde_json::from_str(&answer.body);
                let value = value.map_err(|_| not_the_api(self.client.target(), &answer))?;
                show(&value, Paint::of_output())
            }
        })
    }

    async fn log_in(&self) -> Result<Secret, AdministerError> {
        let (user, password) = match &self.credentials {
            Credentials::Token(token) => return Ok(token.clone()),
            Credentials::Password { user, password } => (user, password),
        };
        let body = json!({ "username": user, "password": password.reveal() });
        let login = Question {
            method: Method::POST,
            path: route(&["login"]),
            token: None,
            body: Some(body.to_string()),
        };
        let answer = self.ask(&login).await?;
        let session: Map<String, Value> = serde_json::from_str(&answer.body).unwrap_or_default();
        match session.get("token").and_then(Value::as_str) {
            Some(token) => Ok(Secret::new(token)),
            None => Err(not_the_api(self.client.target(), &answer)),
        }
    }

    /// Makes sure of what has to be so before.
    async fn expect(&self, token: &Secret) -> Result<(), AdministerError> {
        let Some(expected) = &self.expected else {
            return Ok(());
        };
        let question = Question {
            token: Some(token.reveal().to_owned()),
            ..Question::get(&self.question.path)
        };
        match (self.ask(&question).await, expected) {
            (Ok(_), Expected::Absent(what)) => Err(AdministerError::Exists(what.clone())),
            (Err(AdministerError::Refused(refusal)), _) if refusal.kind == "not-found" => {
                match expected {
                    Expected::Absent(_) => Ok(()),
                    Expected::Present(what) => Err(AdministerError::Missing(what.clone())),
                }
            }
            (asked, _) => asked.map(drop),
        }
    }

    /// Asks; a server that is asked too often gets the time that it wants, within reason. What it
    /// turned away so it has not done.
    async fn ask(&self, question: &Question) -> Result<Fetched, AdministerError> {
        let mut waited = Duration::ZERO;
        loop {
            let answer = self.client.ask(question, ANSWER_MAX).await?;
            let pause = answer.retry_after.filter(|_| answer.status == 429);
            match (answer.status, pause) {
                (200..=299, _) => return Ok(answer),
                (_, Some(pause)) if pause <= PATIENCE.saturating_sub(waited) => {
                    // A second at least, so that no answer makes this a busy loop.
                    let pause = pause.max(Duration::from_secs(1));
                    waited += pause;
                    tokio::time::sleep(pause).await;
                }
                _ => return Err(AdministerError::of(self.client.target(), &answer)),
            }
        }
    }
}

fn not_the_api(target: &Target, answer: &Fetched) -> AdministerError {
    AdministerError::NotTheApi {
        target: target.clone(),
        status: answer.status,
    }
}
