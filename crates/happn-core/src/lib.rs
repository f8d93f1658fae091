//! A happn node without sockets: sessions, subscriptions, publisher, data service.
//!
//! Reading order: the node, its sessions, the data service (where writes
//! and reads go), and the seams: traits at which other crates meet this one.
//!
//! | seam | hides |
//! |---|---|
//! | [`DataStore`] | where documents live |
//! | [`Authority`], [`SessionRights`] | who someone is, and what he may do |
//! | [`SessionControl`] | what the authority may do with sessions |
//! | [`EventSink`] | publishing to local sessions only |
//! | [`SessionEvents`] | who is attached, with their `info` |
//! | [`PeerConnector`], [`PeerLink`] | dialing another node and hearing its events |
//! | [`LocalInterest`] | what this node's clients want to hear of other nodes |
//! | [`PeerEvents`] | what is done with a peer's events |
//! | [`Membership`] | who is in the cluster |
//! | [`Ingress`], [`ByteStream`] | handing an accepted client to the node |
//! | [`Clock`] | time |
//!
//! Programs that embed a node start at [`Node::builder`]; they can also put a [`Layer`] between
//! clients and the node.
//!
//! This crate opens no socket and knows no database. `happn-server` brings the bytes,
//! `happn-store-*` keep the documents, `cluster-*` make several nodes one system.

mod acknowledgements;
mod changes;
mod computation;
mod config;
mod data_service;
mod dispatch;
mod document;
mod documents;
mod gauge;
mod histogram;
mod identity;
mod interest;
mod layers;
mod links;
mod memory_store;
mod node;
mod node_builder;
mod nonce;
mod outbox;
mod payload;
mod publisher;
mod recheck;
mod seams;
mod search;
mod session;
mod session_log;
mod sessions;
#[cfg(any(test, feature = "conformance"))]
pub mod store_conformance;
mod subscriptions;
mod traffic;
mod wakes;

pub use changes::{ChangeHints, Changes};
pub use computation::Computation;
pub use config::{ClusterRules, LinkLimits, NodeConfig, SessionLimits, UnconfiguredCleanup};
pub use data_service::{DataService, RoutingError, StoreReading};
pub use dispatch::Received;
pub use document::{NotAnObject, merge_members, nothing_at, written};
pub use documents::{BATCH, Batches, Documents};
pub use gauge::increment_gauge;
pub use histogram::{Histogram, HistogramReading};
pub use layers::{Layer, Message, MessageKind};
pub use links::{LinkCounts, LinkStatus};
pub use memory_store::MemoryStore;
pub use node::Node;
pub use node_builder::NodeBuilder;
pub use outbox::{Drained, Ending, Outbox, Push};
pub use seams::authority::{
    AccountRequest, Admission, Afterwards, Authorisation, Authority, Cookie, LoginRequest,
    OpenAuthority, Operation, PathFilter, Refusal, SessionControl, SessionRights, Via,
};
pub use seams::clock::{Clock, SystemClock};
pub use seams::event_sink::{Delivery, EventSink, ReplicatedEvent};
pub use seams::ingress::{Arrival, ByteStream, DoorRules, Ingress, UpgradeLimit};
pub use seams::interest::{LocalInterest, LocalMasks};
pub use seams::membership::{Beat, Membership, MembershipError};
pub use seams::peer::{
    ConnectError, Gap, InterestChange, LinkError, LinkLogin, PeerConnector, PeerEvents, PeerLink,
    PeerLogin,
};
pub use seams::security_changes::{
    ChangeReplication, NoDirectory, SecurityChange, SecurityChanges,
};
pub use seams::session_events::{ClusterInfo, PeerSession, SessionEvent, SessionEvents};
pub use seams::store::{
    Aggregation, DataStore, Document, Increment, Incremented, Query, Removal, SearchBounds,
    StoreError, StoreFuture, Write, WriteMode,
};
pub use search::{Search, item};
pub use session::{Connection, Session};
pub use traffic::{ClassTraffic, Load, Traffic};
pub use wakes::in_one_turn;

/// A future behind a trait object.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;
