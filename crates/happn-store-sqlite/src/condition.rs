//! What of a question SQLite can decide by itself: times, paths and authors.
//!
//! A condition holds for every document that is meant, and *decides* when it holds for no other.
//! Data is not looked into here: SQLite's functions on JSON stop at a nesting of 1000, take the
//! first of two members with one name, and do not go into arrays as the questions do. Nor would it
//! pay: measured on items of 150 bytes, a guarded `json_extract` costs as much as the evaluator
//! (0.4 against 0.5 µs of CPU per item), which would still have to look at what is found.
//!
//! Times have no index. Beside a range of paths SQLite does not use one, and a comparison costs
//! some 0.1 µs per item of the range. Only a question about all paths would be answered at once
//! (8 µs instead of 15 ms for 100 000 items), while an index on `created` makes every new item 7 %
//! and one on `modified` every write 7 to 15 % dearer, or more where writes are scattered.

use happn_query::{Collation, Comparison, Expression, Test, Value};
use rusqlite::types::Value as Bound;

/// Comparisons in one statement; a question with more is left to the evaluator as a whole.
const BOUND_MAX: usize = 64;

/// SQL for `WHERE`, with the values of its parameters.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition {
    /// Empty when SQL can decide nothing.
    pub(crate) sql: String,
    /// For each `?` of the SQL.
    pub(crate) bound: Vec<Bound>,
    /// Whether nothing is left to be evaluated.
    pub(crate) decides: bool,
}

impl Condition {
    /// The condition of criteria; those without an expression mean everything.
    pub(crate) fn of(expression: Option<&Expression>, collation: &Collation) -> Self {
        let Some(expression) = expression else {
            return Self::everything();
        };
        // Other than bytewise, SQLite does not compare text as the question asks.
        if !collation.is_simple() {
            return Self::undecided();
        }
        let condition = of_expression(expression);
        match condition.bound.len() > BOUND_MAX {
            true => Self::undecided(),
            false => condition,
        }
    }

    fn everything() -> Self {
        Self {
            sql: String::new(),
            bound: Vec::new(),
            decides: true,
        }
    }

    fn undecided() -> Self {
        Self {
            decides: false,
            ..Self::everything()
        }
    }

    fn decided(sql: String, bound: Vec<Bound>) -> Self {
        Self {
            sql,
            bound,
            decides: true,
        }
    }

    /// All of `parts`: those that SQL cannot decide are left out.
    fn all(parts: impl Iterator<Item = Self>) -> Self {
        parts.fold(Self::everything(), |all, part| Self {
            sql: match (all.sql.is_empty(), part.sql.is_empty()) {
                (_, true) => all.sql,
                (true, false) => part.sql,
                (false, false) => format!("{} AND {}", all.sql, part.sql),
            },
            bound: [all.bound, part.bound].concat(),
            decides: all.decides && part.decides,
        })
    }

    /// Any of `parts`: one that may hold anywhere makes the whole undecided.
    fn any(parts: Vec<Self>) -> Self {
        if parts.is_empty() {
            return Self::decided("0".to_owned(), Vec::new());
        }
        if parts.iter().any(|part| part.sql.is_empty()) {
            let decides = parts.iter().any(|part| part.sql.is_empty() && part.decides);
            return Self {
                decides,
                ..Self::everything()
            };
        }
        let sql: Vec<_> = parts.iter().map(|part| format!("({})", part.sql)).collect();
        Self {
            sql: format!("({})", sql.join(" OR ")),
            decides: parts.iter().all(|part| part.decides),
            bound: parts.into_iter().flat_map(|part| part.bound).collect(),
        }
    }

    fn negated(self) -> Self {
        match (self.decides, self.sql.is_empty()) {
            (false, _) => Self::undecided(),
            (true, true) => Self::decided("0".to_owned(), Vec::new()),
            // What is compared with a missing value is neither true nor false.
            (true, false) => Self::decided(format!("({}) IS NOT TRUE", self.sql), self.bound),
        }
    }
}

fn of_expression(expression: &Expression) -> Condition {
    match expression {
        Expression::All(parts) => Condition::all(parts.iter().map(of_expression)),
        Expression::Any(parts) => Condition::any(parts.iter().map(of_expression).collect()),
        Expression::Nor(parts) => {
            Condition::any(parts.iter().map(of_expression).collect()).negated()
        }
        Expression::Field(field, test) => match Column::named(field.name()) {
            Some(column) => of_test(column, test),
            None => Condition::undecided(),
        },
        Expression::Computed(_) | Expression::Foreign(_) => Condition::undecided(),
    }
}

fn of_test(column: Column, test: &Test) -> Condition {
    let name = column.name();
    match test {
        Test::All(tests) => Condition::all(tests.iter().map(|test| of_test(column, test))),
        Test::Not(test) => of_test(column, test).negated(),
        Test::Equals(Value::Null) => Condition::decided(format!("{name} IS NULL"), Vec::new()),
        Test::Exists => Condition::decided(format!("{name} IS NOT NULL"), Vec::new()),
        Test::Equals(value) => compared(column, "=", value),
        Test::Compare(comparison, value) => compared(column, operator(*comparison), value),
        _ => Condition::undecided(),
    }
}

fn compared(column: Column, operator: &str, value: &Value<'_>) -> Condition {
    match column.bound(value) {
        Some(bound) => Condition::decided(format!("{} {operator} ?", column.name()), vec![bound]),
        None => Condition::undecided(),
    }
}

fn operator(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}

/// A column that holds what a field of the document means.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Column {
    Path,
    Created,
    Modified,
    Author,
}

impl Column {
    pub(crate) fn named(field: &str) -> Option<Self> {
        Some(match field {
            "path" => Self::Path,
            "created" => Self::Created,
            "modified" => Self::Modified,
            "modifiedBy" => Self::Author,
            _ => return None,
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Created => "created",
            Self::Modified => "modified",
            Self::Author => "modified_by",
        }
    }

    /// A value of the column's own type. With another one SQLite would convert, and questions
    /// tell types apart.
    fn bound(self, value: &Value<'_>) -> Option<Bound> {
        match (self, value) {
            (Self::Created | Self::Modified, Value::Integer(number)) => {
                Some(Bound::Integer(*number))
            }
            (Self::Created | Self::Modified, Value::Float(number)) if number.is_finite() => {
                Some(Bound::Real(*number))
            }
            (Self::Path | Self::Author, Value::Text(text)) => {
                Some(Bound::Text(text.clone().into_owned()))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use happn_query::Criteria;

    use super::*;

    fn check(criteria: &str, sql: &str, decides: bool) {
        let criteria = Criteria::parse(criteria).unwrap();
        let condition = Condition::of(criteria.expression(), &Collation::default());
        assert_eq!((condition.sql.as_str(), condition.decides), (sql, decides));
        let parameters = condition.sql.matches('?').count();
        assert_eq!(condition.bound.len(), parameters);
    }

    #[test]
    fn times_paths_and_authors_are_decided() {
        check("{}", "", true);
        check(r#"{"_meta.created":{"$gte":5}}"#, "created >= ?", true);
        check(
            r#"{"_meta.modified":{"$gt":5,"$lt":7.5}}"#,
            "modified > ? AND modified < ?",
            true,
        );
        check(
            r#"{"path":"/a","modifiedBy":null}"#,
            "path = ? AND modified_by IS NULL",
            true,
        );
        check(
            r#"{"created":{"$exists":true}}"#,
            "created IS NOT NULL",
            true,
        );
    }

    #[test]
    fn what_is_missing_passes_a_negation() {
        check(
            r#"{"created":{"$not":{"$gt":5}}}"#,
            "(created > ?) IS NOT TRUE",
            true,
        );
        check(
            r#"{"$nor":[{"created":5}]}"#,
            "(((created = ?))) IS NOT TRUE",
            true,
        );
    }

    #[test]
    fn data_and_other_types_are_left_to_the_evaluator() {
        check(r#"{"age":5}"#, "", false);
        check(r#"{"age":5,"created":{"$gt":1}}"#, "created > ?", false);
        check(r#"{"$or":[{"age":5},{"created":1}]}"#, "", false);
        check(
            r#"{"$or":[{"path":"/a"},{"created":1}]}"#,
            "((path = ?) OR (created = ?))",
            true,
        );
        check(r#"{"created":"5"}"#, "", false);
        check(r#"{"path":{"$gt":5}}"#, "", false);
        check(r#"{"path":{"$regex":"a"}}"#, "", false);
        check(r#"{"$nor":[{"age":5},{"created":1}]}"#, "", false);
    }

    #[test]
    fn a_question_with_too_many_comparisons_is_left_alone() {
        let many = vec![r#"{"created":1}"#; BOUND_MAX + 1].join(",");
        check(&format!(r#"{{"$or":[{many}]}}"#), "", false);
    }
}
