//! Is this person who he says he is.
