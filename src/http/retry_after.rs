//! The `Retry-After` header (RFC 9110, section 10.2.3), by which a server asks to be left alone for a while.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, fmt::rfc2822::DateTimeParser};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// What a `Retry-After` header asks for: seconds, or a date, which is taken relative to the server's own clock where it tells it.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let then = http_date(value)?;
    let now = headers.get(DATE).and_then(|date| http_date(date.to_str().ok()?)).unwrap_or(now);
    Some(then.duration_since(now).max(SignedDuration::ZERO).unsigned_abs())
}

fn http_date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;
    use reqwest::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};

    use super::retry_after;

    fn asked(value: &'static str, date: Option<&'static str>) -> Option<Duration> {
        let mut headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))]);
        headers.extend(date.map(|date| (DATE, HeaderValue::from_static(date))));
        retry_after(&headers, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_server_may_ask_to_wait_in_seconds() {
        assert_eq!(asked("120", None), Some(Duration::from_secs(120)));
        assert_eq!(retry_after(&HeaderMap::new(), Timestamp::UNIX_EPOCH), None);
    }

    #[test]
    fn a_server_may_ask_to_wait_for_a_date_by_its_own_clock() {
        let date = Some("Sun, 06 Nov 1994 08:49:30 GMT");
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:37 GMT", date), Some(Duration::from_secs(7)));
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:00 GMT", date), Some(Duration::ZERO));
        assert_eq!(asked("Thu, 01 Jan 1970 00:01:00 GMT", None), Some(Duration::from_secs(60)));
    }

    #[test]
    fn what_asks_for_nothing_readable_asks_for_nothing() {
        for value in ["soon", "-1", "1.5", ""] {
            assert_eq!(asked(value, None), None, "{value}");
        }
    }
}
