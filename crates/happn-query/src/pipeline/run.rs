//! A pipeline at work.

use std::borrow::Cow;

use happn_protocol::Json;

use super::group::Groups;
use super::stage::Stage;
use crate::criteria::text_of;
use crate::{Collation, QueryError, SortValues, Value};

/// A pipeline at work: documents go in one by one, rows come out at the end.
///
/// Only what stages have to gather is held, and the rows.
#[derive(Debug)]
pub struct Run {
    stages: Vec<(Stage, Gathered)>,
    collation: Collation,
    rows: Vec<Json>,
    row_bytes: u64,
}

/// What a run holds at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Rows and documents.
    pub documents: u64,
    /// About their bytes.
    pub bytes: u64,
}

/// What one stage has seen.
#[derive(Debug)]
enum Gathered {
    Nothing,
    Count(u64),
    Documents(Vec<(SortValues, Value<'static>)>, u64),
    Groups(Groups),
}

/// Asked again and again while a document passes; answers whether to go on.
type Guard<'g> = &'g mut dyn FnMut(Held) -> bool;

impl Run {
    pub(super) fn new(stages: Vec<Stage>, collation: &Collation) -> Self {
        let gathered = |stage: &Stage| match stage {
            Stage::Skip(_) | Stage::Limit(_) | Stage::Count(_) => Gathered::Count(0),
            Stage::Sort(_) => Gathered::Documents(Vec::new(), 0),
            Stage::Group(_) => Gathered::Groups(Groups::default()),
            _ => Gathered::Nothing,
        };
        let stages = stages.into_iter().map(|stage| {
            let gathered = gathered(&stage);
            (stage, gathered)
        });
        Self {
            stages: stages.collect(),
            collation: collation.clone(),
            rows: Vec::new(),
            row_bytes: 0,
        }
    }

    /// Takes the next document. `guard` is asked before each step, with what is held, and stops
    /// the run by answering false.
    ///
    /// # Errors
    /// [`QueryError::Evaluation`] for what cannot be computed, [`QueryError::Stopped`] when the
    /// guard said so. The run is over then.
    pub fn push(
        &mut self,
        document: Value<'_>,
        guard: &mut dyn FnMut(Held) -> bool,
    ) -> Result<(), QueryError> {
        self.push_at(0, document, guard)
    }

    /// Whether no further document can change the rows.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let full = |(stage, gathered): &(Stage, Gathered)| matches!((stage, gathered), (Stage::Limit(limit), Gathered::Count(count)) if count >= limit);
        self.stages.iter().any(full)
    }

    /// The rows, when all documents have been taken.
    ///
    /// # Errors
    /// As [`Run::push`].
    pub fn finish(mut self, guard: &mut dyn FnMut(Held) -> bool) -> Result<Vec<Json>, QueryError> {
        for at in 0..self.stages.len() {
            let gathered = std::mem::replace(&mut self.stages[at].1, Gathered::Nothing);
            let documents = self.released(at, gathered);
            for document in documents {
                self.push_at(at + 1, document, guard)?;
            }
        }
        Ok(self.rows)
    }

    /// What a stage has gathered, as the documents it hands on.
    fn released(&self, at: usize, gathered: Gathered) -> Vec<Value<'static>> {
        match (&self.stages[at].0, gathered) {
            (Stage::Sort(sort), Gathered::Documents(mut documents, _)) => {
                documents
                    .sort_by(|(left, _), (right, _)| sort.compare(left, right, &self.collation));
                documents
                    .into_iter()
                    .map(|(_, document)| document)
                    .collect()
            }
            (Stage::Group(group), Gathered::Groups(groups)) => group.rows(groups),
            (Stage::Count(name), Gathered::Count(count)) if count > 0 => {
                let count = Value::Integer(i64::try_from(count).unwrap_or(i64::MAX));
                vec![Value::Object(vec![(Cow::Owned(name.clone()), count)])]
            }
            _ => Vec::new(),
        }
    }

    fn push_at(
        &mut self,
        at: usize,
        document: Value<'_>,
        guard: Guard<'_>,
    ) -> Result<(), QueryError> {
        if !guard(self.held()) {
            return Err(QueryError::Stopped);
        }
        let collation = self.collation.clone();
        let Some((stage, gathered)) = self.stages.get_mut(at) else {
            let row = text_of(&document);
            self.row_bytes += row.as_bytes().len() as u64;
            self.rows.push(row);
            return Ok(());
        };
        let next = match (&*stage, gathered) {
            (Stage::Match(criteria), _) => {
                criteria.matches(&document, &collation).then_some(document)
            }
            (Stage::Project(projection), _) => Some(projection.apply(document, &collation)?),
            (Stage::Set(assignments), _) => Some(assignments.apply(document, &collation)?),
            (Stage::Skip(skip), Gathered::Count(seen)) => {
                *seen += 1;
                (*seen > *skip).then_some(document)
            }
            (Stage::Limit(limit), Gathered::Count(seen)) => {
                *seen += 1;
                (*seen <= *limit).then_some(document)
            }
            (Stage::Count(_), Gathered::Count(seen)) => {
                *seen += 1;
                None
            }
            (Stage::Sort(sort), Gathered::Documents(documents, bytes)) => {
                let values = sort.values(&document, &collation);
                *bytes += document.size();
                documents.push((values, document.into_owned()));
                None
            }
            (Stage::Group(group), Gathered::Groups(groups)) => {
                group.take(groups, &document, &collation)?;
                None
            }
            (Stage::Unwind(unwind), _) => {
                let unwind = unwind.clone();
                let mut unwound = unwind.start(document);
                while let Some(document) = unwound.next(&collation)? {
                    self.push_at(at + 1, document, guard)?;
                }
                None
            }
            _ => None,
        };
        match next {
            Some(document) => self.push_at(at + 1, document, guard),
            None => Ok(()),
        }
    }

    fn held(&self) -> Held {
        let rows = Held {
            documents: self.rows.len() as u64,
            bytes: self.row_bytes,
        };
        self.stages.iter().fold(rows, |held, (_, gathered)| {
            let (documents, bytes) = match gathered {
                Gathered::Documents(documents, bytes) => (documents.len() as u64, *bytes),
                Gathered::Groups(groups) => (groups.len(), groups.bytes),
                Gathered::Nothing | Gathered::Count(_) => (0, 0),
            };
            Held {
                documents: held.documents + documents,
                bytes: held.bytes + bytes,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pipeline;

    const ORDERS: [&str; 4] = [
        r#"{"path":"/o/1","data":{"sku":"a","qty":5,"price":4,"lines":[{"k":"a","n":9}]}}"#,
        r#"{"path":"/o/2","data":{"sku":"a","qty":1,"price":6,"lines":[]}}"#,
        r#"{"path":"/o/3","data":{"sku":"b","qty":2,"price":10,"lines":[{"k":"a","n":1},{"k":"b","n":5}]}}"#,
        r#"{"path":"/o/4","data":{"sku":"B","qty":7,"price":1}}"#,
    ];

    fn rows(pipeline: &str) -> Result<String, QueryError> {
        rows_with(pipeline, &Collation::default(), &mut |_| true)
    }

    fn rows_with(
        pipeline: &str,
        collation: &Collation,
        guard: &mut dyn FnMut(Held) -> bool,
    ) -> Result<String, QueryError> {
        let mut run = Pipeline::parse(pipeline)?.run(collation)?;
        for order in ORDERS {
            if !run.is_complete() {
                run.push(Value::parse(order), guard)?;
            }
        }
        let rows = run.finish(guard)?;
        let rows: Vec<&str> = rows.iter().map(Json::as_str).collect();
        Ok(rows.join(" "))
    }

    fn check(pipeline: &str, expected: &str) {
        assert_eq!(rows(pipeline).unwrap(), expected, "{pipeline}");
    }

    #[test]
    fn documents_are_grouped_and_accumulated() {
        check(
            r#"[{"$group":{"_id":"$data.sku","total":{"$sum":"$data.qty"}}}]"#,
            r#"{"_id":"a","total":6} {"_id":"b","total":2} {"_id":"B","total":7}"#,
        );
        check(
            r#"[{"$group":{"_id":null,"a":{"$avg":"$data.price"},"i":{"$min":"$data.price"},
                "x":{"$max":"$data.price"},"l":{"$push":"$data.sku"},"s":{"$addToSet":"$data.sku"},
                "f":{"$first":"$data.qty"},"e":{"$last":"$data.qty"},"n":{"$count":{}}}}]"#,
            r#"{"_id":null,"a":5.25,"i":1,"x":10,"l":["a","a","b","B"],"s":["B","a","b"],"f":5,"e":7,"n":4}"#,
        );
        let english = Collation::parse(r#"{"locale":"en","strength":1}"#).unwrap();
        let by_sku = r#"[{"$group":{"_id":"$data.sku","n":{"$sum":1}}},{"$project":{"_id":0}}]"#;
        assert_eq!(
            rows_with(by_sku, &english, &mut |_| true).unwrap(),
            r#"{"n":2} {"n":2}"#
        );
    }

    #[test]
    fn documents_are_filtered_sorted_and_cut() {
        check(
            r#"[{"$match":{"data.sku":"a"}},{"$sort":{"data.qty":1}},{"$project":{"path":1}}]"#,
            r#"{"path":"/o/2"} {"path":"/o/1"}"#,
        );
        check(
            r#"[{"$sort":{"path":-1}},{"$skip":1},{"$limit":2},{"$project":{"_id":0,"path":1}}]"#,
            r#"{"path":"/o/3"} {"path":"/o/2"}"#,
        );
        check(r#"[{"$match":{"sku":"a"}},{"$count":"n"}]"#, "");
        check(r#"[{"$limit":3},{"$count":"n"}]"#, r#"{"n":3}"#);
    }

    #[test]
    fn arrays_are_unwound() {
        check(
            r#"[{"$unwind":"$data.lines"},{"$group":{"_id":"$data.lines.k","n":{"$sum":"$data.lines.n"}}}]"#,
            r#"{"_id":"a","n":10} {"_id":"b","n":5}"#,
        );
        check(
            r#"[{"$unwind":{"path":"$data.lines","includeArrayIndex":"at","preserveNullAndEmptyArrays":true}},
                {"$match":{"at":{"$ne":0}}},{"$project":{"path":1,"at":1}}]"#,
            r#"{"path":"/o/2","at":null} {"path":"/o/3","at":1} {"path":"/o/4","at":null}"#,
        );
    }

    #[test]
    fn documents_get_another_shape() {
        check(
            r#"[{"$limit":1},{"$project":{"q":"$data.qty","data":{"sku":1},"x.y":{"$add":["$data.qty",1]}}}]"#,
            r#"{"data":{"sku":"a"},"q":5,"x":{"y":6}}"#,
        );
        check(
            r#"[{"$limit":1},{"$addFields":{"data.lines.seen":true,"data.gone":"$data.nothing"}},{"$unset":["path","data.qty"]}]"#,
            r#"{"data":{"sku":"a","price":4,"lines":[{"k":"a","n":9,"seen":true}]}}"#,
        );
        check(
            r#"[{"$limit":1},{"$project":{"data.lines":0,"path":0}}]"#,
            r#"{"data":{"sku":"a","qty":5,"price":4}}"#,
        );
    }

    #[test]
    fn what_is_refused_unknown_or_wrong_is_named() {
        let problem = |pipeline| rows(pipeline).unwrap_err().to_string();
        for (pipeline, named) in [
            (r#"{"$count":"n"}"#, "list of stages"),
            (
                r#"[{"$foo":1}]"#,
                "Unrecognized pipeline stage name: '$foo'",
            ),
            (r#"[{"$out":"x"}]"#, "$out is not allowed here"),
            (
                r#"[{"$facet":{"a":[{"$lookup":{}}]}}]"#,
                "$lookup is not allowed here",
            ),
            (
                r#"[{"$addFields":{"a":{"$function":{}}}}]"#,
                "$function is not allowed here",
            ),
            (
                r#"[{"$match":{"$where":"1"}}]"#,
                "$where is not allowed here",
            ),
            (r#"[{"$facet":{}}]"#, "the stage $facet is not supported"),
            (r#"[{"$group":{}}]"#, "must include an _id"),
            (
                r#"[{"$group":{"_id":1,"a":{"$stdDevPop":1}}}]"#,
                "$stdDevPop",
            ),
            (
                r#"[{"$limit":0}]"#,
                "$limit must be a whole number, 1 or more",
            ),
            (r#"[{"$unwind":"lines"}]"#, "starts with $"),
            (
                r#"[{"$project":{"a":1,"b":0}}]"#,
                "cannot exclude b and include others",
            ),
            (
                r#"[{"$project":{"a":{"$divide":[1,0]}}}]"#,
                "can't $divide by zero",
            ),
        ] {
            assert!(problem(pipeline).contains(named), "{}", problem(pipeline));
        }
    }

    #[test]
    fn a_document_cannot_be_multiplied_without_end() {
        let doubled = r#"{"$addFields":{"a":["$$ROOT","$$ROOT"]}}"#;
        let doubled = format!("[{}]", vec![doubled; 60].join(","));
        let wide = vec![r#""$data.lines""#; 30_000].join(",");
        let many = vec![r#""$x""#; 1000].join(",");
        let wide =
            format!(r#"[{{"$addFields":{{"x":[{wide}]}}}},{{"$addFields":{{"y":[{many}]}}}}]"#);
        for pipeline in [doubled, wide] {
            let error = rows(&pipeline).err().map(|error| error.to_string());
            let error = error.unwrap_or_default();
            assert!(error.contains("exceeds the limit"), "{error}");
        }
    }

    #[test]
    fn what_a_run_holds_is_watched() {
        let mut most = Held::default();
        let mut watch = |held: Held| {
            most = held;
            held.documents < 2
        };
        let all = r#"[{"$sort":{"path":1}}]"#;
        let stopped = rows_with(all, &Collation::default(), &mut watch);
        assert_eq!(stopped, Err(QueryError::Stopped));
        assert!(most.bytes > 100, "{most:?}");
    }
}
