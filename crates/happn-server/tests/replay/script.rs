//! The lines of a recording.

use std::path::PathBuf;

use serde_json::Value;

/// One line.
#[derive(Debug)]
pub struct Line {
    /// Counted from 1, as editors do.
    pub number: usize,
    pub connection: u64,
    pub from_client: bool,
    pub what: What,
}

/// What a line holds.
#[derive(Debug)]
pub enum What {
    Http(String),
    Frame(String),
    /// A fragment of a text message.
    Fragment {
        first: bool,
        last: bool,
        text: String,
    },
    Binary(Vec<u8>),
    Ping(String),
    Pong(String),
    Close(Option<u16>, String),
    /// The end of the stream, or the error that ended it.
    Tcp,
    Note(String),
}

/// Reads a recording below the repository's wire vectors.
pub fn read(file: &str) -> Vec<Line> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/vectors/wire")
        .join(format!("{file}.jsonl"));
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines()
        .enumerate()
        .map(|(at, line)| parse(at + 1, line))
        .collect()
}

fn parse(number: usize, line: &str) -> Line {
    let value: Value = serde_json::from_str(line).unwrap();
    Line {
        number,
        connection: value["c"].as_u64().unwrap_or_default(),
        from_client: value["t"] == "c2s",
        what: what(&value),
    }
}

fn what(line: &Value) -> What {
    let text = |member: &str| line[member].as_str().map(str::to_owned);
    if let Some(note) = text("note") {
        return What::Note(note);
    }
    if let Some(head) = text("http") {
        return What::Http(head);
    }
    if let Some(frame) = text("frame") {
        return What::Frame(frame);
    }
    if line["tcp"].is_string() {
        return What::Tcp;
    }
    let payload = text("payload").unwrap_or_default();
    let last = line["fin"] != false;
    match line["ws"].as_str() {
        Some("ping") => What::Ping(payload),
        Some("pong") => What::Pong(payload),
        Some("text") => What::Fragment {
            first: true,
            last,
            text: payload,
        },
        Some("cont") => What::Fragment {
            first: false,
            last,
            text: payload,
        },
        Some("binary") => What::Binary(bytes(&text("hex").unwrap())),
        Some("close") => {
            let code = line["code"].as_u64().map(|code| code as u16);
            What::Close(code, text("reason").unwrap_or_default())
        }
        _ => panic!("a line of an unknown kind: {line}"),
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex
        .chars()
        .map(|digit| digit.to_digit(16).unwrap())
        .collect();
    digits
        .chunks(2)
        .map(|pair| (pair[0] * 16 + pair[1]) as u8)
        .collect()
}
