//! See `hostile_input::envelopes`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hostile_input::envelopes(data));
