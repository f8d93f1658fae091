//! What a search asks, parsed once and evaluated on items.
//!
//! | type | answers |
//! |---|---|
//! | [`Criteria`] | which items are meant |
//! | [`Sort`] | in which order they come |
//! | [`Fields`] | which parts of them are shown |
//! | [`Collation`] | how text compares |
//! | [`Pipeline`] | what is computed from them |
//!
//! The rules are MongoDB's. Each type can be evaluated here, on an [`Item`]'s document, and keeps
//! what a database needs to evaluate it itself: JSON with the names of the stored document, and
//! for criteria a tree.
//!
//! ```
//! use happn_query::{Collation, Criteria, Item};
//!
//! let criteria = Criteria::parse(r#"{"age": {"$gte": 18}, "tags": "x"}"#)?;
//! let item = Item {
//!     path: "/people/1",
//!     created: Some(1),
//!     modified: Some(1),
//!     modified_by: None,
//!     data: r#"{"age": 30, "tags": ["x", "y"]}"#,
//! };
//! assert!(criteria.matches(&item.document(), &Collation::default()));
//! # Ok::<(), happn_query::QueryError>(())
//! ```
//!
//! Everything that comes from outside is bounded: nesting, operators, values, the size of regular
//! expressions. This crate does no I/O and knows no clock.

mod collation;
mod compare;
mod criteria;
mod error;
mod field;
mod fields;
mod item;
mod limits;
mod operand;
mod pattern;
mod pipeline;
mod rewrite;
mod sort;
mod value;

pub use collation::Collation;
pub use criteria::{
    Comparison, Computation, Criteria, ElementTest, Expression, Kind, Test, Values,
};
pub use error::QueryError;
pub use field::Field;
pub use fields::Fields;
pub use item::Item;
pub use pattern::Pattern;
pub use pipeline::{Held, Pipeline, Run};
pub use sort::{Sort, SortKey, SortValues};
pub use value::Value;
