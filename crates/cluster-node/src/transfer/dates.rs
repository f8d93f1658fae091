//! Dates inside of data. A program in the JavaScript node's own process may have stored one; its
//! clients saw text, and so will ours.

use happn_protocol::Json;
use serde_json::Value;

use crate::date::iso;

/// `data` with every date of nedb, `{"$$date":ms}`, as the text that JavaScript makes of it.
/// Data without dates keeps its spelling.
pub(crate) fn as_text(data: Json) -> Json {
    if !data.as_str().contains(r#""$$date""#) {
        return data;
    }
    let Ok(mut value) = data.decode::<Value>() else {
        return data;
    };
    replace(&mut value);
    Json::encode(&value).unwrap_or(data)
}

/// Goes as deep as the parser let the value be.
fn replace(value: &mut Value) {
    if let Some(date) = date(value) {
        *value = Value::String(date);
        return;
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(replace),
        Value::Object(members) => members.values_mut().for_each(replace),
        _ => {}
    }
}

fn date(value: &Value) -> Option<String> {
    let members = value.as_object().filter(|members| members.len() == 1)?;
    Some(iso(members.get("$$date")?.as_i64()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_dates_change() {
        let check = |data: &str, expected: &str| {
            let data = Json::parse(data).unwrap();
            assert_eq!(as_text(data).as_str(), expected);
        };
        check(r#"{"n":1.50,"x":{"y":[1]}}"#, r#"{"n":1.50,"x":{"y":[1]}}"#);
        check(
            r#"{"at":{"$$date":0},"list":[{"$$date":1}],"b":{"$$date":"x"}}"#,
            r#"{"at":"1970-01-01T00:00:00.000Z","list":["1970-01-01T00:00:00.001Z"],"b":{"$$date":"x"}}"#,
        );
    }
}
