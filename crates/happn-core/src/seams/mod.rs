//! The traits at which other crates meet this one.

pub(crate) mod authority;
pub(crate) mod clock;
pub(crate) mod event_sink;
pub(crate) mod ingress;
pub(crate) mod interest;
pub(crate) mod membership;
pub(crate) mod peer;
pub(crate) mod security_changes;
pub(crate) mod session_events;
pub(crate) mod store;
