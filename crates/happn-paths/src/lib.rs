//! Paths, masks, matching and the subscription index of happn.
//!
//! An *item path* such as `/orders/7/state` names a stored item. A *mask* such
//! as `/orders/*/state` names many of them. Which items a mask names depends on
//! who asks, because the JavaScript system this crate is compatible with has
//! three rule families, and clients rely on the difference:
//!
//! | family | type | `*` stands for |
//! |---|---|---|
//! | subscriptions and replication | [`Mask`] | exactly one whole segment |
//! | get, remove, count | [`StoreGlob`] | any run of characters, `/` included |
//! | compatibility look-ups | [`loose::LooseGlob`] | as the store, with oddities |
//!
//! Reading order: [`Path`] and [`validate`] (what may be written), [`Channel`]
//! (the text `/SET@/orders/*` a client subscribes with), [`Mask`] and [`Depth`]
//! (what that subscription receives), [`SubscriptionIndex`] (who receives a
//! publication, among millions of masks), [`reduce`] (which masks a cluster
//! peer needs), [`StoreGlob`] and [`Routes`] (which items and which store).
//!
//! ```
//! use happn_paths::{Channel, Depth, EventKind, SubscriptionIndex};
//!
//! let mut index = SubscriptionIndex::new([1, 2]);
//! let channel = Channel::parse("/SET@/orders/*/state");
//! index.insert(7, channel.action(), &channel.to_mask(), Depth::DEFAULT);
//!
//! let mut receivers = Vec::new();
//! index.for_each_match(EventKind::Set, "/orders/12/state", |id| receivers.push(id));
//! assert_eq!(receivers, [7]);
//! ```
//!
//! The crate is pure: it performs no I/O, reads no clock, draws no randomness
//! (the index takes its hash seed from the caller) and knows nothing of
//! sessions, users or JSON. Authorisation masks live elsewhere.

#![forbid(unsafe_code)]

mod channel;
mod deep;
mod depth;
mod glob;
mod index;
pub mod loose;
mod mask;
mod path;
mod reduce;
mod routes;
mod segments;
mod validation;

pub use channel::{ActionFilter, Channel, EventKind};
pub use depth::Depth;
pub use glob::StoreGlob;
pub use index::SubscriptionIndex;
pub use mask::Mask;
pub use path::Path;
pub use reduce::{REPLICATE_MASK, covers, reduce};
pub use routes::{RouteRule, Routes};
pub use validation::{Action, PathError, validate};
