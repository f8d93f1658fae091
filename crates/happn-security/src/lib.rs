//! Users, groups and permissions of a happn node: who someone is, and what he may do.
//!
//! | module | its one question |
//! |---|---|
//! | [`credentials`] | is this person who he says he is: passwords, digests, tokens, lock-out |
//! | [`policy`] | how long and how often a session may be used: profiles and their policies |
//! | [`rules`] | what a set of rules allows on a path: pure decisions |
//! | [`directory`] | which users, groups, rules and tables exist: documents in the node's store |
//! | [`provision`] | what has to be in the directory: a file, checked and applied |
//! | [`audit`] | who changed or was refused what, for the record |
//! | [`authority`] | the node's [`happn_core::Authority`], made of the others |
//!
//! The first three do no I/O. This crate opens no socket and knows no HTTP.

pub mod audit;
pub mod authority;
pub mod credentials;
pub mod directory;
pub mod policy;
pub mod provision;
pub mod rules;

#[cfg(test)]
mod vectors;
