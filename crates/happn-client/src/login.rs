//! The first three requests on a connection: configure, describe, log in.

use std::sync::Arc;
use std::time::Duration;

use happn_protocol::Json;
use happn_protocol::link::LinkAnswer;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::ClientError;
use crate::connection::{Call, Connection, Reply};

/// The generation of the JavaScript client whose behaviour this one follows. Servers show it in
/// the session object and decide nothing by it.
const CLIENT_VERSION: &str = "13.12.1";

/// Who logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credentials {
    /// A user's name and password.
    Password {
        /// The user.
        username: String,
        /// The secret.
        password: String,
    },
    /// A session token of an earlier login.
    Token(String),
}

/// The session a login opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) id: Arc<str>,
    /// The node's name, from the login answer or else from its description.
    pub(crate) node_name: Option<String>,
    /// What a node of our kind answers to another one.
    pub(crate) link: Option<LinkAnswer>,
}

#[derive(Serialize)]
struct LoginData<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    info: &'a RawValue,
    protocol: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}

#[derive(Deserialize)]
struct Description {
    name: Option<String>,
}

#[derive(Deserialize)]
struct SessionObject {
    id: Option<String>,
    happn: Option<Description>,
    #[serde(default)]
    link: Option<serde_json::Value>,
}

/// Opens the session; the connection's requests carry its id from then on.
pub(crate) async fn log_in(
    connection: &Connection,
    info: &Json,
    credentials: Option<&Credentials>,
    timeout: Duration,
) -> Result<Session, ClientError> {
    let configuration = encode(&serde_json::json!({
        "protocol": "happn_4", "version": CLIENT_VERSION, "browser": false
    }))?;
    system_call(connection, "configure-session", &configuration, None).await?;
    let description = system_call(connection, "describe", &Json::NULL, None).await?;
    let login = login_data(info, credentials)?;
    let options = encode(&serde_json::json!({"timeout": millis(timeout)}))?;
    let answer = system_call(connection, "login", &login, Some((&options, timeout))).await?;
    let session: SessionObject = answer.decode().map_err(ClientError::decode)?;
    let described: Option<Description> = description.decode().ok();
    let id = session
        .id
        .ok_or_else(|| ClientError::decode("the login answer has no id"))?;
    let session = Session {
        id: id.into(),
        node_name: session
            .happn
            .and_then(|happn| happn.name)
            .or_else(|| described.and_then(|described| described.name)),
        link: session
            .link
            .and_then(|link| serde_json::from_value(link).ok()),
    };
    connection.set_session_id(Arc::clone(&session.id));
    Ok(session)
}

/// The `info` block with what every client of this kind adds to it.
pub(crate) fn info_block(info: &Json, is_local: bool) -> Result<Json, ClientError> {
    let mut members: serde_json::Map<String, serde_json::Value> = if info.is_object() {
        info.decode().map_err(ClientError::encode)?
    } else {
        let mut wrapped = serde_json::Map::new();
        let value = info.decode().map_err(ClientError::encode)?;
        wrapped.insert("data".to_owned(), value);
        wrapped
    };
    members.insert("_browser".to_owned(), false.into());
    members.insert("_local".to_owned(), is_local.into());
    encode(&members)
}

/// A timeout as the wire tells it.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn login_data(info: &Json, credentials: Option<&Credentials>) -> Result<Json, ClientError> {
    let mut data = LoginData {
        username: None,
        info: info.decode().map_err(ClientError::encode)?,
        protocol: "happn_4",
        password: None,
        token: None,
    };
    match credentials {
        Some(Credentials::Password { username, password }) => {
            data.username = Some(username);
            data.password = Some(password);
        }
        Some(Credentials::Token(token)) => data.token = Some(token),
        None => {}
    }
    encode(&data)
}

fn encode<T: Serialize>(value: &T) -> Result<Json, ClientError> {
    Json::encode(value).map_err(ClientError::encode)
}

async fn system_call(
    connection: &Connection,
    action: &'static str,
    data: &Json,
    options: Option<(&Json, Duration)>,
) -> Result<Json, ClientError> {
    let call = Call {
        action,
        path: None,
        data: Some(data),
        options: options.map(|(options, _)| options),
        timeout: options.map(|(_, timeout)| timeout),
    };
    match connection.call(call).await? {
        Reply::Object { data, .. } => Ok(data.unwrap_or(Json::NULL)),
        Reply::List(_) => Err(ClientError::decode("a list answers a system request")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_info_block_gains_two_members_at_its_end() {
        let info = Json::parse(r#"{"name":"node-b","endpoint":"h:1"}"#).unwrap();
        assert_eq!(
            info_block(&info, false).unwrap().as_str(),
            r#"{"name":"node-b","endpoint":"h:1","_browser":false,"_local":false}"#
        );
        let text = Json::parse(r#""me""#).unwrap();
        assert_eq!(
            info_block(&text, false).unwrap().as_str(),
            r#"{"data":"me","_browser":false,"_local":false}"#
        );
    }

    #[test]
    fn credentials_take_the_places_of_the_javascript_client() {
        let credentials = Credentials::Password {
            username: "bob".into(),
            password: "secret".into(),
        };
        assert_eq!(
            login_data(&Json::EMPTY_OBJECT, Some(&credentials))
                .unwrap()
                .as_str(),
            r#"{"username":"bob","info":{},"protocol":"happn_4","password":"secret"}"#
        );
    }
}
