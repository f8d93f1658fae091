//! See `hostile_input::rules`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hostile_input::rules(data));
