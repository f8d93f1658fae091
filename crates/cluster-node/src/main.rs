//! The `cluster-node` binary.

fn main() {}
