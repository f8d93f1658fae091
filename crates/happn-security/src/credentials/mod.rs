//! Whether a person is who he says he is. Everything here is computed from its arguments: no
//! store, no clock, no socket.
//!
//! | part | question |
//! |---|---|
//! | [`Passwords`] | does this password belong to that stored hash |
//! | [`SessionToken`] | is this token ours, and what does it say |

mod base64;
pub mod jsonpack;
mod password;
mod token;

pub use password::{Passwords, UnusableHash, UnusablePassword};
pub use token::{SessionToken, TokenError, TokenSecret};
