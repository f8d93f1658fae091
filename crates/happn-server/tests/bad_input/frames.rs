//! Frames that are too much, too deep or nothing at all.

use crate::harness::{assert_answers, client, plain, serve, until_closed};
use crate::raw::{Got, Opcode, encode};

#[tokio::test]
async fn frames_that_are_no_requests_are_ignored() {
    let server = plain().await;
    let mut socket = client(&server).await;
    let deep = "[".repeat(100_000);
    let deep_object = r#"{"a":"#.repeat(100_000);
    for text in [
        "",
        "this is not json",
        "null",
        "true",
        "5",
        "1e999",
        "[]",
        "[1,2]",
        "{}",
        "\"hello\"",
        "\"primus::\"",
        "\"primus::foo::bar\"",
        "\"\\ud800\"",
        "{\"action\":",
        "\u{0}",
        &deep,
        &deep_object,
    ] {
        socket.send_text(text).await;
        socket
            .send_raw(&encode(Opcode::Binary, text.as_bytes()))
            .await;
        assert_answers(&mut socket).await;
    }
}

#[tokio::test]
async fn deeply_nested_data_is_answered() {
    let server = plain().await;
    let mut socket = client(&server).await;
    let deep = format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
    for options in [
        "{}",
        r#"{"merge":true}"#,
        r#"{"increment":1}"#,
        r#"{"noStore":true}"#,
    ] {
        for data in [&deep, &format!("[{deep}]")] {
            let text = format!(
                r#"{{"action":"set","eventId":"deep","path":"/deep","data":{data},"options":{options}}}"#
            );
            socket.send_text(&text).await;
            assert_answers(&mut socket).await;
        }
    }
    for member in ["options", "path", "sessionId", "action", "eventId"] {
        let text = format!(r#"{{"action":"get","path":"/deep","{member}":{deep}}}"#);
        socket.send_text(&text).await;
        assert_answers(&mut socket).await;
    }
}

#[tokio::test]
async fn a_message_above_the_limit_is_closed_with_1009() {
    let (server, _) = serve(|_| (), |config| config.message_bytes_max = 1000).await;
    let mut socket = client(&server).await;
    socket.send_text(&"x".repeat(2000)).await;
    let came = until_closed(&mut socket).await;
    assert_eq!(came, [Got::Close(Some(1009), String::new())]);
    // Claims to be enormous and sends nothing of it.
    let mut socket = client(&server).await;
    socket
        .send_raw(&[
            0x81, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4,
        ])
        .await;
    assert!(matches!(
        until_closed(&mut socket).await[..],
        [Got::Close(Some(_), _)]
    ));
    // In pieces.
    let mut socket = client(&server).await;
    let mut piece = encode(Opcode::Text, &[b'x'; 600]);
    piece[0] &= 0x7F;
    socket.send_raw(&piece).await;
    socket
        .send_raw(&encode(Opcode::Continuation, &[b'x'; 600]))
        .await;
    let came = until_closed(&mut socket).await;
    assert_eq!(came, [Got::Close(Some(1009), String::new())]);
}
