//! What is better seen than read, as SVG: lifecycles, and how far a tracker was from what is wanted.
//!
//! A picture is a function of values of [`model`](crate::model): the command line prints it, and a page shows the same. It has a title, a description,
//! and words wherever it has a colour, and it looks well on a light and on a dark screen.

mod drift;
mod lifecycle;
mod svg;

pub use drift::drift;
pub use lifecycle::{matrix, timeline};
