//! cluster-replicator.
