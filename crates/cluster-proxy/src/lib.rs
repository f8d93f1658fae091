//! cluster-proxy.
