//! Answers of the API as text for people.

use serde_json::Value;

use crate::date::readable;
use crate::table::{BOLD, Cell, Paint, clean, columns};

/// Members that are moments, ms since 1970.
const MOMENTS: [&str; 7] = [
    "created", "modified", "since", "issued", "expires", "revoked", "until",
];

/// Those of them that need not come.
const ENDS: [&str; 2] = ["expires", "until"];

/// What is shown where nothing is.
const NOTHING: &str = "-";

/// A member as text.
pub(super) fn text(of: &Value, member: &str) -> String {
    match &of[member] {
        Value::Number(ms) if MOMENTS.contains(&member) => {
            let ms = ms.as_f64().unwrap_or_default();
            readable(ms as i64)
        }
        Value::Null if ENDS.contains(&member) && of.get(member).is_some() => "never".to_owned(),
        value => spelled(value),
    }
}

fn spelled(value: &Value) -> String {
    match value {
        Value::Null => NOTHING.to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(list) if list.is_empty() => NOTHING.to_owned(),
        Value::Array(list) if list.iter().all(Value::is_string) => {
            let texts: Vec<String> = list.iter().map(spelled).collect();
            texts.join(", ")
        }
        other => other.to_string(),
    }
}

/// A table of the answer's items, and how many more there are. `what` is their name, in plural.
pub(super) fn listing(
    answer: &Value,
    what: &str,
    titles: &[&str],
    row: fn(&Value) -> Vec<Cell>,
    paint: Paint,
) -> String {
    let items = answer["items"].as_array().map_or(&[][..], Vec::as_slice);
    let total = answer["total"].as_u64().unwrap_or(0);
    if items.is_empty() {
        return match total {
            0 => format!("no {what}\n"),
            _ => format!("no {what} here, {total} in all\n"),
        };
    }
    let mut text = columns(titles, items.iter().map(row).collect(), paint);
    if total > items.len() as u64 {
        let count = items.len();
        text.push_str(&format!(
            "{count} of {total} {what}; --limit and --skip show others\n"
        ));
    }
    text
}

/// All members of one thing, one a line, the first as title.
pub(super) fn facts(answer: &Value, paint: Paint) -> String {
    let members = answer.as_object();
    let names: Vec<&str> = members
        .map(|members| members.keys().map(String::as_str).collect())
        .unwrap_or_default();
    let width = names.iter().map(|name| name.chars().count()).max();
    let width = width.unwrap_or(0);
    let mut text = String::new();
    for name in names {
        let label = clean(&name.replace('_', " "));
        let label = format!("{label:<width$}");
        let value = text_of_lines(&self::text(answer, name));
        text.push_str(&format!("{}  {value}\n", paint.text(BOLD, &label)));
    }
    text
}

/// Long texts such as keys stay on their line, and are cut.
fn text_of_lines(text: &str) -> String {
    const LONG: usize = 400;
    let line = clean(&text.trim_end().replace('\n', " "));
    match line.char_indices().nth(LONG) {
        None => line,
        Some((at, _)) => format!("{}…", &line[..at]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::table::plain;

    #[test]
    fn one_thing_is_a_list_of_its_members() {
        let answer = json!({
            "username": "ann", "groups": ["A", "B"], "custom_data": {"a": [1]},
            "created": 1_795_617_130_210_i64, "publicKey": "BEGIN\nx\u{1b}\n", "none": null,
            "expires": null, "revoked": false,
        });
        let expected = "\
username     ann
groups       A, B
custom data  {\"a\":[1]}
created      2026-11-25 14:32:10Z
publicKey    BEGIN x?
none         -
expires      never
revoked      no
";
        assert_eq!(facts(&answer, Paint::new(false)), expected);
    }

    #[test]
    fn a_list_says_how_much_it_leaves_out() {
        let show = |answer: &Value| {
            let row = |item: &Value| vec![plain(text(item, "name"))];
            listing(answer, "groups", &["GROUP"], row, Paint::new(false))
        };
        assert_eq!(show(&json!({"items": []})), "no groups\n");
        assert_eq!(
            show(&json!({"items": [], "total": 3})),
            "no groups here, 3 in all\n"
        );
        assert_eq!(
            show(&json!({"items": [{"name": "A"}], "total": 3})),
            "GROUP\nA\n1 of 3 groups; --limit and --skip show others\n"
        );
        assert_eq!(
            show(&json!({"items": [{"name": "A"}], "total": 1})),
            "GROUP\nA\n"
        );
    }
}
