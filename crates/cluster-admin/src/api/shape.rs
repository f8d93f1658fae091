//! What JSON objects look like: declared once, checked on the way in, shown in the document.

use serde_json::{Map, Value, json};

/// The most problems that are told of one body: an answer is not much larger than its question.
const PROBLEMS_MAX: usize = 100;

/// An object with members.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) members: &'static [Member],
}

/// A member of an object.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: &'static str,
    kind: Kind,
    is_required: bool,
    about: &'static str,
}

/// What a member may be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Text,
    /// Text that is never shown, not even in an error.
    Secret,
    Texts,
    Flag,
    /// Ms since 1970, a count or the like.
    Whole,
    /// Ms since 1970, or null.
    Until,
    /// A number of ms, or text such as `8 hours`.
    Span,
    /// Text, or null.
    TextOrNull,
    /// Any JSON.
    Any,
    /// Rules by path.
    Rules,
    Many(&'static Shape),
}

/// A member that must be there.
pub(super) const fn needed(name: &'static str, kind: Kind, about: &'static str) -> Member {
    Member {
        name,
        kind,
        is_required: true,
        about,
    }
}

/// A member that may be missing.
pub(super) const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Member {
    Member {
        is_required: false,
        ..needed(name, kind, about)
    }
}

/// What is allowed and prohibited on one path.
static RULE: Shape = Shape {
    name: "Rule",
    members: &[
        optional("actions", Kind::Texts, "what is allowed"),
        optional("prohibit", Kind::Texts, "what is prohibited"),
        optional(
            "remove",
            Kind::Flag,
            "take the listed actions away instead of adding them",
        ),
    ],
};

impl Shape {
    /// Everything about `object` that is not of this shape. No value is ever quoted: it may be a
    /// secret in the wrong place.
    pub(super) fn problems(&self, object: &Map<String, Value>) -> Vec<String> {
        let mut problems = Vec::new();
        self.check(object, "", &mut problems);
        problems.truncate(PROBLEMS_MAX);
        problems
    }

    fn check(&self, object: &Map<String, Value>, place: &str, problems: &mut Vec<String>) {
        for (name, value) in object {
            match self.members.iter().find(|member| member.name == name) {
                Some(member) => member
                    .kind
                    .check(value, &format!("{place}{name}"), problems),
                None => {
                    let known: Vec<&str> = self.members.iter().map(|it| it.name).collect();
                    let known = known.join(", ");
                    problems.push(format!("unknown member {place}{name}; there are {known}"));
                }
            }
        }
        let is_missing = |member: &&Member| member.is_required && !object.contains_key(member.name);
        for missing in self.members.iter().filter(is_missing) {
            problems.push(format!("{place}{} is missing", missing.name));
        }
    }

    /// The JSON Schema of it. Other shapes are referred to by name.
    pub(super) fn schema(&self) -> Value {
        let mut properties = Map::new();
        for member in self.members {
            let mut schema = member.kind.schema();
            schema["description"] = json!(member.about);
            properties.insert(member.name.to_owned(), schema);
        }
        let required = self.members.iter().filter(|member| member.is_required);
        let required: Vec<&str> = required.map(|member| member.name).collect();
        json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        })
    }

    pub(super) fn reference(&self) -> Value {
        json!({ "$ref": format!("#/components/schemas/{}", self.name) })
    }

    /// Puts the schema of this shape and of all it refers to into `schemas`.
    pub(super) fn describe(&self, schemas: &mut Map<String, Value>) {
        if schemas.contains_key(self.name) {
            return;
        }
        schemas.insert(self.name.to_owned(), self.schema());
        for member in self.members {
            match member.kind {
                Kind::Many(shape) => shape.describe(schemas),
                Kind::Rules => RULE.describe(schemas),
                _ => {}
            }
        }
    }
}

impl Kind {
    fn check(self, value: &Value, place: &str, problems: &mut Vec<String>) {
        let is_texts = |items: &Vec<Value>| items.iter().all(Value::is_string);
        let is_right = match self {
            Self::Text | Self::Secret => value.is_string(),
            Self::Texts => value.as_array().is_some_and(is_texts),
            Self::Flag => value.is_boolean(),
            Self::Whole => value.is_u64(),
            Self::Until => value.is_null() || value.is_i64(),
            Self::TextOrNull => value.is_null() || value.is_string(),
            Self::Span => value.is_u64() || value.is_string(),
            Self::Any => true,
            Self::Rules => return rules(value, place, problems),
            Self::Many(shape) => return many(shape, value, place, problems),
        };
        if !is_right {
            problems.push(format!("{place} must be {}", self.in_words()));
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Text | Self::Secret => "text",
            Self::Texts => "a list of texts",
            Self::Flag => "true or false",
            Self::Whole => "a whole number",
            Self::Until => "a whole number or null",
            Self::TextOrNull => "text or null",
            Self::Span => "a number of milliseconds, or text such as \"8 hours\"",
            Self::Any => "JSON",
            Self::Rules => "an object of paths, each with actions or prohibit",
            Self::Many(_) => "a list of objects",
        }
    }

    fn schema(self) -> Value {
        match self {
            Self::Text => json!({ "type": "string" }),
            Self::Secret => json!({ "type": "string", "format": "password" }),
            Self::Texts => json!({ "type": "array", "items": { "type": "string" } }),
            Self::Flag => json!({ "type": "boolean" }),
            Self::Whole => json!({ "type": "integer" }),
            Self::Until => json!({ "type": ["integer", "null"] }),
            Self::TextOrNull => json!({ "type": ["string", "null"] }),
            Self::Span => json!({ "type": ["integer", "string"] }),
            Self::Any => json!({}),
            Self::Rules => json!({ "type": "object", "additionalProperties": RULE.reference() }),
            Self::Many(shape) => json!({ "type": "array", "items": shape.reference() }),
        }
    }
}

fn rules(value: &Value, place: &str, problems: &mut Vec<String>) {
    let Value::Object(paths) = value else {
        return problems.push(format!("{place} must be {}", Kind::Rules.in_words()));
    };
    for (path, rule) in paths {
        let place = format!("{place}[{path:?}]");
        match rule {
            Value::Object(rule) => RULE.check(rule, &format!("{place}."), problems),
            _ => problems.push(format!("{place} must be an object")),
        }
    }
}

fn many(shape: &Shape, value: &Value, place: &str, problems: &mut Vec<String>) {
    let Value::Array(items) = value else {
        return problems.push(format!("{place} must be a list of objects"));
    };
    for (at, item) in items.iter().enumerate() {
        match item {
            Value::Object(item) => shape.check(item, &format!("{place}[{at}]."), problems),
            _ => problems.push(format!("{place}[{at}] must be an object")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    static THING: Shape = Shape {
        name: "Thing",
        members: &[
            needed("name", Kind::Text, "its name"),
            optional("password", Kind::Secret, "its password"),
            optional("tags", Kind::Texts, "its tags"),
            optional("size", Kind::Whole, "its size"),
            optional("rules", Kind::Rules, "its rules"),
            optional("parts", Kind::Many(&PART), "its parts"),
        ],
    };

    static PART: Shape = Shape {
        name: "Part",
        members: &[needed("on", Kind::Flag, "whether it is on")],
    };

    fn problems(thing: &Value) -> Vec<String> {
        THING.problems(thing.as_object().unwrap())
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once_without_the_values() {
        let thing = json!({
            "password": ["s3cret"], "tags": ["a", 1], "size": -1, "nmae": "s3cret",
            "rules": {"/a": {"action": ["get"]}, "/b": 1}, "parts": [{"on": 1}, 2, {}],
        });
        let told = problems(&thing);
        assert_eq!(
            told,
            [
                "password must be text",
                "tags must be a list of texts",
                "size must be a whole number",
                "unknown member nmae; there are name, password, tags, size, rules, parts",
                "unknown member rules[\"/a\"].action; there are actions, prohibit, remove",
                "rules[\"/b\"] must be an object",
                "parts[0].on must be true or false",
                "parts[1] must be an object",
                "parts[2].on is missing",
                "name is missing",
            ]
        );
        assert!(!told.join("").contains("s3cret"));
        let right = json!({"name": "x", "rules": {"/a": {"actions": ["get"]}}, "parts": []});
        assert_eq!(problems(&right), Vec::<String>::new());
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            Just(json!("s3cret")),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            let name = "(name|password|tags|size|rules|parts|on|actions|remove|/a|x)";
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((name, inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_is_sent_is_judged_and_never_quoted(thing in any_json()) {
            if let Value::Object(members) = &thing {
                let told = THING.problems(members);
                prop_assert!(told.len() <= PROBLEMS_MAX);
                prop_assert!(told.iter().all(|problem| !problem.contains("s3cret")));
                let is_right = members.get("name").is_some_and(Value::is_string);
                prop_assert!(is_right || !told.is_empty());
            }
        }
    }

    #[test]
    fn a_schema_says_the_same_and_refers_to_others_by_name() {
        let mut schemas = Map::new();
        THING.describe(&mut schemas);
        assert_eq!(
            schemas.keys().collect::<Vec<_>>(),
            ["Thing", "Rule", "Part"]
        );
        let thing = &schemas["Thing"];
        assert_eq!(thing["required"], json!(["name"]));
        assert_eq!(
            thing["properties"]["parts"]["items"]["$ref"],
            "#/components/schemas/Part"
        );
        assert_eq!(thing["properties"]["password"]["format"], "password");
    }
}
