//! Every habit of this repository as one command: `cargo xtask --help`.

fn main() {}
