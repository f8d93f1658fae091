//! The stages that can be run here.

use super::group::Group;
use super::project::{Assignments, Projection};
use super::unwind::Unwind;
use crate::{Criteria, QueryError, Sort, Value};

/// One stage.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    Match(Criteria),
    Project(Projection),
    Set(Assignments),
    Group(Group),
    Sort(Sort),
    Skip(u64),
    Limit(u64),
    /// How many documents there are, under a name; no row when there are none.
    Count(String),
    Unwind(Unwind),
}

impl Stage {
    /// Reads an object with one known stage.
    pub(super) fn parse(stage: &Value<'_>) -> Result<Self, QueryError> {
        let Value::Object(members) = stage else {
            return Err(QueryError::PipelineType);
        };
        let Some((name, argument)) = members.first() else {
            return Err(QueryError::PipelineType);
        };
        Ok(match &**name {
            "$match" => Self::Match(Criteria::of(argument)?),
            "$project" => Self::Project(Projection::parse(argument)?),
            "$unset" => Self::Project(Projection::without(argument)?),
            "$addFields" | "$set" => Self::Set(Assignments::parse(name, argument)?),
            "$group" => Self::Group(Group::parse(argument)?),
            "$sort" => Self::Sort(sort(argument)?),
            "$skip" => Self::Skip(count(name, argument, 0)?),
            "$limit" => Self::Limit(count(name, argument, 1)?),
            "$count" => Self::Count(field_name(name, argument)?),
            "$unwind" => Self::Unwind(Unwind::parse(argument)?),
            other => return Err(QueryError::Unsupported(format!("the stage {other}"))),
        })
    }

    pub(super) fn check_evaluable(&self) -> Result<(), QueryError> {
        match self {
            Self::Match(criteria) => criteria.check_evaluable(),
            _ => Ok(()),
        }
    }
}

fn sort(argument: &Value<'_>) -> Result<Sort, QueryError> {
    match argument {
        Value::Object(members) if !members.is_empty() => Sort::by_stored_names(members),
        _ => Err(QueryError::argument(
            "$sort",
            "must be an object of field names and directions",
        )),
    }
}

fn count(name: &str, argument: &Value<'_>, least: u64) -> Result<u64, QueryError> {
    let count = argument
        .as_integer()
        .and_then(|count| u64::try_from(count).ok());
    count.filter(|&count| count >= least).ok_or_else(|| {
        QueryError::argument(name, format!("must be a whole number, {least} or more"))
    })
}

fn field_name(name: &str, argument: &Value<'_>) -> Result<String, QueryError> {
    match argument.as_text() {
        Some(text) if !text.is_empty() && !text.starts_with('$') && !text.contains('.') => {
            Ok(text.to_owned())
        }
        _ => Err(QueryError::argument(
            name,
            "must be the name of a field, without $ and dots",
        )),
    }
}
