//! An error and its causes in one message.

use std::error::Error;

/// The message of an error followed by those of its causes, without those that are part of it.
#[must_use]
pub fn one_line(error: &(dyn Error + 'static)) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        cause = error.source();
    }
    message
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn causes_follow_once() {
        let error = anyhow!("the disk is full")
            .context("cannot write x: the disk is full")
            .context("no start");
        assert_eq!(
            one_line(error.as_ref()),
            "no start: cannot write x: the disk is full"
        );
    }
}
