//! The recorded requests to secure JavaScript nodes, asked again here.

use happn_server::{HttpSecurity, Server};
use serde_json::Value;

use crate::{Answer, ask, serve};

/// Where we answer differently on purpose, and how.
const DEVIATIONS: [(&str, u16); 5] = [
    ("dot segments", 403),
    ("exclusion trick /open/../secure/other", 401),
    ("request-nonce none", 400),
    ("login POST body", 200),
    ("isToken false", 401),
];

/// Of our own making, or the server's own failure: only status and headers are compared.
const BODIES_OF_THEIR_OWN: [&str; 2] = ["(client script)", "(HTML error page with a stack trace)"];

/// Differ by how scripts are cached, and follow from other recordings.
const HEADERS_LEFT_OUT: [&str; 2] = ["cache-control", "content-security-policy"];

/// A secure node that answers on two ports.
pub struct Site {
    pub server: Server,
    /// The same, but that logouts are possible.
    pub with_logout: Server,
}

pub fn settings(allow_logout: bool) -> HttpSecurity {
    HttpSecurity {
        exclusions: vec!["/open/*".to_owned(), "/".to_owned()],
        allow_logout,
        ..HttpSecurity::default()
    }
}

#[tokio::test]
async fn a_secure_node_answers_http_requests_as_recorded() {
    let site = Site {
        server: serve(settings(false)).await,
        with_logout: serve(settings(true)).await,
    };
    replay("scripted", &site, slug).await;
}

/// Asks everything again, each case with its own token.
pub async fn replay(authority: &str, site: &Site, token: impl Fn(&str) -> String) {
    let (mut run, mut deviations, mut failures) = (0, 0, Vec::new());
    for case in cases() {
        run += 1;
        let name = case["case"].as_str().unwrap();
        let server = match name {
            "logout allowed" => &site.with_logout,
            _ => &site.server,
        };
        let token = token(name);
        let ours = ask_with(server, &token, &case["request"]).await;
        if let Some((_, status)) = DEVIATIONS.iter().find(|(known, _)| *known == name) {
            deviations += 1;
            assert_eq!(ours.status, *status, "{name}: {ours:?}");
            continue;
        }
        let answers = [&case["answer"], &case["answer_13_12_1"]];
        let verdicts = answers.map(|answer| compare(&token, answer, &ours));
        if verdicts.iter().all(Result::is_err) {
            failures.push(format!("{name}: {verdicts:?}"));
        }
    }
    println!(
        "security/http ({authority}): {run} run / {} passed / {deviations} documented deviations",
        run - deviations - failures.len()
    );
    assert_eq!(deviations, DEVIATIONS.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn cases() -> Vec<Value> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/vectors/security/http.json"
    );
    let text = std::fs::read_to_string(path).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    file["cases"].as_array().unwrap().clone()
}

async fn ask_with(server: &Server, token: &str, request: &Value) -> Answer {
    let fill = |text: &str| text.replace("{token}", token);
    let (method, path) = (&request["method"], &request["path"]);
    let mut head = format!(
        "{} {} HTTP/1.1",
        method.as_str().unwrap(),
        fill(path.as_str().unwrap())
    );
    for (name, value) in request["headers"].as_object().unwrap() {
        head.push_str(&format!("\r\n{name}: {}", fill(value.as_str().unwrap())));
    }
    let body = match request["body"].as_str().unwrap_or_default() {
        "(200 kB of JSON)" => format!("{{\"a\":\"{}\"}}", "x".repeat(200 * 1024)),
        body => body.to_owned(),
    };
    ask(server, &head, &body).await
}

/// A token that is called as the case is.
fn slug(case: &str) -> String {
    let case = case.replace("isToken", "is token").to_ascii_lowercase();
    let words = case.split(|letter: char| !letter.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join("-")
}

fn compare(token: &str, theirs: &Value, ours: &Answer) -> Result<(), String> {
    let text = |member: &str| theirs[member].as_str().unwrap_or_default();
    if theirs["status"] != ours.status || text("reason") != ours.reason {
        return Err(format!("{} {}", ours.status, ours.reason));
    }
    for (name, value) in theirs["headers"].as_object().unwrap() {
        let left_out = HEADERS_LEFT_OUT.contains(&name.as_str());
        if !left_out && value != ours.header(name) {
            return Err(format!("{name}: {:?}", ours.header(name)));
        }
    }
    let body = text("body");
    // What was made for this answer; otherwise it is about what was sent.
    let made: Value = serde_json::from_str(&ours.body).unwrap_or_default();
    let made = made["data"].as_str().unwrap_or(token);
    let body = body.replace("{nonce}", made).replace("{token}", made);
    let same = BODIES_OF_THEIR_OWN.contains(&body.as_str()) || body == ours.body;
    same.then_some(())
        .ok_or_else(|| format!("body {:?}", ours.body))
}
