//! cluster-orchestrator.
