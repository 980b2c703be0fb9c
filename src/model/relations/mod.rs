//! Partitions of patches, and the fewest writes from one to another.
