//! Searching documents one by one: what stores without a query language of their own share.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

use happn_query::{Collation, Criteria, Item, Sort, SortValues};
use tokio::time::Instant;

use crate::{Document, Query, StoreError};

/// Documents between two looks at the clock.
const DEADLINE_EVERY: u32 = 64;

/// A query under way. The store offers documents by path and hands on what comes back.
///
/// Without a sort, or with one by path, matches come back at once. Otherwise they are gathered, no
/// more of them than `skip` and `limit` need, and [`Search::finish`] answers them.
#[derive(Debug)]
pub struct Search {
    query: Query,
    gathered: Option<Gathered>,
    by: Arc<(Sort, Collation)>,
    deadline: Option<Instant>,
    offered: u32,
    reads_data: bool,
    skip: u64,
    left: u64,
    seen: (u64, u64),
}

/// The first matches of a sorted search so far, the last of them on top.
#[derive(Debug, Default)]
struct Gathered {
    documents: BinaryHeap<Ranked>,
    bytes: u64,
}

#[derive(Debug)]
struct Ranked {
    values: SortValues,
    document: Document,
    by: Arc<(Sort, Collation)>,
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        let (sort, collation) = &*self.by;
        sort.compare(&self.values, &other.values, collation)
            .then_with(|| self.document.path.cmp(&other.document.path))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ranked {}

/// What becomes of an item.
enum Judgement {
    /// It is not meant, or no longer.
    Out,
    /// It is the next.
    Next,
    /// It has its place among others.
    Ranked(SortValues),
}

impl Search {
    /// Starts a search; its time runs from here.
    ///
    /// # Errors
    /// [`StoreError::Query`] when the query holds what only a database can evaluate.
    pub fn new(query: Query) -> Result<Self, StoreError> {
        query.criteria.check_evaluable()?;
        query.collation.check_evaluable()?;
        // A language orders paths differently than their bytes do.
        let comes_by_path = query.sort.is_by_path() && query.collation.is_simple();
        let is_sorted = !query.sort.keys().is_empty() && !comes_by_path;
        Ok(Self {
            gathered: is_sorted.then(Gathered::default),
            deadline: deadline_of(query.max_time),
            by: Arc::new((query.sort.clone(), query.collation.clone())),
            offered: 0,
            reads_data: query.criteria.reads_data() || query.sort.reads_data(),
            skip: query.skip,
            left: query.limit.unwrap_or(u64::MAX),
            seen: (0, 0),
            query,
        })
    }

    /// Starts a search that only counts: the order does not matter to it.
    ///
    /// # Errors
    /// As [`Search::new`].
    pub fn counting(mut query: Query) -> Result<Self, StoreError> {
        query.sort = happn_query::Sort::default();
        query.bounds = crate::SearchBounds::UNLIMITED;
        Self::new(query)
    }

    /// The query.
    #[must_use]
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// Whether matches come back in the order in which they are offered.
    #[must_use]
    pub fn comes_by_path(&self) -> bool {
        self.gathered.is_none()
    }

    /// Whether no further document can change the answer.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.left == 0
    }

    /// Offers the next document whose path is selected, and answers it if it is the next of the
    /// answer.
    ///
    /// # Errors
    /// [`StoreError::TimedOut`] and [`StoreError::TooLarge`]; the search is over then.
    pub fn offer(&mut self, document: Document) -> Result<Option<Document>, StoreError> {
        match self.judge(&item(&document))? {
            Judgement::Out => Ok(None),
            Judgement::Next => self.page(document),
            Judgement::Ranked(values) => self.gather(values, document).map(|()| None),
        }
    }

    /// As [`Search::offer`], of an item that becomes a document only when it is wanted.
    ///
    /// # Errors
    /// As [`Search::offer`], and what `document` fails with.
    pub fn offer_item(
        &mut self,
        item: &Item<'_>,
        document: impl FnOnce() -> Result<Document, StoreError>,
    ) -> Result<Option<Document>, StoreError> {
        match self.judge(item)? {
            Judgement::Out => Ok(None),
            Judgement::Next if self.skip > 0 => {
                self.skip -= 1;
                Ok(None)
            }
            Judgement::Next => self.page(document()?),
            Judgement::Ranked(values) if self.is_beyond(&values, item.path) => Ok(None),
            Judgement::Ranked(values) => self.gather(values, document()?).map(|()| None),
        }
    }

    /// Whether what is gathered so far leaves no place for such an item.
    fn is_beyond(&self, values: &SortValues, path: &str) -> bool {
        let needed = self.query.skip.saturating_add(self.left);
        let gathered = self.gathered.as_ref().map(|gathered| &gathered.documents);
        let full = gathered.filter(|documents| documents.len() as u64 >= needed);
        let (sort, collation) = &*self.by;
        full.and_then(BinaryHeap::peek).is_some_and(|last| {
            sort.compare(values, &last.values, collation)
                .then_with(|| path.cmp(&last.document.path))
                .is_gt()
        })
    }

    /// Counts the next item whose path is selected, and tells whether it belongs to the answer of
    /// a search that was started with [`Search::counting`].
    ///
    /// # Errors
    /// [`StoreError::TimedOut`]; the search is over then.
    pub fn count_item(&mut self, item: &Item<'_>) -> Result<bool, StoreError> {
        match self.judge(item)? {
            Judgement::Out => Ok(false),
            _ if self.skip > 0 => {
                self.skip -= 1;
                Ok(false)
            }
            _ => {
                self.left -= 1;
                Ok(true)
            }
        }
    }

    /// Looks at the clock from time to time, for a store that goes over items in vain.
    ///
    /// # Errors
    /// [`StoreError::TimedOut`]; the search is over then.
    pub fn pass_over(&mut self) -> Result<(), StoreError> {
        self.check_deadline()
    }

    /// Tells that only items are offered that meet the criteria.
    pub fn criteria_are_met(&mut self) {
        self.query.criteria = Criteria::default();
    }

    /// Tells that items are offered in the order that the query asks for.
    pub fn order_is_met(&mut self) {
        self.gathered = None;
    }

    /// When its time is over.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    fn judge(&mut self, item: &Item<'_>) -> Result<Judgement, StoreError> {
        self.check_deadline()?;
        if self.left == 0 {
            return Ok(Judgement::Out);
        }
        if self.gathered.is_none() && self.query.criteria.is_all() {
            return Ok(Judgement::Next);
        }
        let content = match self.reads_data {
            true => item.document(),
            false => item.without_data().document(),
        };
        if !self.query.criteria.matches(&content, &self.query.collation) {
            return Ok(Judgement::Out);
        }
        Ok(match self.gathered {
            None => Judgement::Next,
            Some(_) => Judgement::Ranked(self.query.sort.values(&content, &self.query.collation)),
        })
    }

    /// What is left of the answer when all documents have been offered.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`].
    pub fn finish(mut self) -> Result<Vec<Document>, StoreError> {
        let gathered = self.gathered.take().unwrap_or_default();
        let mut answer = Vec::new();
        for ranked in gathered.documents.into_sorted_vec() {
            answer.extend(self.page(ranked.document)?);
        }
        Ok(answer)
    }

    fn page(&mut self, document: Document) -> Result<Option<Document>, StoreError> {
        if self.left == 0 {
            return Ok(None);
        }
        if self.skip > 0 {
            self.skip -= 1;
            return Ok(None);
        }
        self.left -= 1;
        self.seen.0 += 1;
        if self.query.paths_only {
            self.query.bounds.check(self.seen.0, 0)?;
            return Ok(Some(document.path_alone()));
        }
        self.seen.1 += document.data.as_bytes().len() as u64;
        self.query.bounds.check(self.seen.0, self.seen.1)?;
        Ok(Some(document))
    }

    fn gather(&mut self, values: SortValues, document: Document) -> Result<(), StoreError> {
        let Some(gathered) = &mut self.gathered else {
            return Ok(());
        };
        let bytes = |document: &Document| document.data.as_bytes().len() as u64;
        gathered.bytes += bytes(&document);
        gathered.documents.push(Ranked {
            values,
            document,
            by: self.by.clone(),
        });
        let needed = self.query.skip.saturating_add(self.left);
        if gathered.documents.len() as u64 > needed
            && let Some(last) = gathered.documents.pop()
        {
            gathered.bytes -= bytes(&last.document);
        }
        let answer = (gathered.documents.len() as u64).saturating_sub(self.query.skip);
        self.query.bounds.check(answer, gathered.bytes)
    }

    fn check_deadline(&mut self) -> Result<(), StoreError> {
        self.offered = self.offered.wrapping_add(1);
        match self.deadline {
            Some(deadline) if self.offered % DEADLINE_EVERY == 1 && Instant::now() >= deadline => {
                Err(StoreError::TimedOut)
            }
            _ => Ok(()),
        }
    }
}

pub(crate) fn deadline_of(max_time: Option<Duration>) -> Option<Instant> {
    max_time.and_then(|time| Instant::now().checked_add(time))
}

/// A document as criteria and pipelines see it.
#[must_use]
pub fn item(document: &Document) -> Item<'_> {
    Item {
        path: &document.path,
        created: document.created,
        modified: document.modified,
        modified_by: document.modified_by.as_deref(),
        data: document.data.as_str(),
    }
}
