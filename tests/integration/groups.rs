//! Group files: what is read from them, and what is refused in which words.

mod reading;
mod refusing;
mod upstream;
