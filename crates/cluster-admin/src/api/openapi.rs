//! The OpenAPI document, made of the table of routes.

use serde_json::{Map, Value, json};

use super::problem::KINDS;
use super::route::{Operation, Parameter, Route, Work, is_name};

/// The document of `routes`.
pub(super) fn document(routes: &[Route]) -> Value {
    let (mut paths, mut schemas) = (Map::new(), Map::new());
    schemas.insert("Error".to_owned(), error());
    for route in routes {
        let mut operations = Map::new();
        for operation in route.operations {
            let verb = operation.verb.as_str().to_ascii_lowercase();
            operations.insert(verb, described(route, operation));
            for shape in [operation.body, operation.answer].into_iter().flatten() {
                shape.describe(&mut schemas);
            }
        }
        paths.insert(route.path.to_owned(), Value::Object(operations));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Administration of a happn cluster",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Users, groups, rules, lookup tables, sessions and tokens of a secure \
                            node. A node that is not secure answers 409.",
        },
        "servers": [{ "url": super::PREFIX }],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The token of a login, or of any session of an administrator.",
                },
            },
        },
    })
}

fn described(route: &Route, operation: &Operation) -> Value {
    let names = route.path.split('/').filter(|part| is_name(part));
    let in_path = names.map(|name| {
        let name = name.trim_matches(['{', '}']);
        json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
    });
    let in_query = operation.parameters.iter().map(parameter);
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.about,
        "parameters": in_path.chain(in_query).collect::<Vec<_>>(),
        "responses": responses(operation),
    });
    if let Some(body) = operation.body {
        described["requestBody"] =
            json!({ "required": true, "content": json_of(&body.reference()) });
    }
    if !matches!(operation.work, Work::Admin(_)) {
        described["security"] = json!([]);
    }
    described
}

fn parameter(parameter: &Parameter) -> Value {
    let plain = match parameter.is_number {
        true => json!({ "type": "integer", "minimum": 0 }),
        false => json!({ "type": "string" }),
    };
    let schema = match parameter.may_repeat {
        true => json!({ "type": "array", "items": plain }),
        false => plain,
    };
    json!({
        "name": parameter.name,
        "in": "query",
        "description": parameter.about,
        "required": parameter.is_required,
        "schema": schema,
    })
}

fn responses(operation: &Operation) -> Value {
    let mut responses = Map::new();
    for status in operation.statuses {
        let mut response = json!({ "description": "done" });
        let content = match (operation.answer, operation.work) {
            (Some(answer), _) => Some(answer.reference()),
            (None, Work::Document) => Some(json!({ "type": "object" })),
            (None, _) => None,
        };
        if let Some(schema) = content {
            response["content"] = json_of(&schema);
        }
        responses.insert(status.to_string(), response);
    }
    let error = json!({ "$ref": "#/components/schemas/Error" });
    let refused = json!({ "description": "not done, and why", "content": json_of(&error) });
    responses.insert("default".to_owned(), refused);
    Value::Object(responses)
}

fn json_of(schema: &Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}

fn error() -> Value {
    json!({
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["kind", "message"],
                "properties": {
                    "kind": { "enum": KINDS },
                    "message": { "type": "string" },
                    "problems": { "type": "array", "items": { "type": "string" } },
                },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::routes::ROUTES;
    use super::*;

    /// Everything that any part of `value` refers to.
    fn references(value: &Value, found: &mut HashSet<String>) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    found.insert(reference.clone());
                }
                members.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    #[test]
    fn whatever_the_document_refers_to_is_in_it_and_nothing_else() {
        let document = document(ROUTES);
        let mut found = HashSet::new();
        references(&document, &mut found);
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let there: HashSet<String> = schemas
            .keys()
            .map(|name| format!("#/components/schemas/{name}"))
            .collect();
        assert_eq!(found, there);
    }

    #[test]
    fn every_operation_has_a_name_of_its_own_and_says_what_it_does() {
        let mut ids = HashSet::new();
        for route in ROUTES {
            let verbs: HashSet<_> = route.operations.iter().map(|it| it.verb.as_str()).collect();
            assert_eq!(verbs.len(), route.operations.len(), "{}", route.path);
            for operation in route.operations {
                assert!(ids.insert(operation.id), "{}", operation.id);
                assert!(operation.about.ends_with('.'), "{}", operation.about);
            }
        }
    }

    #[test]
    fn only_the_document_and_the_login_need_no_token() {
        let document = document(ROUTES);
        let mut open = Vec::new();
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (verb, operation) in operations.as_object().unwrap() {
                if operation["security"] == json!([]) {
                    open.push(format!("{verb} {path}"));
                }
            }
        }
        assert_eq!(open, ["post /login", "get /openapi.json"]);
    }
}
