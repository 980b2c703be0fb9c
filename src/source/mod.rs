//! Where the data of distributions come from, a file or folder for each source.

pub mod modulemd;
