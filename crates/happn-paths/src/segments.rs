//! Cutting paths and masks into segments, the subscription way.

use std::str::Split;

/// Drops one leading `/`: subscriptions see no difference between `/a` and `a`.
pub(crate) fn normalised(text: &str) -> &str {
    text.strip_prefix('/').unwrap_or(text)
}

/// The segments of a path or mask. There is always at least one, and empty ones
/// count: `/a/` has two segments, the second empty.
pub(crate) fn segments(text: &str) -> Split<'_, char> {
    normalised(text).split('/')
}
