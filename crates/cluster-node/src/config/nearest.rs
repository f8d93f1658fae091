//! Which known word somebody may have meant.

/// The candidate nearest to `word`, unless none is near: more than half of the word would have to
/// change. Letter case counts little.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // Longer words are never a known key's misspelling; comparing them would only cost time.
    if word.len() > 200 {
        return None;
    }
    let folded = word.to_lowercase();
    let distance = |candidate: &str| {
        let case = usize::from(candidate != word);
        2 * edits(&folded, &candidate.to_lowercase()) + case
    };
    candidates
        .into_iter()
        .map(|candidate| (distance(candidate), candidate))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= word.chars().count() + 1)
        .map(|(_, candidate)| candidate)
}

/// How many letters to insert, delete or replace to turn one word into the other.
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for column in 1..row.len() {
            let replaced = diagonal + usize::from(letter != to[column - 1]);
            diagonal = row[column];
            row[column] = replaced.min(diagonal + 1).min(row[column - 1] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (from, to, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("port", "port", 0),
            ("prot", "port", 2),
            ("pot", "port", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(edits(from, to), expected, "{from} → {to}");
        }
    }

    #[test]
    fn the_nearest_word_is_found_and_a_strange_one_has_none() {
        let known = ["name", "host", "port", "services.proxy.config.port"];
        assert_eq!(nearest("prt", known), Some("port"));
        assert_eq!(nearest("Host", known), Some("host"));
        assert_eq!(
            nearest("services.proxy.port", known),
            Some("services.proxy.config.port")
        );
        assert_eq!(nearest("zzzzzzz", known), None);
        assert_eq!(nearest(&"x".repeat(10_000), known), None);
    }
}
