//! What a set of rules allows on a path.
