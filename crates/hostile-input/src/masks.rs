//! Paths, masks and channels.

use happn_paths::{
    Action, ActionFilter, Channel, Depth, EventKind, Mask, StoreGlob, SubscriptionIndex, covers,
    validate,
};

use crate::text;

/// Longer masks and paths are refused long before they are compared.
const BYTES_MAX: usize = 4096;

/// `data` as a path, a mask and a second mask, a line each.
///
/// # Panics
/// When the quick way of telling who hears of a path and the plain one disagree.
pub fn masks(data: &[u8]) {
    let data = data.get(..BYTES_MAX).unwrap_or(data);
    let text = text(data);
    let (path, rest) = crate::first_line(&text);
    let (mask, other) = crate::first_line(rest);
    for action in [Action::Set, Action::Remove] {
        let _ = validate(path, action);
    }
    let channel = Channel::parse(mask);
    assert_eq!(channel.as_str(), mask);
    let _ = (channel.action(), channel.to_mask());
    hear(path, &Mask::parse(mask), &Mask::parse(other));
    find(path, mask);
}

fn hear(path: &str, mask: &Mask, other: &Mask) {
    let mut index = SubscriptionIndex::new([1, 2]);
    for (id, mask) in [(1, mask), (2, other)] {
        index.insert(id, ActionFilter::All, mask, Depth::DEFAULT);
    }
    let mut quick = Vec::new();
    index.for_each_match(EventKind::Set, path, |id| quick.push(id));
    quick.sort_unstable();
    let plain = [(1, mask), (2, other)].into_iter();
    let plain = plain.filter(|(_, mask)| mask.matches(path, Depth::DEFAULT));
    let plain: Vec<_> = plain.map(|(id, _)| id).collect();
    assert_eq!(quick, plain, "{mask:?} and {other:?} of {path:?}");
    if covers(mask, other) && other.matches(path, Depth::DEFAULT) {
        assert!(
            mask.matches(path, Depth::DEFAULT),
            "{mask:?} covers {other:?}"
        );
    }
}

fn find(path: &str, mask: &str) {
    let glob = StoreGlob::new(mask);
    if glob.is_exact() {
        assert_eq!(glob.matches(path), path == mask, "{mask:?} of {path:?}");
    } else if glob.matches(path) {
        assert!(
            path.starts_with(glob.literal_prefix()),
            "{mask:?} of {path:?}"
        );
    }
}
