//! How the daemon goes about its work.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

/// How the daemon goes about its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Daemon {
    /// Where it tells how things stand. Default: `127.0.0.1:7319`.
    pub listen: Listen,
    /// How much later than its rule says something may begin, in seconds; how much is drawn for each time. Default 30: much in the world happens on
    /// the full minute, and servers feel it.
    pub jitter_seconds: u32,
    /// How long is waited after a first failure, in seconds; each further one doubles it. Default 60.
    pub backoff_seconds: NonZeroU32,
    /// The longest such wait, in seconds, no less than [`Self::backoff_seconds`]. Default 3600.
    pub max_backoff_seconds: NonZeroU32,
    /// How many runs of each job are kept in the record. Default 1000: three and a half days of one every five minutes.
    pub keep_runs: NonZeroU32,
    /// Who is told what a person should know. Default: nobody.
    pub notice: Option<Notice>,
}

/// Where the daemon tells how things stand, over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    /// Nowhere.
    Off,
    /// At this address. Whoever reaches it may read all that is told there.
    At(SocketAddr),
}

impl Default for Listen {
    /// This machine alone may ask.
    fn default() -> Self {
        Self::At(SocketAddr::from((Ipv4Addr::LOCALHOST, 7319)))
    }
}

impl Listen {
    /// The address, if other machines may ask there: nobody has to say who they are.
    #[must_use]
    pub const fn open_to_others(self) -> Option<SocketAddr> {
        match self {
            Self::At(address) if !address.ip().to_canonical().is_loopback() => Some(address),
            Self::At(_) | Self::Off => None,
        }
    }
}

impl FromStr for Listen {
    type Err = NoListen;

    fn from_str(text: &str) -> Result<Self, NoListen> {
        match text {
            "off" => Ok(Self::Off),
            _ => text.parse().map(Self::At).map_err(|_| NoListen),
        }
    }
}

/// A text that is no place to listen at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither an address with a port nor `off`")]
pub struct NoListen;

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::At(address) => address.fmt(f),
        }
    }
}

/// Who is told what a person should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The command and its arguments; at least the command. It gets what there is to tell as JSON on its standard input.
    pub command: Vec<String>,
    /// How long it may take, in seconds, at most 120: no sign of life comes of it. Default 30.
    pub seconds: NonZeroU32,
    /// How many failures in a row are worth telling. Default 3: single ones mend themselves.
    pub failures: NonZeroU32,
}

impl Notice {
    /// How long the command may take when nothing else is said, in seconds.
    pub(super) const SECONDS: NonZeroU32 = NonZeroU32::MIN.saturating_add(29);
    /// How many failures are worth telling when nothing else is said.
    pub(super) const FAILURES: NonZeroU32 = NonZeroU32::MIN.saturating_add(2);

    /// How long the command may take.
    #[must_use]
    pub fn patience(&self) -> Duration {
        Duration::from_secs(self.seconds.get().into())
    }
}

impl Default for Daemon {
    fn default() -> Self {
        Self {
            listen: Listen::default(),
            jitter_seconds: 30,
            backoff_seconds: NonZeroU32::MIN.saturating_add(59),
            max_backoff_seconds: NonZeroU32::MIN.saturating_add(3599),
            keep_runs: NonZeroU32::MIN.saturating_add(999),
            notice: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Listen;

    #[test]
    fn only_an_address_of_this_machine_is_closed_to_others() {
        for (text, is_open) in [
            ("off", false),
            ("127.0.0.1:80", false),
            ("127.3.2.1:80", false),
            ("[::1]:80", false),
            ("[::ffff:127.0.0.1]:80", false),
            ("0.0.0.0:80", true),
            ("[::]:80", true),
            ("192.0.2.1:80", true),
        ] {
            let listen: Listen = text.parse().unwrap();
            assert_eq!((listen.open_to_others().is_some(), listen.to_string()), (is_open, text.to_owned()));
        }
        for text in ["", "on", "localhost:80", "127.0.0.1", ":80", "127.0.0.1:70000"] {
            assert!(text.parse::<Listen>().is_err(), "{text}");
        }
    }
}
