//! Users, groups, rules and tables, as documents in the node's store.
