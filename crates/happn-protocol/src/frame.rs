//! One complete server frame: websocket header and payload in one shared allocation.

use std::cell::Cell;
use std::sync::Arc;

/// The longest header of an unmasked frame: two bytes and a 64-bit length.
const HEADER_MAX: usize = 10;

/// An unmasked websocket text frame, encoded once and shared by every recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFrame {
    bytes: Arc<[u8]>,
    payload_at: u8,
}

impl ServerFrame {
    /// Encodes `payload` as one frame.
    #[must_use]
    pub fn text(payload: &str) -> Self {
        let mut frame = FrameBuilder::with_capacity(payload.len());
        frame.payload().extend_from_slice(payload.as_bytes());
        frame.finish()
    }

    /// Header and payload, ready for the stream.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The payload alone, for transports that frame by themselves.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.bytes[usize::from(self.payload_at)..]
    }

    /// Bytes this frame puts on the wire.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Never true: a frame has at least its header.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// Collects a payload behind room for its header.
///
/// Frames are written into a buffer that the thread uses again and again, and then copied once
/// into an allocation of exactly their size.
#[derive(Debug)]
pub struct FrameBuilder {
    buffer: Vec<u8>,
}

/// A thread keeps no more than this for its next frame.
const BUFFER_KEPT_MAX: usize = 64 * 1024;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl FrameBuilder {
    /// Starts a frame; `payload_len` is a guess that saves reallocations.
    #[must_use]
    pub fn with_capacity(payload_len: usize) -> Self {
        let mut buffer = BUFFER.take();
        buffer.clear();
        buffer.reserve(HEADER_MAX + payload_len);
        buffer.extend_from_slice(&[0; HEADER_MAX]);
        Self { buffer }
    }

    /// Bytes of the payload so far.
    #[must_use]
    pub fn payload_len(&self) -> usize {
        self.buffer.len() - HEADER_MAX
    }

    /// Where to append the payload. What is already there must stay.
    pub fn payload(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Writes the header in front of the payload. The payload must be UTF-8.
    #[must_use]
    pub fn finish(mut self) -> ServerFrame {
        let payload_len = self.payload_len();
        let start = match payload_len {
            0..=125 => HEADER_MAX - 2,
            126..=65_535 => HEADER_MAX - 4,
            _ => 0,
        };
        let header = &mut self.buffer[start..HEADER_MAX];
        header[0] = 0x81;
        match header.len() {
            2 => header[1] = payload_len as u8,
            4 => {
                header[1] = 126;
                header[2..].copy_from_slice(&(payload_len as u16).to_be_bytes());
            }
            _ => {
                header[1] = 127;
                header[2..].copy_from_slice(&(payload_len as u64).to_be_bytes());
            }
        }
        let payload_at = (HEADER_MAX - start) as u8;
        let bytes = Arc::from(&self.buffer[start..]);
        if self.buffer.capacity() <= BUFFER_KEPT_MAX {
            BUFFER.set(self.buffer);
        }
        ServerFrame { bytes, payload_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_grows_with_the_payload() {
        for (len, header) in [
            (0, vec![0x81, 0]),
            (125, vec![0x81, 125]),
            (126, vec![0x81, 126, 0, 126]),
            (65_535, vec![0x81, 126, 0xFF, 0xFF]),
            (65_536, vec![0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let frame = ServerFrame::text(&"x".repeat(len));
            assert_eq!(
                &frame.as_bytes()[..header.len()],
                &header[..],
                "payload of {len}"
            );
            assert_eq!(frame.payload().len(), len);
        }
    }
}
