//! Which statement answers a search, and what is left to do with its rows.

use happn_core::Query;
use happn_paths::StoreGlob;
use happn_query::SortKey;
use rusqlite::params_from_iter;
use rusqlite::types::Value as Bound;

use crate::condition::{Column, Condition};

/// Behind every path: no text is greater.
const LAST: char = char::MAX;

/// What `*` does not match.
const LINE_ENDS: &str = "*[\n\r\u{2028}\u{2029}]*";

/// Rows that SQLite may keep in memory to find out which come first.
const FIRST_MAX: u64 = 1000;

/// A statement and how its rows are to be read.
pub(crate) struct Plan {
    /// The statement.
    pub(crate) sql: String,
    bound: Vec<Bound>,
    /// Whether the statement has decided the criteria.
    pub(crate) decides: bool,
    /// Whether the rows come in the order of the sort, though that is not the path's.
    pub(crate) reversed: bool,
    /// Whether the rows hold paths only.
    pub(crate) paths_only: bool,
}

impl Plan {
    /// How to find what `query` asks for.
    pub(crate) fn find(query: &Query) -> Self {
        let condition = Condition::of(query.criteria.expression(), &query.collation);
        let reversed = is_path_descending(query);
        let by_path = query.sort.is_by_path() || reversed;
        let paths_only = query.paths_only && condition.decides && by_path;
        let columns = match paths_only {
            true => "path",
            false => "path, data, created, modified, modified_by",
        };
        let order = match reversed {
            true => "ORDER BY path DESC",
            false => "ORDER BY path",
        };
        Self::of(columns, order, &query.selector, condition, paths_only).reversed(reversed)
    }

    /// How to find the first of what `query` asks for, when SQLite can tell which these are: by
    /// times, authors and paths. Only paths that are not selected may be among them, too: what the
    /// star of a mask stands for holds no line ends, and to look for these everywhere would cost
    /// more than the whole sort.
    pub(crate) fn first(query: &Query) -> Option<Self> {
        let rows = query.skip.checked_add(query.limit?)?;
        let by_bytes = query.collation.is_simple();
        let is_sorted = !query.sort.is_by_path() && !is_path_descending(query);
        if rows > FIRST_MAX || !is_sorted || !by_bytes || !is_prefix(&query.selector) {
            return None;
        }
        let terms = query.sort.keys().iter().map(term);
        let terms = terms.collect::<Option<Vec<_>>>()?.join(", ");
        let condition = Condition::of(query.criteria.expression(), &query.collation);
        if !condition.decides {
            return None;
        }
        let columns = "path, data, created, modified, modified_by";
        let order = format!("ORDER BY {terms}, path LIMIT ?");
        let mut plan = Self::of(columns, &order, &query.selector, condition, false);
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        plan.bound.push(Bound::Integer(rows));
        Some(plan)
    }

    /// How to count what `query` asks for, when it can be counted without looking at rows.
    pub(crate) fn count(query: &Query) -> Option<Self> {
        let condition = Condition::of(query.criteria.expression(), &query.collation);
        if !condition.decides || !is_prefix(&query.selector) {
            return None;
        }
        let mut plan = Self::of("count(*)", "", &query.selector, condition, true);
        if !query.selector.is_exact() {
            // The prefix may hold line ends; what the star stands for may not.
            plan.sql += " AND substr(path, ?) NOT GLOB ?";
            let behind = query.selector.literal_prefix().chars().count() as i64 + 1;
            plan.bound.push(Bound::Integer(behind));
            plan.bound.push(Bound::Text(LINE_ENDS.to_owned()));
        }
        Some(plan)
    }

    /// The values of the statement's parameters.
    pub(crate) fn parameters(&self) -> impl rusqlite::Params + '_ {
        params_from_iter(self.bound.iter())
    }

    fn of(
        columns: &str,
        order: &str,
        selector: &StoreGlob,
        condition: Condition,
        paths_only: bool,
    ) -> Self {
        let prefix = selector.literal_prefix();
        let mut sql = format!("SELECT {columns} FROM documents WHERE ");
        let mut bound = vec![Bound::Text(prefix.to_owned())];
        if selector.is_exact() {
            sql += "path = ?";
        } else {
            sql += "path >= ? AND path < ?";
            bound.push(Bound::Text(format!("{prefix}{LAST}")));
        }
        if !condition.sql.is_empty() {
            sql = sql + " AND " + &condition.sql;
        }
        if !order.is_empty() {
            sql = sql + " " + order;
        }
        bound.extend(condition.bound);
        Self {
            sql,
            bound,
            decides: condition.decides,
            reversed: false,
            paths_only,
        }
    }

    fn reversed(self, reversed: bool) -> Self {
        Self { reversed, ..self }
    }
}

/// Whether items come by path, the last one first. Paths are unique, so further keys are idle.
fn is_path_descending(query: &Query) -> bool {
    let first = query.sort.keys().first();
    query.collation.is_simple()
        && first.is_some_and(|key| key.descending && key.field.name() == "path")
}

/// Whether a selector means all paths that start alike.
fn is_prefix(selector: &StoreGlob) -> bool {
    let prefix = selector.literal_prefix();
    let stars = selector.as_str().get(prefix.len()..).unwrap_or("?");
    stars.chars().all(|letter| letter == '*')
}

/// What is missing is less than everything, with SQLite as with MongoDB.
fn term(key: &SortKey) -> Option<String> {
    let column = Column::named(key.field.name())?.name();
    Some(match key.descending {
        true => format!("{column} DESC"),
        false => column.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use happn_query::{Criteria, Sort};

    use super::*;

    fn order(mask: &str, criteria: &str, sort: &str, limit: Option<u64>) -> Option<String> {
        let query = Query {
            criteria: Criteria::parse(criteria).unwrap(),
            sort: Sort::parse(sort).unwrap(),
            skip: 2,
            limit,
            ..Query::all(StoreGlob::new(mask))
        };
        let plan = Plan::first(&query)?;
        assert_eq!(plan.sql.matches('?').count(), plan.bound.len());
        let (_, order) = plan.sql.split_once(" ORDER BY ")?;
        Some(order.to_owned())
    }

    #[test]
    fn the_first_by_time_or_author_are_found_by_sqlite() {
        let sort = r#"{"_meta.created":-1,"modifiedBy":1}"#;
        let expected = Some("created DESC, modified_by, path LIMIT ?".to_owned());
        assert_eq!(order("/a/*", "{}", sort, Some(5)), expected);
        let criteria = r#"{"_meta.modified":{"$gt":5}}"#;
        assert_eq!(order("/a/*", criteria, sort, Some(5)), expected);
    }

    #[test]
    fn what_comes_by_path_or_cannot_be_decided_is_left_alone() {
        let by_time = r#"{"created":1}"#;
        for (mask, criteria, sort, limit) in [
            ("/a/*", "{}", by_time, None),
            ("/a/*", "{}", by_time, Some(FIRST_MAX)),
            ("/a/*/b", "{}", by_time, Some(5)),
            ("/a/*", r#"{"x":1}"#, by_time, Some(5)),
            ("/a/*", "{}", r#"{"x":1}"#, Some(5)),
            ("/a/*", "{}", r#"{"created":1,"x":1}"#, Some(5)),
            ("/a/*", "{}", "{}", Some(5)),
            ("/a/*", "{}", r#"{"path":-1}"#, Some(5)),
        ] {
            let order = order(mask, criteria, sort, limit);
            assert_eq!(order, None, "{mask} {criteria} {sort}");
        }
    }
}
