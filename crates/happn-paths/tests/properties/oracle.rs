//! Matchers written for being obviously right.

use happn_paths::Depth;

/// Family S, by writing out each flat mask a deep one stands for. Use it with
/// small depths and few `**`.
pub(crate) fn mask_matches(mask: &str, path: &str, depth: Depth) -> bool {
    if mask == "*" {
        return true;
    }
    let mask = with_slash(mask);
    let path = with_slash(path);
    expansions(mask, depth)
        .iter()
        .any(|flat| flat_matches(flat, &path))
}

/// Replaces the first `/**` by one to `depth` times `/*`, as long as the text
/// ends with `/**`.
pub(crate) fn expansions(mask: String, depth: Depth) -> Vec<String> {
    if !mask.ends_with("/**") {
        return vec![mask];
    }
    (1..=depth.levels() as usize)
        .flat_map(|levels| expansions(mask.replacen("/**", &"/*".repeat(levels), 1), depth))
        .collect()
}

fn flat_matches(mask: &str, path: &str) -> bool {
    let mask: Vec<&str> = mask[1..].split('/').collect();
    let path: Vec<&str> = path[1..].split('/').collect();
    mask.len() == path.len()
        && mask
            .iter()
            .zip(path)
            .all(|(ours, theirs)| *ours == "*" || *ours == theirs)
}

fn with_slash(text: &str) -> String {
    if text.starts_with('/') {
        text.to_owned()
    } else {
        format!("/{text}")
    }
}

/// Family R, one table cell per pair of positions.
pub(crate) fn glob_matches(glob: &str, path: &str) -> bool {
    if !glob.contains('*') {
        return glob == path;
    }
    let path: Vec<char> = path.chars().collect();
    // `reach[i]`: the glob so far can match the first `i` characters.
    let mut reach = vec![false; path.len() + 1];
    reach[0] = true;
    for c in glob.chars() {
        let mut next = vec![false; path.len() + 1];
        for at in 0..=path.len() {
            next[at] = if c == '*' {
                reach[at]
                    || (at > 0 && next[at - 1] && !"\n\r\u{2028}\u{2029}".contains(path[at - 1]))
            } else {
                at > 0 && reach[at - 1] && path[at - 1] == c
            };
        }
        reach = next;
    }
    reach[path.len()]
}

/// Family L by its five steps, on top of [`glob_matches`].
pub(crate) fn loose_matches(mask: &str, text: &str, tail_checked: bool) -> bool {
    if !mask.contains('*') {
        return mask == text;
    }
    let collapsed = collapse(mask);
    if collapsed == "*" {
        return true;
    }
    let tail = collapsed.rsplit('*').next().unwrap();
    if tail_checked && !text.contains(tail) {
        return false;
    }
    glob_matches(&upper(&collapsed), &upper(text))
}

/// On UTF-16 units, like the original.
fn collapse(mask: &str) -> String {
    let units: Vec<u16> = mask.encode_utf16().collect();
    let groups = units.chunk_by(|a, b| a == b);
    let collapsed: Vec<u16> = groups
        .flat_map(|run| {
            let breaks = [10, 13, 0x2028, 0x2029].contains(&run[0]);
            if run.len() > 1 && !breaks {
                vec![u16::from(b'*')]
            } else {
                run.to_vec()
            }
        })
        .collect();
    String::from_utf16(&collapsed).unwrap()
}

fn upper(text: &str) -> String {
    let one = |unit: u16| {
        let Some(c) = char::from_u32(u32::from(unit)) else {
            return unit;
        };
        let mapped: Vec<u16> = c
            .to_uppercase()
            .collect::<String>()
            .encode_utf16()
            .collect();
        if mapped.len() != 1 || (unit >= 128 && mapped[0] < 128) {
            unit
        } else {
            mapped[0]
        }
    };
    let units: Vec<u16> = text.encode_utf16().map(one).collect();
    String::from_utf16(&units).unwrap()
}
