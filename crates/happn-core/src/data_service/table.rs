//! The stores of a node, and which paths go to which.

use std::sync::Arc;

use happn_paths::{RouteRule, Routes};

use crate::data_service::lane::Lane;

/// One state of the routing. Never changed once readers can see it; a change makes a new one.
#[derive(Clone)]
pub(crate) struct Table {
    routes: Routes<Arc<Lane>>,
    /// In the order in which they were added.
    pub(crate) lanes: Vec<Arc<Lane>>,
    pub(crate) default: Arc<Lane>,
}

/// Why stores or routes were not changed.
///
/// Where the JavaScript server has such an error, the text is the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoutingError {
    /// No store was named.
    #[error("missing datastoreKey parameter")]
    NoName,
    /// There is no store of that name.
    #[error("missing datastore with the key [{0}]")]
    NoSuchStore(String),
    /// There is already a store of that name.
    #[error("there is already a datastore with the key [{0}]")]
    NameTaken(String),
    /// The default store takes all paths that no pattern names, so it must stay.
    #[error("the datastore with the key [{0}] is the default and cannot be removed")]
    IsDefault(String),
    /// A pattern is not empty.
    #[error("a pattern must not be empty")]
    EmptyPattern,
}

impl Table {
    pub(crate) fn new(default: Arc<Lane>, rule: RouteRule) -> Self {
        Self {
            routes: Routes::new(rule),
            lanes: vec![default.clone()],
            default,
        }
    }

    /// The lane of a request's path, wildcards and all.
    pub(crate) fn lane(&self, path: &str) -> &Arc<Lane> {
        self.routes.find(path).unwrap_or(&self.default)
    }

    pub(crate) fn named(&self, name: &str) -> Result<&Arc<Lane>, RoutingError> {
        if name.is_empty() {
            return Err(RoutingError::NoName);
        }
        let mut lanes = self.lanes.iter();
        lanes
            .find(|lane| &*lane.name == name)
            .ok_or_else(|| RoutingError::NoSuchStore(name.to_owned()))
    }

    pub(crate) fn add_lane(&mut self, lane: Arc<Lane>) -> Result<(), RoutingError> {
        match self.named(&lane.name) {
            Ok(_) => Err(RoutingError::NameTaken(lane.name.to_string())),
            Err(RoutingError::NoSuchStore(_)) => {
                self.lanes.push(lane);
                Ok(())
            }
            Err(other) => Err(other),
        }
    }

    /// Takes a store out, with the patterns that point at it.
    pub(crate) fn remove_lane(&mut self, name: &str) -> Result<(), RoutingError> {
        let lane = self.named(name)?.clone();
        if Arc::ptr_eq(&lane, &self.default) {
            return Err(RoutingError::IsDefault(name.to_owned()));
        }
        self.lanes.retain(|other| !Arc::ptr_eq(other, &lane));
        self.routes.retain(|to| !Arc::ptr_eq(to, &lane));
        Ok(())
    }

    pub(crate) fn add_route(&mut self, pattern: &str, name: &str) -> Result<(), RoutingError> {
        let lane = self.named(name)?.clone();
        if pattern.is_empty() {
            return Err(RoutingError::EmptyPattern);
        }
        self.routes.insert(pattern, lane);
        Ok(())
    }

    pub(crate) fn remove_route(&mut self, pattern: &str) {
        self.routes.remove(pattern);
    }
}
