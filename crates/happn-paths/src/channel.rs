//! The text a client subscribes with: an action and a mask in one string.

use std::fmt;
use std::sync::Arc;

use crate::mask::Mask;

/// What happened to the path of a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// An item was written, or a value was published without being stored.
    Set,
    /// Items were deleted.
    Remove,
}

/// Which publications a subscription asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActionFilter {
    /// Every publication.
    All,
    /// Only [`EventKind::Set`].
    Set,
    /// Only [`EventKind::Remove`].
    Remove,
    /// None: the client named an action that never happens. Accepted all the
    /// same, because that is what clients have always been answered. A bare
    /// `*` mask receives everything even with this filter.
    Never,
}

impl ActionFilter {
    /// Reads the action part of a channel.
    ///
    /// `ALL` counts in capitals only, the others in any case; so `all` is just
    /// an unknown action.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text == "ALL" || text == "*" {
            Self::All
        } else if text.eq_ignore_ascii_case("SET") {
            Self::Set
        } else if text.eq_ignore_ascii_case("REMOVE") {
            Self::Remove
        } else {
            Self::Never
        }
    }

    /// Whether a publication of this kind passes.
    #[must_use]
    pub fn accepts(self, kind: EventKind) -> bool {
        match self {
            Self::All => true,
            Self::Set => kind == EventKind::Set,
            Self::Remove => kind == EventKind::Remove,
            Self::Never => false,
        }
    }
}

/// A subscription channel such as `/ALL@/a/*`.
///
/// Clients dispatch events by the exact text, so it is kept as sent.
///
/// ```
/// use happn_paths::{ActionFilter, Channel};
///
/// let channel = Channel::parse("/set@/mail/me@home");
/// assert_eq!(channel.action(), ActionFilter::Set);
/// assert_eq!(channel.mask(), "/mail/me@home");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Channel {
    text: Arc<str>,
    action: ActionFilter,
    /// Where the mask starts in `text`: after the first `@`, or at 0 without one.
    mask_start: usize,
}

impl Channel {
    /// Splits a channel at its first `@`. Every text is some channel.
    ///
    /// Without an `@` the whole text is taken for the action and for the mask,
    /// so an ordinary path names an unknown action and never matches, while a
    /// lone `*` subscribes to everything.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (action, mask_start) = match text.split_once('@') {
            Some((action, _)) => (action, action.len() + 1),
            None => (text, 0),
        };
        // One slash goes, wherever it is: `A/LL@/x` asks for `ALL` too.
        let action = ActionFilter::parse(&action.replacen('/', "", 1));
        Self {
            text: text.into(),
            action,
            mask_start,
        }
    }

    /// The publications asked for.
    #[must_use]
    pub fn action(&self) -> ActionFilter {
        self.action
    }

    /// Whether the action is spelled as clients spell it: `/ALL@`, `/SET@` or `/REMOVE@`. Where
    /// rights matter no other spelling is to be accepted.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        ["/ALL@", "/SET@", "/REMOVE@"].contains(&&self.text[..self.mask_start])
    }

    /// The text of the mask.
    #[must_use]
    pub fn mask(&self) -> &str {
        &self.text[self.mask_start..]
    }

    /// The mask as a value of its own.
    #[must_use]
    pub fn to_mask(&self) -> Mask {
        Mask::parse(self.mask())
    }

    /// The channel as sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, action: ActionFilter, mask: &str) {
        let channel = Channel::parse(text);
        assert_eq!(
            (channel.action(), channel.mask()),
            (action, mask),
            "{text:?}"
        );
        assert_eq!(channel.to_string(), text);
    }

    #[test]
    fn action_and_mask_are_split_at_the_first_at() {
        check("/ALL@/a/*", ActionFilter::All, "/a/*");
        check("/*@/a", ActionFilter::All, "/a");
        check("/SET@/a@b@c", ActionFilter::Set, "/a@b@c");
        check("SET@a", ActionFilter::Set, "a");
        check("/remove@", ActionFilter::Remove, "");
        check("A/LL@/x", ActionFilter::All, "/x");
    }

    #[test]
    fn unknown_actions_never_match() {
        check("/all@/a", ActionFilter::Never, "/a");
        check("/XYZ@/a", ActionFilter::Never, "/a");
        check("//SET@/a", ActionFilter::Never, "/a");
        check("@/a", ActionFilter::Never, "/a");
    }

    #[test]
    fn only_the_spellings_of_clients_are_usual() {
        for usual in ["/ALL@/a", "/SET@*", "/REMOVE@a@b"] {
            assert!(Channel::parse(usual).is_usual(), "{usual}");
        }
        for odd in [
            "/set@/a", "/*@/a", "SET@/a", "A/LL@/a", "/a/b", "*", "", "/x@*",
        ] {
            assert!(!Channel::parse(odd).is_usual(), "{odd}");
        }
    }

    #[test]
    fn without_an_at_the_text_is_both_parts() {
        check("/a/b", ActionFilter::Never, "/a/b");
        check("", ActionFilter::Never, "");
        check("*", ActionFilter::All, "*");
        check("/SET", ActionFilter::Set, "/SET");
    }
}
