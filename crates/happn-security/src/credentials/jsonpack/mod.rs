//! jsonpack: JSON as lists of texts and numbers, and a structure that refers to them.
//!
//! `texts ^ integers ^ floats ^ structure`, the lists joined with `|`. In the structure `$k|v]` is
//! an object and `@v]` an array; everything else is a base-36 place in the three lists put one
//! after the other, or one of the constants below.

mod pack;
mod unpack;

pub use pack::pack;
pub use unpack::{PackError, unpack};

const TRUE: i64 = -1;
const FALSE: i64 = -2;
const NULL: i64 = -3;
const EMPTY: i64 = -4;
const UNDEFINED: i64 = -5;

#[cfg(test)]
mod tests;
