//! What can be wrong with a question.

use crate::limits;

/// Why criteria, a sort, fields, a collation or a pipeline cannot be used.
///
/// The texts are what clients are shown; some of them match those of MongoDB, because clients
/// compare them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// Criteria that are not an object.
    #[error("$and argument's entries must be objects")]
    NotAnObject,
    /// An operator nobody knows.
    #[error("unknown operator: {0}")]
    UnknownOperator(String),
    /// An operator nobody knows, where one on the whole document may stand.
    #[error("unknown top level operator: {0}")]
    UnknownTopLevel(String),
    /// An operator that runs code or reaches beyond the store, refused by its name.
    #[error("{0} is not allowed here")]
    Refused(String),
    /// An operator with an argument it cannot use; says what is allowed.
    #[error("{operator} {problem}")]
    Argument {
        /// The operator or option, as it was written.
        operator: String,
        /// What is wrong and what is allowed.
        problem: String,
    },
    /// `$regex` with something else than text.
    #[error("$regex parameter value must be an Array or a string")]
    RegexType,
    /// A regular expression that cannot be read.
    #[error("Invalid regular expression: /{pattern}/: {problem}")]
    Regex {
        /// The expression.
        pattern: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Flags that JavaScript does not know, or knows only once.
    #[error("Invalid flags supplied to RegExp constructor '{0}'")]
    RegexFlags(String),
    /// A regular expression that cannot be matched in linear time.
    #[error(
        "the regular expression /{pattern}/ uses {feature}, which this data store does not \
         support: expressions run in linear time"
    )]
    RegexFeature {
        /// The expression.
        pattern: String,
        /// The part of it that is not supported.
        feature: &'static str,
    },
    /// A projection that leaves fields out instead of naming those to show.
    #[error("Cannot do inclusion on field {0} in exclusion projection")]
    Exclusion(&'static str),
    /// A value of `fields` that is neither 1 nor true.
    #[error("fields: the value of {0} must be 1 or true")]
    FieldValue(String),
    /// A sort direction that is none.
    #[error("Invalid sort direction: {0}")]
    SortDirection(String),
    /// A `sort` that is not an object.
    #[error("sort must be an object of field names and directions (1 or -1), not {0}")]
    SortType(String),
    /// A collation that is not an object.
    #[error("Expected field collation to be of type object")]
    CollationType,
    /// A member of a collation that cannot be used; says what is allowed.
    #[error("collation: {0}")]
    Collation(String),
    /// A pipeline that is not a list.
    #[error("aggregate must be a list of stages, each an object with one stage")]
    PipelineType,
    /// A stage nobody knows.
    #[error("Unrecognized pipeline stage name: '{0}'")]
    UnknownStage(String),
    /// Something that this data store cannot do, though another may.
    #[error("{0} is not supported by this data store")]
    Unsupported(String),
    /// More than one question may hold.
    #[error("{what} exceeds the limit of {limit}")]
    TooComplex {
        /// What there is too much of.
        what: &'static str,
        /// How much is allowed.
        limit: usize,
    },
    /// Whoever asked did not want to go on.
    #[error("the evaluation was stopped")]
    Stopped,
    /// An evaluation that failed on an item, such as a division by zero.
    #[error("{0}")]
    Evaluation(String),
}

impl QueryError {
    pub(crate) fn argument(operator: &str, problem: impl Into<String>) -> Self {
        Self::Argument {
            operator: operator.to_owned(),
            problem: problem.into(),
        }
    }

    pub(crate) fn too_deep() -> Self {
        Self::TooComplex {
            what: "nesting",
            limit: limits::DEPTH,
        }
    }

    /// The number and name MongoDB gives this error, where it has one.
    #[must_use]
    pub fn code(&self) -> Option<(i32, &'static str)> {
        match self {
            Self::NotAnObject
            | Self::UnknownOperator(_)
            | Self::UnknownTopLevel(_)
            | Self::Argument { .. } => Some((2, "BadValue")),
            Self::CollationType => Some((14, "TypeMismatch")),
            Self::Exclusion(_) => Some((31253, "Location31253")),
            Self::UnknownStage(_) => Some((40324, "Location40324")),
            _ => None,
        }
    }
}
