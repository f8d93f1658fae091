//! What a command line asks the server for.

use std::path::PathBuf;

use cluster_admin::Method;
use serde_json::{Map, Value};

use crate::table::Paint;

/// One request, and what to make of its answer.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) expected: Option<Expected>,
    pub(crate) method: Method,
    /// Path and query, encoded.
    pub(crate) path: String,
    pub(crate) body: Body,
    pub(crate) show: Show,
}

/// What has to be so before, at the same path; told by the name for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// It is there: a request to change it must not make it.
    Present(String),
    /// It is not: a request to make it must not change it.
    Absent(String),
}

/// What is sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Body {
    Nothing,
    /// What is known, and members whose value is found when it is needed.
    Members(Map<String, Value>, Vec<(&'static str, Source)>),
    /// A file of JSON.
    File(PathBuf),
}

/// Where a member comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The password that a user shall have.
    NewPassword { user: String, file: Option<PathBuf> },
    /// A token; without a file it is asked for.
    Token(Option<PathBuf>),
    /// It is known; for requests that have no other members.
    Known(String),
    /// The text of a file that is no secret.
    Text(PathBuf),
}

/// What a person sees when it is done.
#[derive(Clone, Debug)]
pub(crate) enum Show {
    /// A table or a text made of the answer.
    Answer(fn(&Value, Paint) -> String),
    /// What is different now.
    Said(String),
}

impl Task {
    fn new(method: Method, path: String, body: Body, show: Show) -> Self {
        Self {
            expected: None,
            method,
            path,
            body,
            show,
        }
    }

    pub(super) fn get(path: String, show: fn(&Value, Paint) -> String) -> Self {
        Self::new(Method::GET, path, Body::Nothing, Show::Answer(show))
    }

    /// `members` is a JSON object.
    pub(super) fn put(path: String, members: Value, said: String) -> Self {
        Self::new(Method::PUT, path, Body::of(members), Show::Said(said))
    }

    /// `members` is a JSON object.
    pub(super) fn post(path: String, members: Value, show: Show) -> Self {
        Self::new(Method::POST, path, Body::of(members), show)
    }

    pub(super) fn post_file(path: String, file: PathBuf, show: Show) -> Self {
        Self::new(Method::POST, path, Body::File(file), show)
    }

    pub(super) fn delete(path: String, said: String) -> Self {
        Self::new(Method::DELETE, path, Body::Nothing, Show::Said(said))
    }

    pub(super) fn expecting(self, expected: Expected) -> Self {
        Self {
            expected: Some(expected),
            ..self
        }
    }

    /// The same, and the body has a member from `source`.
    pub(super) fn with(mut self, member: &'static str, source: Source) -> Self {
        match &mut self.body {
            Body::Members(_, sources) => sources.push((member, source)),
            body => *body = Body::Members(Map::new(), vec![(member, source)]),
        }
        self
    }
}

impl Body {
    fn of(members: Value) -> Self {
        match members {
            Value::Object(members) => Self::Members(members, Vec::new()),
            _ => Self::Nothing,
        }
    }
}
