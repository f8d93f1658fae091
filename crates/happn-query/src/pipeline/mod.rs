//! Aggregation pipelines.

mod group;
mod project;
mod run;
mod stage;
mod unwind;

use std::sync::Arc;

pub use run::{Held, Run};
use stage::Stage;

use happn_protocol::Json;

use crate::criteria::{check_size, text_of};
use crate::{Collation, QueryError, Value, limits};

/// Stages that read other collections, write or run code; no store is asked to.
const REFUSED: [&str; 5] = ["$out", "$merge", "$lookup", "$unionWith", "$graphLookup"];

/// Stages that read what they are given and nothing else.
const KNOWN: [&str; 23] = [
    "$addFields",
    "$bucket",
    "$bucketAuto",
    "$count",
    "$densify",
    "$facet",
    "$fill",
    "$geoNear",
    "$group",
    "$limit",
    "$match",
    "$project",
    "$redact",
    "$replaceRoot",
    "$replaceWith",
    "$sample",
    "$set",
    "$setWindowFields",
    "$skip",
    "$sort",
    "$sortByCount",
    "$unset",
    "$unwind",
];

/// What is to be computed from items. Cheap to clone.
///
/// Names in it are those of the stored document: `data.price`, `path`, `created`.
#[derive(Clone, Debug)]
pub struct Pipeline(Arc<Parsed>);

#[derive(Debug)]
struct Parsed {
    json: Json,
    /// Or why these stages cannot be run here.
    stages: Result<Vec<Stage>, QueryError>,
}

impl Pipeline {
    /// Reads the JSON of an `aggregate` option.
    ///
    /// # Errors
    /// When it is no list of stages, or one is unknown, or reaches beyond the items it is given,
    /// at whatever depth.
    pub fn parse(json: &str) -> Result<Self, QueryError> {
        let value = Value::parse(json);
        let Value::Array(stages) = &value else {
            return Err(QueryError::PipelineType);
        };
        check_size(&value)?;
        if stages.len() > limits::STAGES {
            return Err(QueryError::TooComplex {
                what: "the number of stages",
                limit: limits::STAGES,
            });
        }
        for stage in stages {
            match stage {
                Value::Object(members) if members.len() == 1 => check_stage(&members[0].0)?,
                _ => return Err(QueryError::PipelineType),
            }
        }
        check_inside(&value)?;
        let stages = match stages.iter().map(Stage::parse).collect() {
            // A database may know more; all else is wrong everywhere.
            Err(error @ (QueryError::Unsupported(_) | QueryError::RegexFeature { .. })) => {
                Err(error)
            }
            stages => Ok(stages?),
        };
        let json = text_of(&value);
        Ok(Self(Arc::new(Parsed { json, stages })))
    }

    /// Starts a run over documents, as [`Item::document`](crate::Item::document) makes them.
    ///
    /// # Errors
    /// [`QueryError::Unsupported`] and others that name what only a database can run.
    pub fn run(&self, collation: &Collation) -> Result<Run, QueryError> {
        collation.check_evaluable()?;
        let stages = self.0.stages.clone()?;
        for stage in &stages {
            stage.check_evaluable()?;
        }
        Ok(Run::new(stages, collation))
    }

    /// The stages as they were given, for a database that runs them itself.
    #[must_use]
    pub fn json(&self) -> &Json {
        &self.0.json
    }
}

fn check_stage(name: &str) -> Result<(), QueryError> {
    match name {
        name if REFUSED.contains(&name) => Err(QueryError::Refused(name.to_owned())),
        name if KNOWN.contains(&name) => Ok(()),
        name => Err(QueryError::UnknownStage(name.to_owned())),
    }
}

/// Pipelines may stand inside stages.
fn check_inside(value: &Value<'_>) -> Result<(), QueryError> {
    match value {
        Value::Array(items) => items.iter().try_for_each(check_inside),
        Value::Object(members) => {
            members
                .iter()
                .try_for_each(|(name, value)| match REFUSED.contains(&&**name) {
                    true => Err(QueryError::Refused(name.to_string())),
                    false => check_inside(value),
                })
        }
        _ => Ok(()),
    }
}
