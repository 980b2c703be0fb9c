//! What can be done to modules, as data.

use serde::{Deserialize, Serialize};

use super::{StreamDetails, StreamPath};
use crate::model::packages::{DistributionName, ModuleName, SeriesName, StreamName};

/// One change to the modules of a distribution. It is done in whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub enum ModuleOperation {
    /// Says all that there is to say of a stream, which becomes known if need be.
    SetStream {
        /// The distribution.
        distribution: DistributionName,
        /// The stream.
        stream: StreamPath,
        /// What is to be said of it.
        #[serde(flatten)]
        details: StreamDetails,
    },
    /// Takes a stream away, with all that is said of it.
    RemoveStream {
        /// The distribution.
        distribution: DistributionName,
        /// The stream.
        stream: StreamPath,
    },
    /// Makes a stream the default of its module.
    SetDefault {
        /// The distribution.
        distribution: DistributionName,
        /// The module.
        module: ModuleName,
        /// In this release; `None`: in all that have none of their own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        release: Option<SeriesName>,
        /// The stream; it may become known later.
        stream: StreamName,
    },
    /// Leaves a module without the default that it has.
    RemoveDefault {
        /// The distribution.
        distribution: DistributionName,
        /// The module.
        module: ModuleName,
        /// In this release; `None`: in all that have none of their own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        release: Option<SeriesName>,
    },
}

impl ModuleOperation {
    /// The distribution that it is about.
    #[must_use]
    pub const fn distribution(&self) -> &DistributionName {
        match self {
            Self::SetStream { distribution, .. }
            | Self::RemoveStream { distribution, .. }
            | Self::SetDefault { distribution, .. }
            | Self::RemoveDefault { distribution, .. } => distribution,
        }
    }

    /// The series whose record it changes.
    #[must_use]
    pub const fn series(&self) -> Option<&SeriesName> {
        match self {
            Self::SetDefault { release, .. } | Self::RemoveDefault { release, .. } => release.as_ref(),
            Self::SetStream { .. } | Self::RemoveStream { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::model::packages::Operation;

    #[test]
    fn an_operation_reads_back_from_what_the_log_keeps() {
        for text in [
            r#"{"op":"set-stream","distribution":"fedora","stream":"nodejs:8","eol":{"release":"f29"},"contexts":{"":{"version":0,"platforms":["-f27"],"packages":["nodejs"]}}}"#,
            r#"{"op":"set-stream","distribution":"fedora","stream":"perl:5.30","obsoletes":[{"modified":"2020-01-01T00:00:00Z","message":"old"}]}"#,
            r#"{"op":"remove-stream","distribution":"fedora","stream":"nodejs:8"}"#,
            r#"{"op":"set-default","distribution":"fedora","module":"perl","stream":"5.30"}"#,
            r#"{"op":"remove-default","distribution":"fedora","module":"perl","release":"f29"}"#,
        ] {
            let operation: Operation = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&operation).unwrap(), text);
            assert_eq!(operation.distribution().as_str(), "fedora");
            assert_eq!(
                operation.series().is_some(),
                text.contains("\"release\":\"f29\"") && text.contains("default")
            );
        }
    }
}
