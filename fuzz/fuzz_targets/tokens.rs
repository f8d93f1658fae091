//! See `hostile_input::tokens`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hostile_input::tokens(data));
