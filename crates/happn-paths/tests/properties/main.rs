//! The fast matchers against slow ones that follow the rules word by word.

#![allow(clippy::unwrap_used, reason = "a surprise in a test fails the test")]

mod generate;
mod globs;
mod hostile;
mod index;
mod oracle;
mod reduce;
