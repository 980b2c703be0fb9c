//! pasta
