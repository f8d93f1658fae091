//! See `hostile_input::masks`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hostile_input::masks(data));
