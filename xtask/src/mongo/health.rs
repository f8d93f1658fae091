//! Whether something that speaks MongoDB's protocol listens on a port.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(2);
const OP_MSG: i32 = 2013;

/// Asks `hello` of the server on `port` of this machine and waits for an answer.
pub(super) fn answers(port: u16) -> bool {
    ask(port).unwrap_or(false)
}

fn ask(port: u16) -> std::io::Result<bool> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(&message(&hello()))?;
    let mut header = [0; 16];
    stream.read_exact(&mut header)?;
    Ok(header[12..] == OP_MSG.to_le_bytes())
}

/// `{hello: 1, $db: "admin"}`.
fn hello() -> Vec<u8> {
    let mut body = b"\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0".to_vec();
    let length = body.len() as i32 + 4;
    body.splice(..0, length.to_le_bytes());
    body
}

/// Length, request id, what it answers, kind; then no flags and one document.
fn message(document: &[u8]) -> Vec<u8> {
    let length = document.len() as i32 + 21;
    let mut message = Vec::new();
    for field in [length, 1, 0, OP_MSG, 0] {
        message.extend_from_slice(&field.to_le_bytes());
    }
    message.push(0);
    message.extend_from_slice(document);
    message
}
