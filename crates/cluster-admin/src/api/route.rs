//! Routes: what may be asked where, who may ask it, and how that looks.

use std::pin::Pin;

use http::StatusCode;
use serde_json::{Value, json};

use super::call::Call;
use super::problem::Problem;
use super::request::decoded;
use super::shape::Shape;

/// What a request came to.
pub(super) type Outcome = Result<Reply, Problem>;

/// A request being done.
pub(super) type Doing = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// A path and what may be asked there.
#[derive(Debug)]
pub(super) struct Route {
    /// Parts in braces stand for any text.
    pub(super) path: &'static str,
    pub(super) operations: &'static [Operation],
}

/// One thing that may be asked.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) verb: Verb,
    /// A name of its own, for programs made from the document.
    pub(super) id: &'static str,
    pub(super) about: &'static str,
    pub(super) work: Work,
    pub(super) parameters: &'static [Parameter],
    pub(super) body: Option<&'static Shape>,
    pub(super) statuses: &'static [u16],
    pub(super) answer: Option<&'static Shape>,
}

/// How it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Put,
    Post,
    Delete,
}

impl Verb {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// Who may ask, and who does it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work {
    /// The document itself, for everybody.
    Document,
    /// Who is about to log in.
    Login(fn(Call) -> Doing),
    /// Administrators only.
    Admin(fn(Call) -> Doing),
}

/// A part of the query.
#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) is_required: bool,
    pub(super) is_number: bool,
    pub(super) may_repeat: bool,
}

impl Parameter {
    /// Text that may be left out.
    pub(super) const fn text(name: &'static str, about: &'static str) -> Self {
        Self {
            name,
            about,
            is_required: false,
            is_number: false,
            may_repeat: false,
        }
    }

    pub(super) const fn number(name: &'static str, about: &'static str) -> Self {
        Self {
            is_number: true,
            ..Self::text(name, about)
        }
    }

    pub(super) const fn needed(self) -> Self {
        Self {
            is_required: true,
            ..self
        }
    }

    pub(super) const fn repeated(self) -> Self {
        Self {
            may_repeat: true,
            ..self
        }
    }
}

/// An operation for administrators, without parameters or body, that answers nothing.
pub(super) const fn admin(
    verb: Verb,
    id: &'static str,
    about: &'static str,
    work: fn(Call) -> Doing,
) -> Operation {
    operation(verb, id, about, Work::Admin(work))
}

/// The same, for others.
pub(super) const fn operation(
    verb: Verb,
    id: &'static str,
    about: &'static str,
    work: Work,
) -> Operation {
    Operation {
        verb,
        id,
        about,
        work,
        parameters: &[],
        body: None,
        statuses: &[204],
        answer: None,
    }
}

impl Operation {
    pub(super) const fn with(mut self, parameters: &'static [Parameter]) -> Self {
        self.parameters = parameters;
        self
    }

    pub(super) const fn takes(mut self, body: &'static Shape) -> Self {
        self.body = Some(body);
        self
    }

    /// Says nothing about what the answer looks like.
    pub(super) const fn answering(mut self, statuses: &'static [u16]) -> Self {
        self.statuses = statuses;
        self
    }

    pub(super) const fn answers(
        mut self,
        statuses: &'static [u16],
        answer: &'static Shape,
    ) -> Self {
        self.statuses = statuses;
        self.answer = Some(answer);
        self
    }

    pub(super) fn known_parameters(&self) -> Vec<(&'static str, bool)> {
        let parameters = self.parameters.iter();
        parameters.map(|it| (it.name, it.may_repeat)).collect()
    }
}

/// A route that was asked for, with the texts that its braces stand for.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) route: &'static Route,
    pub(super) names: Vec<String>,
}

/// The route of `path`, which is still encoded: an encoded slash separates nothing.
pub(super) fn find(routes: &'static [Route], path: &str) -> Result<Found, Problem> {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let fits = |route: &&Route| {
        let wanted: Vec<&str> = route.path.split('/').skip(1).collect();
        wanted.len() == parts.len()
            && wanted
                .iter()
                .zip(&parts)
                .all(|(wanted, part)| match is_name(wanted) {
                    true => !part.is_empty(),
                    false => wanted == part,
                })
    };
    let route = routes.iter().find(fits);
    let route = route.ok_or_else(|| Problem::not_found("there is nothing at this address"))?;
    let wanted = route.path.split('/').skip(1);
    let names = wanted.zip(parts).filter(|(wanted, _)| is_name(wanted));
    let names = names.map(|(_, part)| decoded(part));
    Ok(Found {
        route,
        names: names.collect::<Result<_, _>>()?,
    })
}

pub(super) fn is_name(part: &str) -> bool {
    part.starts_with('{')
}

impl Route {
    /// What `method` asks for here.
    pub(super) fn operation(&'static self, method: &str) -> Result<&'static Operation, Problem> {
        let mut operations = self.operations.iter();
        let known = operations.find(|operation| operation.verb.as_str() == method);
        known.ok_or_else(|| Problem::verb(&self.verbs()))
    }

    fn verbs(&self) -> String {
        let verbs = self.operations.iter();
        let verbs: Vec<&str> = verbs.map(|operation| operation.verb.as_str()).collect();
        verbs.join(", ")
    }
}

/// An answer that says yes.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Option<Value>,
}

impl Reply {
    pub(super) fn ok(body: Value) -> Self {
        Self {
            status: StatusCode::OK,
            body: Some(body),
        }
    }

    /// Something was made, or only changed if it `existed`.
    pub(super) fn stored(existed: bool, body: Value) -> Self {
        let status = match existed {
            true => StatusCode::OK,
            false => StatusCode::CREATED,
        };
        Self {
            status,
            body: Some(body),
        }
    }

    pub(super) fn done() -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            body: None,
        }
    }

    /// A part of a list, and how long the whole is.
    pub(super) fn list(items: Vec<Value>, total: usize) -> Self {
        let mut body = json!({ "items": [], "total": total });
        body["items"] = Value::Array(items);
        Self::ok(body)
    }
}
