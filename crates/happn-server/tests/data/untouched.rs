//! Values that must come back as they were sent, byte for byte.

use std::net::Ipv4Addr;
use std::sync::Arc;

use happn_core::{DataService, Ending, Node, NodeConfig, OpenAuthority, SystemClock};
use happn_server::{Server, ServerConfig};

use super::engine::Engine;
use crate::raw::{DEADLINE, Got, RawSocket};

/// The largest message a node takes by default, less what surrounds a document.
const LARGE_BYTES: usize = 10 * 1024 * 1024 - 1024;

/// Levels of nesting: there is no limit but the size of a message.
const LEVELS: usize = 20_000;

/// Larger values are only set and got, because a debug build takes its time.
const OFTEN_BYTES_MAX: usize = 1024 * 1024;

/// Sets, gets, lists and merges each value. False when there is no server for the store.
pub async fn values_pass_through(engine: Engine) -> bool {
    let Some(opened) = engine.open().await else {
        return false;
    };
    let node = Node::new(
        NodeConfig::named("target"),
        DataService::new(opened.store.clone()),
        Arc::new(OpenAuthority),
        Arc::new(SystemClock::new()),
    );
    let config = ServerConfig::on((Ipv4Addr::LOCALHOST, 0).into());
    let server = Server::bind(config, node).await.unwrap();
    let mut socket = RawSocket::websocket(server.address()).await;
    let configure = r#""action":"configure-session","data":{"protocol":"happn_4"}"#;
    call(&mut socket, configure).await;
    for data in values(engine) {
        let set = format!(r#""action":"set","path":"/v/1","data":{data}"#);
        assert_holds(&call(&mut socket, &set).await, &data);
        let get = r#""action":"get","path":"/v/1","data":null"#;
        assert_holds(&call(&mut socket, get).await, &data);
        if data.len() > OFTEN_BYTES_MAX {
            continue;
        }
        let list = r#""action":"get","path":"/v/*","data":null"#;
        let members = &data[1..data.len() - 1];
        assert_holds(&call(&mut socket, list).await, members);
        let merge = r#""action":"set","path":"/v/1","data":{"merged":1},"options":{"merge":true}"#;
        assert_holds(&call(&mut socket, merge).await, members);
        assert_holds(&call(&mut socket, get).await, members);
    }
    server.stop(Ending::Final, DEADLINE).await;
    opened.store.close().await;
    true
}

fn values(engine: Engine) -> Vec<String> {
    let mut values = spelled_as_javascript_does();
    // A database stores values, not their spelling, and a hundred levels of them.
    if engine != Engine::Mongo {
        values.extend(spelled_otherwise());
        values.extend(deep());
    }
    values
}

fn spelled_as_javascript_does() -> Vec<String> {
    let mut values: Vec<String> = [
        // Numbers at the ends of what JavaScript can hold.
        r#"{"n":[0,-1,1.5,9007199254740991,-9007199254740991,1e+21,1e-7,5e-324,1.7976931348623157e+308]}"#,
        // Members in their order; JavaScript puts the integers first when it reads.
        r#"{"b":1,"a":2,"10":3,"9":4,"":5,"a.b":6,"$c":7,"__proto__":8}"#,
        // What is a line end to some.
        "{\"t\":\"\u{2028}\u{2029}\u{FEFF}\u{10FFFF}é\"}",
        r#"{"t":"\u0000\u001f\"\\\b\f\n\r\t"}"#,
        r#"{"empty":{},"none":[],"null":null,"deep":[[[{"_meta":{"path":"/x"}}]]]}"#,
    ]
    .map(str::to_owned)
    .into();
    values.push(format!(r#"{{"text":"{}"}}"#, "x".repeat(LARGE_BYTES)));
    values
}

fn spelled_otherwise() -> [String; 3] {
    [
        // Numbers as others print them.
        r#"{"n":[1.0,1E5,-0,12345678901234567890,0.10]}"#,
        // What need not be escaped but is.
        r#"{"t":"\u2028\u0000\u001f\/\"\\\b\f\n\r\t\ud83d\ude00"}"#,
        // Half a surrogate pair, which JavaScript can hold.
        r#"{"t":"\ud800","u":["\udfff"]}"#,
    ]
    .map(str::to_owned)
}

fn deep() -> [String; 2] {
    [("[", "]"), (r#"{"a":"#, "}")].map(|(open, close)| {
        format!(
            r#"{{"d":{}0{}}}"#,
            open.repeat(LEVELS),
            close.repeat(LEVELS)
        )
    })
}

async fn call(socket: &mut RawSocket, members: &str) -> String {
    socket
        .send_text(&format!(r#"{{"eventId":1,{members}}}"#))
        .await;
    loop {
        match socket.next().await {
            Got::Text(text) if text.starts_with(['{', '[']) => return text,
            Got::Close(..) | Got::End => panic!("the server closed the connection"),
            _ => {}
        }
    }
}

fn assert_holds(answer: &str, text: &str) {
    // Primus escapes these two in whatever it sends, and so do we.
    let text = &text
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029");
    let show = |text: &str| text.chars().take(300).collect::<String>();
    assert!(
        answer.contains(text),
        "{} is not in {}",
        show(text),
        show(answer)
    );
}
