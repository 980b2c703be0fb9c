//! Shares of a whole, as guards weigh and tell them.

/// A part of a whole in per cent.
pub(in crate::model) fn percent(part: usize, whole: usize) -> String {
    self::whole(share(part, whole))
}

/// A fraction of one in per cent.
pub(in crate::model) fn whole(fraction: f64) -> String {
    format!("{:.1} %", fraction * 100.0)
}

/// A part of a whole, from 0 to 1; none of nothing.
pub(in crate::model) fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
