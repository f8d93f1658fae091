//! Websocket frames, byte by byte.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

use super::Got;

#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
}

/// A complete, masked frame.
pub fn encode(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [7, 11, 13, 17];
    let mut frame = vec![0x80 | opcode as u8];
    match payload.len() {
        len @ 0..=125 => frame.push(0x80 | len as u8),
        len @ 126..=0xFFFF => {
            frame.push(0x80 | 126);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(0x80 | 127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(
        payload
            .iter()
            .zip(MASK.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    frame
}

/// Reads one frame as a server must send it: unmasked and unfragmented.
pub async fn read(stream: &mut (impl AsyncRead + Unpin), bytes_max: u64) -> io::Result<Got> {
    let first = stream.read_u8().await?;
    let len = match stream.read_u8().await? {
        126 => u64::from(stream.read_u16().await?),
        127 => stream.read_u64().await?,
        len => u64::from(len),
    };
    if len > bytes_max {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut payload = vec![0; len as usize];
    stream.read_exact(&mut payload).await?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(match first {
        0x81 => Got::Text(text(&payload)),
        0x88 => match payload.split_first_chunk() {
            Some((code, reason)) => Got::Close(Some(u16::from_be_bytes(*code)), text(reason)),
            None => Got::Close(None, String::new()),
        },
        0x89 => Got::Ping(payload),
        0x8A => Got::Pong(payload),
        odd => Got::Odd(odd),
    })
}
