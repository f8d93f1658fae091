//! See `hostile_input::digests`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hostile_input::digests(data));
