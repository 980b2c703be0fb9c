//! Parse, wire, exit code; nothing else.

fn main() {}
