//! Writing many frames per system call.

use std::io::{self, IoSlice};

use happn_protocol::ServerFrame;
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// Frames up to this size are copied together; larger ones are handed over where they lie.
const COPY_BYTES_MAX: usize = 2048;

/// Bytes collected before a write.
const BATCH_BYTES: usize = 32 * 1024;

/// Writes `frames` in order, through whatever the stream buffers itself, as TLS does.
///
/// # Errors
/// Whatever the stream says. Not cancel-safe: a frame may be cut in the middle.
pub(crate) async fn write_frames<S: AsyncWrite + Unpin>(
    stream: &mut S,
    frames: &[ServerFrame],
) -> io::Result<()> {
    if let [only] = frames {
        stream.write_all(only.as_bytes()).await?;
        return stream.flush().await;
    }
    let mut batch = Vec::new();
    for frame in frames {
        let bytes = frame.as_bytes();
        if bytes.len() > COPY_BYTES_MAX {
            write_both(stream, &batch, bytes).await?;
            batch.clear();
            continue;
        }
        if batch.is_empty() {
            batch.reserve(BATCH_BYTES.min(frames.len() * bytes.len().max(64)));
        }
        batch.extend_from_slice(bytes);
        if batch.len() >= BATCH_BYTES {
            stream.write_all(&batch).await?;
            batch.clear();
        }
    }
    stream.write_all(&batch).await?;
    stream.flush().await
}

async fn write_both<S: AsyncWrite + Unpin>(
    stream: &mut S,
    mut first: &[u8],
    mut second: &[u8],
) -> io::Result<()> {
    while !first.is_empty() || !second.is_empty() {
        let written = stream
            .write_vectored(&[IoSlice::new(first), IoSlice::new(second)])
            .await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        let of_first = written.min(first.len());
        first = &first[of_first..];
        second = &second[written - of_first..];
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The plain websocket library is the oracle: it must read back exactly what went in.
    #[tokio::test]
    async fn a_websocket_library_reads_what_is_written_here() {
        use futures_util::StreamExt;
        use tokio_tungstenite::WebSocketStream;
        use tokio_tungstenite::tungstenite::protocol::Role;

        let payloads: Vec<String> = [0, 1, 125, 126, 2000, 3000, 65_535, 65_536, 5, 100_000, 7]
            .iter()
            .map(|&len| "é".repeat(len))
            .collect();
        let frames: Vec<_> = payloads
            .iter()
            .map(|text| ServerFrame::text(text))
            .collect();
        let (mut near, far) = tokio::io::duplex(1000);
        let reading = tokio::spawn(async move {
            let client = WebSocketStream::from_raw_socket(far, Role::Client, None).await;
            client
                .take(11)
                .map(|message| message.unwrap().into_text().unwrap().to_string())
                .collect::<Vec<_>>()
                .await
        });
        write_frames(&mut near, &frames).await.unwrap();
        assert_eq!(reading.await.unwrap(), payloads);
    }
}
