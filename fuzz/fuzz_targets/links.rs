//! See `hostile_input::links`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hostile_input::links(data));
