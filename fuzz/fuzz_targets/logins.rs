//! See `hostile_input::logins`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hostile_input::logins(data));
