//! From the configuration of a distribution's services to how they are read.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::{SourceSettings, SourcesOrder};
use crate::config::{Distribution, FileOrUrl, ModulesAt, ReadSets, Services, Source, SourceKind};
use crate::http::RetryPolicy;
use crate::model::packages::{DistributionDetails, DistributionName};
use crate::source::{FileAt, HttpSettings, bodhi, distgit, distro_info, launchpad, local, modulemd};

/// How many requests to a service are under way at once.
const CONCURRENT_REQUESTS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(3);

/// How long a request may take. Launchpad gives up on its own after half of that.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How long a service is asked again and again that does not answer.
const PATIENCE: Duration = Duration::from_secs(300);

/// The most rows that Launchpad gives at once: `max_batch_size` of its web service.
const ROWS_PER_PAGE: std::num::NonZeroU32 = std::num::NonZeroU32::MIN.saturating_add(299);

impl SourcesOrder {
    /// The services of a distribution as its configuration describes them. With `reread`, what was read before is forgotten.
    #[must_use]
    pub fn of(distribution: &Distribution, services: &Services, reread: bool) -> Self {
        let Services {
            sharing,
            versions,
            listed,
            sources,
        } = services;
        Self {
            name: distribution.name.clone(),
            founding: DistributionDetails {
                sharing: *sharing,
                versions: *versions,
                series: None,
                permit_obsolete_uploads: false,
            },
            sources: sources.iter().map(|source| settings(&distribution.name, source)).collect(),
            listed: listed.clone(),
            thresholds: distribution.guard.thresholds(),
            reread,
        }
    }
}

fn settings(distribution: &DistributionName, source: &Source) -> SourceSettings {
    let Source {
        name,
        kind,
        contact,
        requests_per_second,
    } = source;
    let name = name.clone();
    let http = HttpSettings {
        contact: contact.clone(),
        requests_per_second: *requests_per_second,
        concurrent_requests: CONCURRENT_REQUESTS,
        timeout: TIMEOUT,
        retry: RetryPolicy::lasting(PATIENCE),
    };
    match kind {
        SourceKind::Launchpad { url, series, read_sets } => SourceSettings::Launchpad(launchpad::Settings {
            name,
            url: url.clone(),
            distribution: distribution.clone(),
            series: series.clone(),
            reread: match read_sets {
                ReadSets::Listed => launchpad::Reread::Listed,
                ReadSets::Unreleased => launchpad::Reread::Unreleased,
                ReadSets::Living => launchpad::Reread::Living,
            },
            rows_per_page: ROWS_PER_PAGE,
            http,
        }),
        SourceKind::Bodhi { url, id_prefixes } => SourceSettings::Bodhi(bodhi::Settings {
            name,
            url: url.clone(),
            id_prefixes: id_prefixes.clone(),
            http,
        }),
        SourceKind::Distgit { url, namespace, branches } => SourceSettings::Distgit(distgit::Settings {
            name,
            url: url.clone(),
            forge: distgit::ForgeKind::Pagure,
            namespace: namespace.clone(),
            branches: branches.clone(),
            http,
        }),
        SourceKind::DistroInfo { at } => SourceSettings::DistroInfo(distro_info::Settings {
            name,
            at: file_at(at, http),
        }),
        SourceKind::Local { file } => SourceSettings::Local(local::Settings { name, path: file.clone() }),
        SourceKind::Modulemd { at, release } => SourceSettings::Modulemd(modulemd::Settings {
            name,
            at: match at {
                ModulesAt::File(at) => modulemd::At::File(file_at(at, http)),
                ModulesAt::Repository(url) => modulemd::At::Repository { url: url.clone(), http },
            },
            release: release.clone(),
        }),
    }
}

fn file_at(at: &FileOrUrl, http: HttpSettings) -> FileAt {
    match at {
        FileOrUrl::File(file) => FileAt::Disk(file.clone()),
        FileOrUrl::Url(url) => FileAt::Web { url: url.clone(), http },
    }
}
