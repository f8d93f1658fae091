//! `/auth/…`: nonces, logins and their cookies.

use bytes::Bytes;
use happn_core::{LoginRequest, Refusal, Via};
use happn_protocol::{Json, write_string};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue, SET_COOKIE};
use hyper::{Request, StatusCode};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Guard;
use super::form::Form;
use crate::http::body::Arriving;
use crate::http::pages::{Page, error_page, page};

/// Largest body of a login.
const LOGIN_BYTES_MAX: usize = 100 * 1024;

/// What a login may hold, and the names it goes by.
const LOGIN_FIELDS: [(&str, &[&str]); 5] = [
    ("username", &["user", "username", "u"]),
    ("password", &["password", "pwd", "pass", "p"]),
    (
        "publicKey",
        &[
            "publicKey",
            "public_key",
            "public",
            "key",
            "public-key",
            "pk",
        ],
    ),
    ("digest", &["digest"]),
    ("token", &["token", "happn_token", "t"]),
];

/// The one refusal of rights that is answered like one of credentials.
const NO_ADMIN: &str = "use of _ADMIN credentials over the network is disabled";

impl Guard<'_> {
    pub(super) fn nonce(&self, query: Option<&str>) -> Page {
        let names = ["publicKey", "public_key", "public", "key", "public-key"];
        let Some(key) = Form::parse(query.unwrap_or_default()).first(&names) else {
            let text = "the query of /auth/request-nonce must hold a publicKey";
            return error_page(StatusCode::BAD_REQUEST, text);
        };
        match self.authority.nonce(&key, &self.connection) {
            Ok(nonce) => answer("nonce generated", &nonce),
            Err(refused) => error_page(StatusCode::SERVICE_UNAVAILABLE, &refused.error.message),
        }
    }

    pub(super) async fn login(&self, request: Request<Arriving>) -> Page {
        let (head, body) = request.into_parts();
        let query = Form::parse(head.uri.query().unwrap_or_default());
        let body = body.all(LOGIN_BYTES_MAX, self.shared.config.body_timeout);
        let body = match body.await {
            Ok(body) => body,
            Err(refused) => return refused,
        };
        let Some(fields) = fields_of(&head.headers, &body) else {
            let text = "the body of a login is a JSON object whose members are text";
            return error_page(StatusCode::BAD_REQUEST, text);
        };
        let fields = fields.or(query);
        let request = LoginRequest {
            session_id: Uuid::new_v4().to_string().into(),
            data: login_data(&fields),
            connection: self.connection.clone(),
            via: Via::Http,
        };
        match self
            .authority
            .login(request)
            .await
            .map(|admission| admission.token)
        {
            Ok(Some(token)) => self.with_cookie(answer("login successful", &token), &token),
            Ok(None) => error_page(StatusCode::INTERNAL_SERVER_ERROR, "no token was made"),
            Err(refused) => login_failed(&refused),
        }
    }

    /// Sets the cookie that this connection's tokens travel in, if that is wanted.
    fn with_cookie(&self, response: Page, token: &str) -> Page {
        self.cookie(response, token, "")
    }

    /// Takes the cookie away again.
    pub(super) fn without_cookie(&self, response: Page) -> Page {
        self.cookie(response, "", "; Expires=Thu, 01 Jan 1970 00:00:00 GMT")
    }

    fn cookie(&self, mut response: Page, token: &str, end: &str) -> Page {
        if !self.shared.config.security.set_cookie {
            return response;
        }
        let name = self.authority.cookie(&self.connection).name;
        let protected = self.connection.encrypted || self.connection.secure;
        let secure = if protected { "; Secure" } else { "" };
        let text = format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax{secure}{end}");
        if let Ok(value) = HeaderValue::from_str(&text) {
            response.headers_mut().append(SET_COOKIE, value);
        }
        response
    }
}

/// `data` with the blanks that clients expect.
pub(super) fn answer(message: &str, data: &str) -> Page {
    let mut body = format!("{{\"message\":\"{message}\", \"data\":").into_bytes();
    write_string(&mut body, data);
    body.extend_from_slice(b", \"error\":null}");
    json_page(StatusCode::OK, body)
}

fn login_failed(refused: &Refusal) -> Page {
    let error = &refused.error;
    let status = match error.code == Some(401) || error.message == NO_ADMIN {
        true => StatusCode::UNAUTHORIZED,
        false => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let mut body = b"{\"message\":\"login failed\", \"data\":null, \"error\":".to_vec();
    error.write(&mut body);
    body.push(b'}');
    json_page(status, body)
}

/// Tokens and nonces are not for caches.
fn json_page(status: StatusCode, body: Vec<u8>) -> Page {
    let mut response = page(status, "application/json", body);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What a body of JSON or of a form holds; others hold nothing. `None` if it cannot be a login.
fn fields_of(headers: &HeaderMap, body: &Bytes) -> Option<Form> {
    let media_type = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let media_type = media_type.and_then(|it| it.split(';').next());
    let media_type = media_type.unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        "application/json" if !body.is_empty() => {
            let members: Map<String, Value> = serde_json::from_slice(body).ok()?;
            texts_of(members).map(Form::of)
        }
        "application/x-www-form-urlencoded" => std::str::from_utf8(body).ok().map(Form::parse),
        _ => Some(Form::default()),
    }
}

/// `None` if a member that matters is no text.
fn texts_of(members: Map<String, Value>) -> Option<Vec<(String, String)>> {
    let mut fields = Vec::new();
    for (name, value) in members {
        let matters = LOGIN_FIELDS
            .iter()
            .any(|(_, names)| names.iter().any(|known| known.eq_ignore_ascii_case(&name)));
        match value {
            Value::String(text) => fields.push((name, text)),
            Value::Null => {}
            _ if matters => return None,
            _ => {}
        }
    }
    Some(fields)
}

fn login_data(fields: &Form) -> Json {
    let mut data = Map::new();
    for (name, names) in LOGIN_FIELDS {
        if let Some(text) = fields.first(names) {
            data.insert(name.to_owned(), Value::String(text));
        }
    }
    data.insert("type".to_owned(), json!(0));
    Json::from_trusted(Value::Object(data).to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the authority gets of a body.
    fn data(media_type: &str, body: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, media_type.parse().unwrap());
        let fields = fields_of(&headers, &Bytes::from(body.to_owned()))?;
        Some(login_data(&fields).to_string())
    }

    #[test]
    fn a_login_has_the_names_of_the_wire_whatever_it_was_sent_as() {
        let json = r#"{"U":"u","pass":"p","public-key":"k","DIGEST":"d","t":"t","x":{}}"#;
        let expected =
            r#"{"username":"u","password":"p","publicKey":"k","digest":"d","token":"t","type":0}"#;
        assert_eq!(data("application/json", json).unwrap(), expected);
        let form = "u=u&p=p&pk=k&digest=d&happn_token=t";
        let media_type = "Application/X-WWW-form-urlencoded; charset=utf-8";
        assert_eq!(data(media_type, form).unwrap(), expected);
        assert_eq!(data("text/plain", form).unwrap(), r#"{"type":0}"#);
    }

    proptest::proptest! {
        #[test]
        fn no_body_panics_and_whatever_comes_out_is_text(
            name in "(u|user|password|p|token|type|info|x)",
            value in r#"("\PC{0,9}"|[0-9]{1,4}|null|true|\[\]|\{\}|\PC{0,9})"#,
        ) {
            let body = format!("{{\"{name}\":{value}}}");
            for media_type in ["application/json", "application/x-www-form-urlencoded"] {
                if let Some(data) = data(media_type, &body) {
                    let data: Map<String, Value> = serde_json::from_str(&data).unwrap();
                    for (name, value) in data {
                        proptest::prop_assert!(value.is_string() || (name == "type" && value == 0));
                    }
                }
            }
        }
    }
}
