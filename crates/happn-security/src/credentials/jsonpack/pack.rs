//! Packing.

use std::collections::HashMap;

use serde_json::{Number, Value};

use super::{EMPTY, FALSE, NULL, TRUE};

/// Numbers without fraction up to here are kept exactly by JavaScript.
const SAFE_INTEGER: f64 = 9_007_199_254_740_992.0;

/// Packs `value`.
///
/// Texts are compared before they are escaped. The reference compares afterwards, so that two
/// different texts can become one.
#[must_use]
pub fn pack(value: &Value) -> String {
    let mut lists = Lists::default();
    let root = lists.node(value);
    let mut structure = String::new();
    lists.write(&root, &mut structure);
    let (texts, integers, floats) = (&lists.texts, &lists.integers, &lists.floats);
    let parts = [&texts.entries, &integers.entries, &floats.entries];
    format!("{}^{structure}", parts.map(|list| list.join("|")).join("^"))
}

enum Node {
    Object(Vec<(Place, Self)>),
    Array(Vec<Self>),
    Leaf(Place),
}

#[derive(Clone, Copy)]
enum Place {
    Text(usize),
    Integer(usize),
    Float(usize),
    Constant(i64),
}

#[derive(Default)]
struct Lists<'a> {
    texts: List<'a>,
    integers: List<'a>,
    floats: List<'a>,
}

#[derive(Default)]
struct List<'a> {
    entries: Vec<String>,
    places: HashMap<std::borrow::Cow<'a, str>, usize>,
}

impl<'a> Lists<'a> {
    fn node(&mut self, value: &'a Value) -> Node {
        match value {
            Value::Object(members) => {
                let members = members.iter();
                Node::Object(
                    members
                        .map(|(name, value)| (self.text(name), self.node(value)))
                        .collect(),
                )
            }
            Value::Array(items) => Node::Array(items.iter().map(|item| self.node(item)).collect()),
            Value::String(text) => Node::Leaf(self.text(text)),
            Value::Number(number) => Node::Leaf(self.number(number)),
            Value::Bool(true) => Node::Leaf(Place::Constant(TRUE)),
            Value::Bool(false) => Node::Leaf(Place::Constant(FALSE)),
            Value::Null => Node::Leaf(Place::Constant(NULL)),
        }
    }

    fn text(&mut self, text: &'a str) -> Place {
        match text {
            "" => Place::Constant(EMPTY),
            text => Place::Text(self.texts.shared(text.into(), escape)),
        }
    }

    fn number(&mut self, number: &Number) -> Place {
        let float = number.as_f64().unwrap_or_default();
        let integer = match (number.as_i64(), number.as_u64()) {
            (Some(integer), _) => Some(i128::from(integer)),
            (_, Some(integer)) => Some(i128::from(integer)),
            _ if float.fract() == 0.0 && float.abs() <= SAFE_INTEGER => Some(float as i128),
            _ => None,
        };
        match integer {
            Some(integer) => Place::Integer(self.integers.add(base_36(integer))),
            None => Place::Float(self.floats.shared(number.to_string().into(), str::to_owned)),
        }
    }

    fn write(&self, node: &Node, out: &mut String) {
        match node {
            Node::Leaf(place) => out.push_str(&self.index(*place)),
            Node::Array(items) => {
                out.push('@');
                for (nth, item) in items.iter().enumerate() {
                    if nth > 0 {
                        out.push('|');
                    }
                    self.write(item, out);
                }
                out.push(']');
            }
            Node::Object(members) => {
                out.push('$');
                for (nth, (name, value)) in members.iter().enumerate() {
                    if nth > 0 {
                        out.push('|');
                    }
                    out.push_str(&self.index(*name));
                    out.push('|');
                    self.write(value, out);
                }
                out.push(']');
            }
        }
    }

    fn index(&self, place: Place) -> String {
        let (texts, integers) = (self.texts.entries.len(), self.integers.entries.len());
        match place {
            Place::Constant(constant) => constant.to_string(),
            Place::Text(nth) => base_36(nth as i128),
            Place::Integer(nth) => base_36((texts + nth) as i128),
            Place::Float(nth) => base_36((texts + integers + nth) as i128),
        }
    }
}

impl<'a> List<'a> {
    fn add(&mut self, entry: String) -> usize {
        self.entries.push(entry);
        self.entries.len() - 1
    }

    fn shared(
        &mut self,
        text: std::borrow::Cow<'a, str>,
        entry: impl FnOnce(&str) -> String,
    ) -> usize {
        if let Some(place) = self.places.get(&text) {
            return *place;
        }
        let place = self.add(entry(&text));
        self.places.insert(text, place);
        place
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            ' ' => out.push('+'),
            '+' => out.push_str("%2B"),
            '|' => out.push_str("%7C"),
            '^' => out.push_str("%5E"),
            '%' => out.push_str("%25"),
            other => out.push(other),
        }
    }
    out
}

fn base_36(number: i128) -> String {
    let mut digits = Vec::new();
    let mut rest = number.unsigned_abs();
    loop {
        digits.push(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[(rest % 36) as usize]);
        rest /= 36;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        digits.push(b'-');
    }
    digits.iter().rev().copied().map(char::from).collect()
}
