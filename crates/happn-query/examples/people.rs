//! Asks a handful of items who is of age, and how many live in each town.

#![allow(clippy::print_stdout, reason = "an example prints")]

use happn_protocol::Json;
use happn_query::{Collation, Criteria, Fields, Item, Pipeline, QueryError, Sort};

const PEOPLE: [(&str, &str); 4] = [
    (
        "/people/1",
        r#"{"name":"Ann","age":30,"address":{"town":"Cape Town"}}"#,
    ),
    (
        "/people/2",
        r#"{"name":"bob","age":17,"address":{"town":"Durban"}}"#,
    ),
    (
        "/people/3",
        r#"{"name":"Cid","age":41,"address":{"town":"Cape Town"}}"#,
    ),
    ("/people/4", r#"{"name":"dee","address":{"town":"Durban"}}"#),
];

fn main() -> Result<(), QueryError> {
    let items: Vec<Item<'_>> = PEOPLE.iter().map(|(path, data)| item(path, data)).collect();

    let criteria = Criteria::parse(r#"{"age": {"$gte": 18}}"#)?;
    let sort = Sort::parse(r#"{"name": -1}"#)?;
    let fields = Fields::parse(r#"{"name": 1, "address.town": 1}"#)?;
    let collation = Collation::parse(r#"{"locale": "en"}"#)?;
    let mut found: Vec<_> = items
        .iter()
        .map(|item| (item, item.document()))
        .filter(|(_, document)| criteria.matches(document, &collation))
        .map(|(item, document)| (sort.values(&document, &collation), item))
        .collect();
    found.sort_by(|(left, _), (right, _)| sort.compare(left, right, &collation));
    for (_, item) in found {
        let data = Json::from_trusted(item.data.into());
        println!("{} {}", item.path, fields.select(&data));
    }

    let towns = r#"[{"$group": {"_id": "$data.address.town", "people": {"$sum": 1}}},
                    {"$sort": {"_id": 1}}]"#;
    let mut run = Pipeline::parse(towns)?.run(&collation)?;
    for item in &items {
        run.push(item.document(), &mut |_| true)?;
    }
    for row in run.finish(&mut |_| true)? {
        println!("{row}");
    }
    Ok(())
}

fn item<'a>(path: &'a str, data: &'a str) -> Item<'a> {
    Item {
        path,
        created: Some(1),
        modified: Some(1),
        modified_by: None,
        data,
    }
}
