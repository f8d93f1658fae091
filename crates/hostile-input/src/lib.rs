//! One function for every reader of what strangers send.
//!
//! Each takes any bytes, has them read, and asserts what must hold whatever they are. It panics
//! when something does not hold, and nothing else may: that is how a fuzzer tells.
//!
//! `fuzz/` drives them with libFuzzer (`cargo xtask fuzz`), and the tests of this crate with the
//! seeds in `fuzz/seeds` and damaged copies of them, so that every `cargo test` runs them, too.

mod digests;
mod envelopes;
mod links;
mod logins;
mod masks;
mod rules;
mod tokens;

pub use digests::digests;
pub use envelopes::envelopes;
pub use links::links;
pub use logins::logins;
pub use masks::masks;
pub use rules::rules;
pub use tokens::tokens;

/// A function of this crate.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, which is that of its file in `fuzz/fuzz_targets` and its folder in `fuzz/seeds`.
    pub name: &'static str,
    /// The function.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 7] = [
    target("digests", digests),
    target("envelopes", envelopes),
    target("links", links),
    target("logins", logins),
    target("masks", masks),
    target("rules", rules),
    target("tokens", tokens),
];

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}

/// The text that `data` is, as far as it is one.
fn text(data: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(data)
}

/// The first line, and all that follows it.
fn first_line(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
}
