//! Health reports.

use serde_json::Value;

use super::*;

fn vector() -> Value {
    let text = include_str!("../../../../../tests/vectors/cluster/health-report.json");
    serde_json::from_str(text).unwrap()
}

/// Node 1 of the captured run: alone, with node 2, after node 2 stopped, after its record expired.
#[test]
fn health_reports_are_those_of_the_reference() {
    let vector = vector();
    let captured = |at: usize| {
        let line = &vector["json_lines"][at];
        let timestamp = line["parsed"]["timestamp"].as_i64().unwrap();
        (timestamp, line["raw"].as_str().unwrap().to_owned())
    };
    let mut config = config(1);
    config.name = "svc-1-node-1".to_owned();
    config.endpoint = "127.0.0.1:21001".to_owned();
    config.service_name = "svc-1".to_owned();
    config.cluster = BTreeMap::from([("svc-1".to_owned(), 1), ("svc-2".to_owned(), 1)]);
    let own = config.endpoint.clone();
    let mut scene = Scene::with(config);
    scene.table.clear();
    scene.beat(&own);
    scene.table.get_mut(&own).unwrap().service = "svc-1".to_owned();
    scene.read();
    // Ours knows that it is alone where the reference, by mistake, sees others.
    let (timestamp, line) = captured(0);
    let line = line.replace("CONNECTING_INSUFFICIENT_PEERS", "ISOLATED");
    assert_eq!(scene.health().json_line(timestamp), line);

    let second = "127.0.0.1:21002";
    scene.beat(second);
    scene.table.get_mut(second).unwrap().service = "svc-2".to_owned();
    scene.read();
    scene.join(second, "svc-2-node-1");
    let (timestamp, line) = captured(1);
    assert_eq!(scene.health().json_line(timestamp), line);
    let text = &vector["text_lines_of_one_report"];
    assert_eq!(scene.health().member_line(), text["member_line"]);
    assert_eq!(scene.health().breakdown(), text["breakdown"]);

    scene.beat(second);
    scene.read();
    scene.lose(second);
    let (timestamp, line) = captured(3);
    assert_eq!(scene.health().json_line(timestamp), line);
}

#[test]
fn a_report_comes_at_every_interval_and_tells_whether_it_is_news() {
    let mut scene = Scene::alone(1);
    scene.read();
    scene.pass(30_000);
    let changes: Vec<bool> = scene
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Report { changed, .. } => Some(*changed),
            _ => None,
        })
        .collect();
    assert_eq!(changes, [true, false, false]);
}
