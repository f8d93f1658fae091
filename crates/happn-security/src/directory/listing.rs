//! Lists of users and groups.

use happn_core::{Document, Query};
use happn_paths::StoreGlob;
use happn_query::{Collation, Criteria, Sort};

use super::error::DirectoryError;
use super::records::Records;

/// Which part of a list is wanted, and in which order.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// Which of them.
    pub criteria: Criteria,
    /// In which order; by name without one.
    pub sort: Sort,
    /// How text compares in both.
    pub collation: Collation,
    /// How many to leave out first.
    pub skip: usize,
    /// The most to answer.
    pub limit: Option<usize>,
}

impl Listing {
    /// What `read` makes of the documents at `prefix` and `pattern`, a part of a name that may hold
    /// `*`. Documents of which it makes nothing do not count.
    pub(super) async fn run<T>(
        &self,
        records: &Records,
        (prefix, pattern): (&str, &str),
        read: impl Fn(&Document) -> Option<T>,
    ) -> Result<Vec<T>, DirectoryError> {
        let query = Query {
            criteria: self.criteria.clone(),
            sort: self.sort.clone(),
            collation: self.collation.clone(),
            ..Query::all(StoreGlob::new(&format!("{prefix}{pattern}*")))
        };
        let documents = records.find(query).await?;
        let listed = documents.iter().filter_map(read).skip(self.skip);
        Ok(match self.limit {
            Some(limit) => listed.take(limit).collect(),
            None => listed.collect(),
        })
    }
}
