//! A login as it was sent.

use std::net::{IpAddr, Ipv4Addr};

use happn_core::{Connection, LoginRequest, Via};
use serde_json::{Map, Value, json};

use crate::audit::Actor;
use crate::credentials::Source;
use crate::policy::SessionType;

/// What a login says, as far as it can be used. What has another type than it should have is
/// taken for missing.
pub(super) struct Attempt {
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
    pub(super) digest: Option<String>,
    pub(super) public_key: Option<String>,
    pub(super) token: Option<String>,
    pub(super) auth_type: Option<String>,
    pub(super) info: Option<Value>,
    pub(super) session_type: SessionType,
    pub(super) source: Source,
    pub(super) request: LoginRequest,
}

impl Attempt {
    pub(super) fn read(request: LoginRequest) -> Self {
        let mut data: Map<String, Value> = request.data.decode().unwrap_or_default();
        let mut text = |name: &str| match data.remove(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            _ => None,
        };
        let (username, password) = (text("username"), text("password"));
        let (digest, public_key) = (text("digest"), text("publicKey"));
        let (token, auth_type) = (text("token"), text("authType"));
        let asked = data.get("type").and_then(SessionType::of);
        let usual = match request.via {
            Via::Http => SessionType::Stateless,
            Via::Socket | Via::Process => SessionType::Stateful,
        };
        Self {
            username,
            password,
            digest,
            public_key,
            token,
            auth_type,
            info: data.remove("info").filter(|info| !info.is_null()),
            session_type: asked.unwrap_or(usual),
            source: match request.via {
                Via::Process => Source::LOCAL,
                Via::Socket | Via::Http => source_of(&request.connection),
            },
            request,
        }
    }

    pub(super) fn is_remote(&self) -> bool {
        self.request.via != Via::Process
    }

    /// The client's address, if it came over a network.
    pub(super) fn address(&self) -> Option<IpAddr> {
        self.is_remote()
            .then(|| address_of(&self.request.connection))
    }

    /// Who is at it, for the record; `name` as far as it is known.
    pub(super) fn actor(&self, name: &str) -> Actor {
        match self.is_remote() {
            true => Actor::new(name, &self.request.connection.ip),
            false => Actor::new(name, "(process)"),
        }
    }

    /// What address lists of profiles may ask for.
    pub(super) fn credentials(&self) -> Map<String, Value> {
        let mut credentials = Map::new();
        for (name, value) in [
            ("username", &self.username),
            ("publicKey", &self.public_key),
            ("authType", &self.auth_type),
        ] {
            if let Some(value) = value {
                credentials.insert(name.to_owned(), json!(value));
            }
        }
        credentials
    }
}

pub(super) fn source_of(connection: &Connection) -> Source {
    Source::from(address_of(connection))
}

/// An address that cannot be read is nobody's, and all such clients are counted as one.
fn address_of(connection: &Connection) -> IpAddr {
    let address = connection.ip.parse();
    address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

#[cfg(test)]
mod tests {
    use happn_protocol::Json;
    use proptest::prelude::*;

    use super::*;

    fn request(data: &str) -> LoginRequest {
        LoginRequest {
            session_id: "s".into(),
            data: Json::parse(data).unwrap(),
            connection: Connection::in_process(),
            via: Via::Socket,
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            let name = "(username|password|token|digest|publicKey|info|type|authType|.{0,3})";
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((name, inner), 0..8)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_is_sent_is_text_or_missing(data in any_json()) {
            let attempt = Attempt::read(request(&data.to_string()));
            let expected = data["username"].as_str().filter(|text| !text.is_empty());
            prop_assert_eq!(attempt.username.as_deref(), expected);
            prop_assert!(attempt.credentials().get("password").is_none());
        }
    }

    #[test]
    fn an_address_that_cannot_be_read_is_one_for_all_who_have_it() {
        let odd = |ip: &str| Connection {
            ip: ip.to_owned(),
            ..Connection::in_process()
        };
        assert_eq!(source_of(&odd("x")), source_of(&odd("unix:")));
        assert_ne!(source_of(&odd("x")), source_of(&odd("10.0.0.1")));
    }
}
