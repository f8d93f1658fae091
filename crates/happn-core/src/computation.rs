//! Running a pipeline over documents: what stores without one of their own share.

use happn_protocol::Json;
use happn_query::{Held, Item, QueryError, Run};
use tokio::time::Instant;

use crate::search::deadline_of;
use crate::{Aggregation, Query, SearchBounds, StoreError};

/// Steps between two looks at the clock.
const DEADLINE_EVERY: u32 = 64;

/// An aggregation under way. The store offers documents by path; rows come at the end.
#[derive(Debug)]
pub struct Computation {
    query: Query,
    run: Run,
    guard: Guard,
}

/// Watches what a run holds and how long it takes.
#[derive(Debug)]
struct Guard {
    bounds: SearchBounds,
    deadline: Option<Instant>,
    steps: u32,
    /// Why the run was stopped.
    stopped: Option<StoreError>,
}

impl Computation {
    /// Starts an aggregation; its time runs from here.
    ///
    /// # Errors
    /// [`StoreError::Query`] when it holds what only a database can evaluate.
    pub fn new(aggregation: Aggregation) -> Result<Self, StoreError> {
        aggregation.criteria.check_evaluable()?;
        let run = aggregation.pipeline.run(&aggregation.collation)?;
        Ok(Self {
            run,
            guard: Guard {
                bounds: aggregation.bounds,
                deadline: deadline_of(aggregation.max_time),
                steps: 0,
                stopped: None,
            },
            query: Query {
                criteria: aggregation.criteria,
                collation: aggregation.collation,
                max_time: aggregation.max_time,
                ..Query::all(aggregation.selector)
            },
        })
    }

    /// Which documents are to be offered; a store may leave out those that do not match.
    #[must_use]
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// Whether no further document can change the rows.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.run.is_complete()
    }

    /// Offers the next item whose path is selected.
    ///
    /// # Errors
    /// [`StoreError::TimedOut`], [`StoreError::TooLarge`], or [`StoreError::Query`] for what
    /// cannot be computed. The aggregation is over then.
    pub fn offer(&mut self, item: &Item<'_>) -> Result<(), StoreError> {
        let content = item.document();
        let guard = &mut self.guard;
        if !guard.goes_on(Held::default())
            || !self.query.criteria.matches(&content, &self.query.collation)
        {
            return guard.stopped.take().map_or(Ok(()), Err);
        }
        let pushed = self.run.push(content, &mut |held| guard.goes_on(held));
        pushed.map_err(|error| guard.reason(error))
    }

    /// The rows, when all documents have been offered.
    ///
    /// # Errors
    /// As [`Computation::offer`].
    pub fn finish(mut self) -> Result<Vec<Json>, StoreError> {
        let guard = &mut self.guard;
        let rows = self.run.finish(&mut |held| guard.goes_on(held));
        rows.map_err(|error| guard.reason(error))
    }
}

impl Guard {
    fn goes_on(&mut self, held: Held) -> bool {
        self.steps = self.steps.wrapping_add(1);
        let late = self.steps % DEADLINE_EVERY == 1
            && self
                .deadline
                .is_some_and(|deadline| Instant::now() >= deadline);
        let watched = match late {
            true => Err(StoreError::TimedOut),
            false => self.bounds.check(held.documents, held.bytes),
        };
        self.stopped = watched.err();
        self.stopped.is_none()
    }

    fn reason(&mut self, error: QueryError) -> StoreError {
        self.stopped.take().unwrap_or(StoreError::Query(error))
    }
}
