//! Whether a person is who he says he is. Everything here is computed from its arguments: no
//! store, no clock, no socket.
//!
//! | part | question |
//! |---|---|
//! | [`Passwords`] | does this password belong to that stored hash |

mod password;

pub use password::{Passwords, UnusableHash, UnusablePassword};
