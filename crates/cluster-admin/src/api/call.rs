//! A request that was let through.

use std::net::SocketAddr;
use std::sync::Arc;

use happn_security::audit::{Actor, Record};
use happn_security::directory::{Directory, GroupName, TableName};
use hyper::body::Bytes;
use serde::de::DeserializeOwned;

use super::desk::Desk;
use super::problem::Problem;
use super::request::{self, Query};
use super::route::Operation;

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    pub(crate) address: SocketAddr,
    /// Whether TLS protects the connection.
    pub(crate) encrypted: bool,
}

impl Caller {
    /// Whether nobody else can read what travels.
    pub(super) fn is_private(self) -> bool {
        self.encrypted || self.address.ip().to_canonical().is_loopback()
    }

    /// The address, as it is recorded.
    pub(super) fn text(self) -> String {
        self.address.ip().to_canonical().to_string()
    }
}

/// A request that was let through.
pub(super) struct Call {
    pub(super) desk: Arc<Desk>,
    pub(super) caller: Caller,
    pub(super) actor: Actor,
    pub(super) operation: &'static Operation,
    /// What the braces of the route stand for.
    pub(super) names: Vec<String>,
    pub(super) query: Query,
    pub(super) bytes: Bytes,
}

impl Call {
    /// Users and groups; what is changed is recorded as done by whoever asks.
    pub(super) fn directory(&self) -> Directory {
        let directory = self.desk.authority.directory();
        directory.acting_as(self.actor.clone())
    }

    /// What the brace number `at` of the route stands for.
    pub(super) fn name(&self, at: usize) -> &str {
        self.names.get(at).map_or("", String::as_str)
    }

    pub(super) fn group(&self, at: usize) -> Result<GroupName, Problem> {
        Ok(GroupName::new(self.name(at))?)
    }

    pub(super) fn table(&self) -> Result<TableName, Problem> {
        Ok(TableName::new(self.name(0))?)
    }

    /// The body, which has the shape that the operation takes.
    pub(super) fn body<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        match self.operation.body {
            Some(shape) => request::object(&self.bytes, shape),
            None => Err(Problem::invalid("there is no body here")),
        }
    }

    /// Records something that is no change of the directory by itself.
    pub(super) fn record(&self, kind: &'static str, object: String) {
        let record = Record::Changed {
            actor: &self.actor,
            kind,
            object,
        };
        self.desk.authority.directory().audit().record(&record);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tls_or_the_machine_itself_is_private() {
        let caller = |address: &str, encrypted| Caller {
            address: address.parse().unwrap(),
            encrypted,
        };
        for local in [
            "127.0.0.1:1",
            "127.9.9.9:1",
            "[::1]:1",
            "[::ffff:127.0.0.1]:1",
        ] {
            assert!(caller(local, false).is_private(), "{local}");
        }
        for remote in [
            "10.0.0.1:1",
            "[::ffff:10.0.0.1]:1",
            "[fe80::1]:1",
            "0.0.0.0:1",
        ] {
            assert!(!caller(remote, false).is_private(), "{remote}");
            assert!(caller(remote, true).is_private(), "{remote}");
        }
        assert_eq!(caller("[::ffff:10.0.0.1]:1", true).text(), "10.0.0.1");
    }
}
