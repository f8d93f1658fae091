//! What a `get`, `count` or `remove` asks for.

use std::time::Duration;

use happn_paths::StoreGlob;
use happn_protocol::{Json, Members, Options, Raw, WireError, write_string};
use happn_query::{Collation, Criteria, Fields, Pipeline, QueryError, Sort};

use super::{Call, store_failed};
use crate::{Aggregation, Query, StoreError};

/// What is read, and what is made of it.
pub(super) struct Search {
    pub(super) query: Query,
    pub(super) pipeline: Option<Pipeline>,
}

impl Search {
    pub(super) fn aggregation(query: Query, pipeline: Pipeline) -> Aggregation {
        Aggregation {
            selector: query.selector,
            criteria: query.criteria,
            pipeline,
            collation: query.collation,
            max_time: query.max_time,
            bounds: query.bounds,
        }
    }
}

impl Call<'_> {
    /// What is asked for, and on whose behalf.
    pub(super) fn search(&self) -> Result<(Search, Option<Raw<'_>>), WireError> {
        let Some(path) = self.request.path_text() else {
            return Err(WireError::type_error(format!(
                "the path of a {} must be a string, not [{}]",
                self.echo.action,
                self.request.path_printed()
            )));
        };
        let options = self.request.decode_options();
        let search = self.read(&path, &options);
        let search = search.map_err(|error| search_failed(&error.into()))?;
        Ok((search, options.on_behalf_of))
    }

    fn read(&self, path: &str, options: &Options<'_>) -> Result<Search, QueryError> {
        let inner = options
            .options
            .and_then(|raw| Members::parse(raw.get()))
            .unwrap_or_default();
        let inner = |name: &str| given(inner.get(name).map(Raw::from));
        let config = &self.node.config;
        let collation = given(options.collation).or(inner("collation"));
        let sort = given(options.sort).or(inner("sort"));
        let pipeline = given(options.aggregate).or(inner("aggregate"));
        let time = number(inner("maxTimeMS")).filter(|&ms| ms >= 1.0);
        let time = time.map(|ms| Duration::from_millis(ms as u64));
        let query = Query {
            selector: StoreGlob::new(path),
            criteria: criteria_of(options)?,
            sort: read(sort, Sort::parse)?,
            // An empty one asks for nothing.
            collation: read(collation.filter(|raw| raw.get() != "{}"), Collation::parse)?,
            skip: skip(inner("skip"))?,
            // A negative limit counts as its absolute value, as their document store has it.
            limit: number(inner("limit"))
                .map(|limit| limit.abs() as u64)
                .filter(|&limit| limit > 0),
            fields: match inner("projection") {
                Some(raw) => Fields::parse_stored_names(raw.get())?,
                None => read(inner("fields").or(given(options.fields)), Fields::parse)?,
            },
            paths_only: Options::is_set(options.path_only) || Options::is_set(inner("path_only")),
            max_time: Some(time.map_or(config.search_time_max, |time| {
                time.min(config.search_time_max)
            })),
            bounds: config.search_bounds,
        };
        let pipeline = pipeline
            .filter(|raw| Options::is_set(Some(*raw)))
            .map(|raw| Pipeline::parse(raw.get()))
            .transpose()?;
        Ok(Search { query, pipeline })
    }
}

/// The criteria of a request; what JavaScript takes for false is none.
pub(super) fn criteria_of(options: &Options<'_>) -> Result<Criteria, QueryError> {
    let criteria = options.criteria.filter(|raw| Options::is_set(Some(*raw)));
    read(criteria, Criteria::parse)
}

/// How a failing search looks to clients: as from their document store, where it has a number for
/// the error.
pub(super) fn search_failed(error: &StoreError) -> WireError {
    let code = match error {
        StoreError::Query(error) => error.code(),
        StoreError::TimedOut => Some((50, "MaxTimeMSExpired")),
        _ => None,
    };
    let failed = store_failed(error);
    match code {
        None => failed,
        Some((code, name)) => {
            let mut inner = format!("{{\"ok\":0,\"code\":{code},\"codeName\":").into_bytes();
            write_string(&mut inner, name);
            inner.push(b'}');
            failed.with_inner(Json::from_trusted(inner))
        }
    }
}

fn given(raw: Option<Raw<'_>>) -> Option<Raw<'_>> {
    raw.filter(|raw| raw.get() != "null")
}

fn read<T: Default>(
    raw: Option<Raw<'_>>,
    parse: impl Fn(&str) -> Result<T, QueryError>,
) -> Result<T, QueryError> {
    raw.map_or(Ok(T::default()), |raw| parse(raw.get()))
}

/// A number; what is spelled as text counts as absent.
fn number(raw: Option<Raw<'_>>) -> Option<f64> {
    serde_json::from_str(raw?.get()).ok()
}

fn skip(raw: Option<Raw<'_>>) -> Result<u64, QueryError> {
    match number(raw) {
        Some(skip) if skip < 0.0 => Err(QueryError::Argument {
            operator: "BSON field 'skip'".to_owned(),
            problem: format!("value must be >= 0, actual value '{skip}'"),
        }),
        skip => Ok(skip.unwrap_or_default() as u64),
    }
}
