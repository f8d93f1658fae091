//! Where the servers are: the url of a configuration and the one that the driver gets.
//!
//! The driver reads credentials, escapes, IPv6 addresses, TLS and everything after the `?` itself.
//! What is done here: the configured database takes the place of the url's, ports are filled in,
//! options are added, and what the driver would refuse for no good reason is left out.

use std::fmt;

use mongodb::options::ConnectionString;
use serde_json::{Map, Value};

const PORT: u16 = 27017;

/// Options of an url that may also stand in `settings.opts`, under the same names.
const KNOWN: &[&str] = &[
    "appName",
    "authMechanism",
    "authSource",
    "connectTimeoutMS",
    "directConnection",
    "heartbeatFrequencyMS",
    "journal",
    "loadBalanced",
    "localThresholdMS",
    "maxConnecting",
    "maxIdleTimeMS",
    "maxPoolSize",
    "maxStalenessSeconds",
    "minPoolSize",
    "readConcernLevel",
    "readPreference",
    "replicaSet",
    "retryReads",
    "retryWrites",
    "serverSelectionTimeoutMS",
    "srvMaxHosts",
    "srvServiceName",
    "ssl",
    "tls",
    "tlsAllowInvalidCertificates",
    "tlsCAFile",
    "tlsCertificateKeyFile",
    "tlsInsecure",
    "w",
    "wtimeoutMS",
];

/// Options that mean nothing here, or are read elsewhere; they are no reason for a warning.
const SILENT: &[&str] = &["collection", "useNewUrlParser", "useUnifiedTopology"];

/// The url for the driver. Prints without its secrets.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    text: String,
    hosts: String,
    database: String,
}

/// An url that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The text before `://`.
    #[error("it must start with mongodb:// or mongodb+srv://")]
    Scheme,
    /// The driver does not understand it.
    #[error("{0}")]
    Invalid(String),
    /// The program was built without a DNS resolver.
    #[error("this build cannot look up mongodb+srv:// addresses; name the hosts with mongodb://")]
    NoResolver,
    /// A value that has no place in an url.
    #[error("opts.{name}: {value} is neither a text, a number, nor true or false")]
    Option {
        /// The option.
        name: String,
        /// What was given.
        value: String,
    },
}

impl Address {
    /// The whole url, secrets included.
    pub(crate) fn secret_text(&self) -> &str {
        &self.text
    }

    /// The servers' hosts and ports; a name that stands for them keeps its scheme.
    pub(crate) fn hosts(&self) -> &str {
        &self.hosts
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.hosts, self.database)
    }
}

/// The address for `url`, with `database` in place of its own and `opts` in place of its options.
pub(crate) fn parse(
    url: &str,
    database: &str,
    opts: &Map<String, Value>,
    warnings: &mut Vec<String>,
) -> Result<Address, AddressError> {
    let (scheme, rest) = url.trim().split_once("://").ok_or(AddressError::Scheme)?;
    let with_resolver = match scheme {
        "mongodb" => false,
        "mongodb+srv" if cfg!(feature = "srv") => true,
        "mongodb+srv" => return Err(AddressError::NoResolver),
        _ => return Err(AddressError::Scheme),
    };
    let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (user, place) = match before.rsplit_once('@') {
        Some((user, place)) => (format!("{user}@"), place),
        None => (credentials(opts), before),
    };
    let (hosts, _) = place.split_once('/').unwrap_or((place, ""));
    let hosts: Vec<String> = hosts
        .split(',')
        .map(|host| with_port(host, with_resolver))
        .collect();
    let hosts = hosts.join(",");
    let query = options(query, opts, warnings)?;
    let text = format!("{scheme}://{user}{hosts}/{}{query}", escape(database));
    match ConnectionString::parse(&text) {
        Ok(_) => Ok(Address {
            text,
            hosts: match with_resolver {
                true => format!("{scheme}://{hosts}"),
                false => hosts,
            },
            database: database.to_owned(),
        }),
        Err(error) => Err(AddressError::Invalid(crate::failure::reason(&error))),
    }
}

fn with_port(host: &str, with_resolver: bool) -> String {
    // Behind the bracket of an IPv6 address.
    let after = host.rsplit_once(']').map_or(host, |(_, after)| after);
    match with_resolver || after.contains(':') || host.is_empty() || host.ends_with(".sock") {
        true => host.to_owned(),
        false => format!("{host}:{PORT}"),
    }
}

/// `opts.auth`, as the part of an url before the `@`.
fn credentials(opts: &Map<String, Value>) -> String {
    let auth = |names: &[&str]| {
        let auth = opts.get("auth")?;
        names.iter().find_map(|name| auth.get(name)?.as_str())
    };
    match (auth(&["username", "user"]), auth(&["password"])) {
        (Some(user), Some(password)) => format!("{}:{}@", escape(user), escape(password)),
        (Some(user), None) => format!("{}@", escape(user)),
        _ => String::new(),
    }
}

/// The url's options, those of `opts` in their place, with a leading `?`.
fn options(
    query: &str,
    opts: &Map<String, Value>,
    warnings: &mut Vec<String>,
) -> Result<String, AddressError> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match name.eq_ignore_ascii_case("socketTimeoutMS") {
            true => warnings.push(left_out(name)),
            false => pairs.push((name.to_owned(), value.to_owned())),
        }
    }
    for (name, value) in opts {
        let known = |listed: &&&str| listed.eq_ignore_ascii_case(name);
        let in_url = match name.as_str() {
            "poolSize" => "maxPoolSize",
            "auth" => continue,
            _ if SILENT.iter().any(|listed| known(&listed)) => continue,
            _ => match KNOWN.iter().find(known) {
                Some(listed) => listed,
                None => {
                    warnings.push(left_out(name));
                    continue;
                }
            },
        };
        let text = match value {
            Value::Null => continue,
            Value::String(text) => escape(text),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Array(_) | Value::Object(_) => {
                return Err(AddressError::Option {
                    name: name.clone(),
                    value: value.to_string(),
                });
            }
        };
        pairs.retain(|(other, _)| !other.eq_ignore_ascii_case(in_url));
        pairs.push((in_url.to_owned(), text));
    }
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    Ok(match pairs.is_empty() {
        true => String::new(),
        false => format!("?{}", pairs.join("&")),
    })
}

fn left_out(name: &str) -> String {
    format!("the driver has no option {name}; it is left out")
}

/// Percent-escapes everything but the letters that mean nothing in an url.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn effective(url: &str, opts: &Value) -> Result<(String, Vec<String>), AddressError> {
        let mut warnings = Vec::new();
        let opts = opts.as_object().cloned().unwrap_or_default();
        let address = parse(url, "d", &opts, &mut warnings)?;
        Ok((address.secret_text().to_owned(), warnings))
    }

    #[test]
    fn what_the_javascript_provider_breaks_is_kept() {
        for (url, expected) in [
            (
                "mongodb://u:p%40ss@h:1/?authSource=admin",
                "mongodb://u:p%40ss@h:1/d?authSource=admin",
            ),
            ("mongodb://[::1]:27018/x", "mongodb://[::1]:27018/d"),
            ("mongodb://[::1]", "mongodb://[::1]:27017/d"),
            (
                "mongodb://a,b:2/x?replicaSet=r",
                "mongodb://a:27017,b:2/d?replicaSet=r",
            ),
        ] {
            assert_eq!(effective(url, &json!({})).unwrap().0, expected);
        }
    }

    #[cfg(feature = "srv")]
    #[test]
    fn an_address_that_is_looked_up_keeps_its_scheme_and_gets_no_port() {
        let (url, warnings) =
            effective("mongodb+srv://u:p@db.example/x?w=majority", &json!({})).unwrap();
        assert_eq!(url, "mongodb+srv://u:p@db.example/d?w=majority");
        assert_eq!(warnings, [""; 0]);
    }

    #[test]
    fn options_of_the_driver_join_those_of_the_url() {
        let opts = json!({
            "useNewUrlParser": true, "collection": "c", "poolSize": 5, "w": "majority",
            "TLSCAFILE": "/a b", "auth": {"user": "u", "password": "p@ss"}, "bufferMaxEntries": 0,
        });
        let (url, warnings) =
            effective("mongodb://h?W=1&tls=true&socketTimeoutMS=1", &opts).unwrap();
        assert_eq!(
            url,
            "mongodb://u:p%40ss@h:27017/d?tls=true&maxPoolSize=5&w=majority&tlsCAFile=%2Fa%20b"
        );
        let names = ["socketTimeoutMS", "bufferMaxEntries"];
        for (warning, name) in warnings.iter().zip(names) {
            assert!(warning.contains(name), "{warning}");
        }
        assert_eq!(warnings.len(), 2);
    }

    #[test]
    fn an_address_never_prints_its_secrets() {
        let address = parse("mongodb://u:secret@h/x", "d", &Map::new(), &mut Vec::new());
        assert_eq!(format!("{:?}", address.unwrap()), "h:27017/d");
        if cfg!(feature = "srv") {
            let url = "mongodb+srv://u:secret@h.example/x";
            let address = parse(url, "d", &Map::new(), &mut Vec::new()).unwrap();
            assert_eq!(format!("{address:?}"), "mongodb+srv://h.example/d");
        }
    }

    #[test]
    fn an_address_that_cannot_be_used_says_why() {
        for (url, part) in [
            ("h:27017", "must start with mongodb://"),
            ("http://h", "must start with mongodb://"),
            ("mongodb://u:a/b@h", "password must be URL encoded"),
            ("mongodb://h:port", "port"),
            ("mongodb://", "empty"),
            ("mongodb://h?maxPoolSize=x", "maxpoolsize"),
        ] {
            let error = effective(url, &json!({})).unwrap_err().to_string();
            assert!(error.contains(part), "{url}: {error}");
        }
        let error = effective("mongodb://h", &json!({"w": [1]})).unwrap_err();
        assert_eq!(
            error.to_string(),
            "opts.w: [1] is neither a text, a number, nor true or false"
        );
    }
}
