//! Building a node.

use std::sync::Arc;

use crate::layers::{Layer, Layers};
use crate::{
    Authority, Clock, DataService, DataStore, MemoryStore, Node, NodeConfig, OpenAuthority,
    SystemClock,
};

/// What a node is made of. Everything but its name has a default: documents in memory, no
/// security, the machine's clock, no layers.
///
/// ```
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// use std::sync::Arc;
/// use happn_core::{MemoryStore, Node, NodeConfig};
///
/// let config = NodeConfig { default_variable_depth: 8, ..NodeConfig::named("example") };
/// let node = Node::builder(config).store(Arc::new(MemoryStore::new())).build();
/// assert_eq!(node.config().default_variable_depth, 8);
/// # });
/// ```
#[must_use]
pub struct NodeBuilder {
    config: NodeConfig,
    data: Option<DataService>,
    authority: Arc<dyn Authority>,
    clock: Option<Arc<dyn Clock>>,
    layers: Vec<Arc<dyn Layer>>,
}

impl Node {
    /// Starts building a node from its name or its whole configuration.
    pub fn builder(config: impl Into<NodeConfig>) -> NodeBuilder {
        NodeBuilder {
            config: config.into(),
            data: None,
            authority: Arc::new(OpenAuthority),
            clock: None,
            layers: Vec::new(),
        }
    }
}

impl NodeBuilder {
    /// Keeps all documents in `store`. Must be called within a tokio runtime.
    pub fn store(self, store: Arc<dyn DataStore>) -> Self {
        self.data(DataService::new(store))
    }

    /// Keeps documents where `data` routes them.
    pub fn data(self, data: DataService) -> Self {
        Self {
            data: Some(data),
            ..self
        }
    }

    /// Lets `authority` decide who may do what.
    pub fn authority(self, authority: Arc<dyn Authority>) -> Self {
        Self { authority, ..self }
    }

    /// Takes time from `clock`.
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self {
            clock: Some(clock),
            ..self
        }
    }

    /// Lets `layer` see every message: what comes in after the layers installed before it, what
    /// goes out before them.
    pub fn layer(mut self, layer: Arc<dyn Layer>) -> Self {
        self.layers.push(layer);
        self
    }

    /// Makes the node. Must be called within a tokio runtime.
    #[must_use]
    pub fn build(self) -> Arc<Node> {
        let data = self
            .data
            .unwrap_or_else(|| DataService::new(Arc::new(MemoryStore::new())));
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock::new()));
        let layers = Layers::new(self.layers);
        Node::with_layers(self.config, data, self.authority, clock, layers)
    }
}

impl std::fmt::Debug for NodeBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NodeBuilder")
            .field("config", &self.config)
            .field("layers", &self.layers.len())
            .finish_non_exhaustive()
    }
}

impl From<&str> for NodeConfig {
    fn from(name: &str) -> Self {
        Self::named(name)
    }
}
