//! Which statement answers a search, and what is left to do with its rows.

use happn_core::Query;
use happn_paths::StoreGlob;
use rusqlite::params_from_iter;
use rusqlite::types::Value as Bound;

use crate::condition::Condition;

/// Behind every path: no text is greater.
const LAST: char = char::MAX;

/// What `*` does not match.
const LINE_ENDS: &str = "*[\n\r\u{2028}\u{2029}]*";

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

    /// How to count what `query` asks for, when it can be counted without looking at rows.
    pub(crate) fn count(query: &Query) -> Option<Self> {
        let condition = Condition::of(query.criteria.expression(), &query.collation);
        let prefix = query.selector.literal_prefix();
        let stars = query.selector.as_str().get(prefix.len()..).unwrap_or("?");
        if !condition.decides || !stars.chars().all(|letter| letter == '*') {
            return None;
        }
        let mut plan = Self::of("count(*)", "", &query.selector, condition, true);
        if !query.selector.is_exact() {
            // The prefix may hold line ends; what the star stands for may not.
            plan.sql += " AND substr(path, ?) NOT GLOB ?";
            let behind = prefix.chars().count() as i64 + 1;
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
