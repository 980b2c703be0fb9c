//! From the tree of a file to a document. Everything is looked at before anything is given up.

mod contents;
mod counts;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::str::FromStr;

use super::FileFormat;
use super::error::{ProblemKind, Problems};
use super::table::{Keys, NAME, Need, TARGETS, Table, names};
use super::tree::{Entry, Node, Value};
use crate::model::packages::document::{
    DistributionDocument, OnSet, PermissionDocument, SeriesDocument, SeriesTarget, SetBody, SetContent, SetDocument, WideTarget,
};
use crate::model::packages::{Action, Party, PermissionStatus, Pocket, Sharing, VersionScheme};

const ROOT: Keys = Keys {
    prefix: "",
    known: &[
        "contents",
        "name",
        "sharing",
        "versions",
        "current_series",
        "permit_obsolete_uploads",
        "packages",
        "package",
        "permissions",
        "teams",
        "series",
        "end",
    ],
};
const SERIES: Keys = Keys {
    prefix: "series.",
    known: &[
        "name",
        "title",
        "version",
        "status",
        "owner",
        "summary",
        "description",
        "branch",
        "publish_url",
        "pending_url",
        "bases",
        "dates",
        "from",
        "permissions",
        "packageset",
        "listing",
        "group",
        "category",
    ],
};
const SET: Keys = Keys {
    prefix: "series.packageset.",
    known: &[
        "name",
        "score",
        "as_in",
        "group",
        "owner",
        "description",
        "subsets",
        "sources",
        "permissions",
    ],
};
const WIDE_PERMISSION: Keys = Keys {
    prefix: "permissions.",
    known: &["party", "action", "status", "package", "component", "pocket"],
};
const SERIES_PERMISSION: Keys = Keys {
    prefix: "series.permissions.",
    known: &["party", "action", "status", "package", "pocket"],
};
const SET_PERMISSION: Keys = Keys {
    prefix: "series.packageset.permissions.",
    known: &["party", "action", "status", "explicit"],
};

const PARTY: &str = "a person's name, or @ and a team's";
const SERIES_NAME: &str = "the name of a series of this file";
const STATUS_OF_SERIES: &str = "one of future, experimental, development, frozen, active, maintenance, eol, rejected";

/// What a permission on a tracker's project would say, which no distribution has.
const PROJECT: [&str; 2] = ["project", "tracker"];

/// Reads a whole document; `None` where something is missing or wrong without which there is none. Then there is a problem. `need` says whether series have
/// to have a status and an owner, and package sets an owner.
pub(super) fn document(tree: &Node, format: FileFormat, need: Need, problems: &mut Problems<'_>) -> Option<DistributionDocument> {
    let root = Table::new(tree, ROOT, &[], problems)?;
    counts::check(&root, format, problems);
    let name = root.required("name", "the name of the distribution", problems);
    let sharing = root.one_of("sharing", &Sharing::ALL, Sharing::word, Need::Required, problems);
    let versions = root.one_of("versions", &VersionScheme::ALL, VersionScheme::word, Need::Required, problems);
    let current_series = root.optional("current_series", SERIES_NAME, problems);
    let permit_obsolete_uploads = root.flag("permit_obsolete_uploads", problems);
    let packages = root.names("packages", "a list of names of packages", problems);
    let described = root.each("package", "[[package]] tables", problems, contents::package);
    let permissions = root.each("permissions", "a list of tables", problems, wide_permission);
    let teams = teams(&root, problems);
    let series = root.each("series", "[[series]] tables", problems, |node, problems| {
        series(node, need, problems)
    });
    Some(DistributionDocument {
        name: name?,
        sharing: sharing?,
        versions: versions?,
        current_series,
        permit_obsolete_uploads,
        packages: packages.into_iter().collect(),
        described,
        permissions,
        teams,
        series,
    })
}

fn teams<K: FromStr<Err: Display> + Ord, V: FromStr<Err: Display> + Ord>(
    root: &Table<'_>,
    problems: &mut Problems<'_>,
) -> BTreeMap<K, BTreeSet<V>> {
    let Some(entry) = root.entry("teams") else {
        return BTreeMap::new();
    };
    let Value::Table(entries) = &entry.node.value else {
        let kind = ProblemKind::wrong("a [teams] table with a list of members for each team", &entry.node);
        problems.push(entry.node.offset, "teams".to_owned(), kind);
        return BTreeMap::new();
    };
    root.report_repeated(entries, problems);
    let mut teams = BTreeMap::new();
    for Entry { key, offset, node } in entries {
        let members = names(node, "teams", "a list of people, and of teams with @", problems);
        match key.parse::<K>() {
            Ok(team) => {
                teams.insert(team, members.into_iter().collect());
            }
            Err(error) => problems.push(*offset, "teams".to_owned(), ProblemKind::Refused(error.to_string())),
        }
    }
    teams
}

fn series(node: &Node, need: Need, problems: &mut Problems<'_>) -> Option<SeriesDocument> {
    let table = Table::new(node, SERIES, &[], problems)?;
    let name = table.required("name", NAME, problems);
    let details = contents::series_details(&table, need, problems);
    let from = table.optional(
        "from",
        "the name of a series, one of another distribution as in ubuntu/noble",
        problems,
    );
    let permissions = table.each("permissions", "a list of tables", problems, series_permission);
    let packagesets = table.each("packageset", "[[series.packageset]] tables", problems, |node, problems| {
        set(node, need, problems)
    });
    let listings = table.each("listing", "[[series.listing]] tables", problems, contents::listing);
    let groups = table.each("group", "[[series.group]] tables", problems, contents::group);
    let categories = table.each("category", "[[series.category]] tables", problems, contents::category);
    Some(SeriesDocument {
        name: name?,
        details: details?,
        from,
        permissions,
        packagesets,
        listings,
        groups,
        categories,
    })
}

fn set(node: &Node, need: Need, problems: &mut Problems<'_>) -> Option<SetDocument> {
    let table = Table::new(node, SET, &[], problems)?;
    let name = table.required("name", NAME, problems);
    let score = table.integer("score", problems);
    let body = if table.entry("as_in").is_some() {
        for key in ["group", "owner", "description", "subsets", "sources", "permissions"] {
            if let Some(entry) = table.entry(key) {
                table.report(key, entry.offset, ProblemKind::BesideAsIn, problems);
            }
        }
        let as_in = table.optional("as_in", SERIES_NAME, problems);
        as_in.map(|as_in| SetBody::AsIn { as_in })
    } else {
        content(&table, need, problems).map(SetBody::Own)
    };
    Some(SetDocument {
        name: name?,
        score: score.unwrap_or_default(),
        body: body?,
    })
}

fn content(table: &Table<'_>, need: Need, problems: &mut Problems<'_>) -> Option<SetContent> {
    let group = table.optional("group", "the name of a group, such as \"ubuntu/core\"", problems);
    let owner = table.needed("owner", PARTY, need, Party::orphan, problems);
    let description = table.text("description", "a text", problems);
    let subsets = table.names("subsets", "a list of package sets of the same series", problems);
    let sources = table.names("sources", "a list of names of packages", problems);
    let permissions = table.each("permissions", "a list of tables", problems, set_permission);
    Some(SetContent {
        group,
        owner: owner?,
        description: description.unwrap_or_default(),
        subsets: subsets.into_iter().collect(),
        sources: sources.into_iter().collect(),
        permissions,
    })
}

/// Whether it is on a tracker's project; then there is a problem.
fn is_on_project(table: &Table<'_>, problems: &mut Problems<'_>) -> bool {
    if let Some(entry) = table.entry("project") {
        let kind = ProblemKind::Targets {
            found: "a tracker's project".to_owned(),
            remedy: "who maintains one is the tracker's to say; remove this entry, and make them maintainers there".to_owned(),
        };
        table.report("project", entry.offset, kind, problems);
        return true;
    }
    if table.entry("tracker").is_some() {
        table.report_unknown("tracker", problems);
    }
    false
}

fn wide_permission(node: &Node, problems: &mut Problems<'_>) -> Option<PermissionDocument<WideTarget>> {
    let table = Table::new(node, WIDE_PERMISSION, &PROJECT, problems)?;
    if is_on_project(&table, problems) {
        return None;
    }
    let target = match table.target("name one of `package`, `component` and `pocket`", problems) {
        Some("package") => table
            .optional("package", NAME, problems)
            .map(|package| WideTarget::Package { package }),
        Some("component") => table
            .optional("component", NAME, problems)
            .map(|component| WideTarget::Component { component }),
        Some("pocket") => pocket(&table, problems).map(|pocket| WideTarget::Pocket { pocket }),
        _ => None,
    };
    permission(&table, target, problems)
}

fn series_permission(node: &Node, problems: &mut Problems<'_>) -> Option<PermissionDocument<SeriesTarget>> {
    let table = Table::new(node, SERIES_PERMISSION, &["component", "project", "tracker"], problems)?;
    if is_on_project(&table, problems) {
        return None;
    }
    let target = match table.target(
        "name `package` or `pocket`; what is not of one series stands under `permissions` at the top",
        problems,
    ) {
        Some("package") => table
            .optional("package", NAME, problems)
            .map(|package| SeriesTarget::Listing { package }),
        Some("pocket") => pocket(&table, problems).map(|pocket| SeriesTarget::Pocket { pocket }),
        Some(key) => {
            table.report_unknown(key, problems);
            None
        }
        None => None,
    };
    permission(&table, target, problems)
}

fn set_permission(node: &Node, problems: &mut Problems<'_>) -> Option<PermissionDocument<OnSet>> {
    let table = Table::new(
        node,
        SET_PERMISSION,
        &["package", "component", "pocket", "project", "tracker"],
        problems,
    )?;
    if is_on_project(&table, problems) {
        return None;
    }
    for key in TARGETS {
        if let Some(entry) = table.entry(key) {
            let kind = ProblemKind::Targets {
                found: format!("the package set and on a {key}"),
                remedy: format!("give that on the {key} its own entry, under `permissions` of the series or at the top"),
            };
            table.report(key, entry.offset, kind, problems);
        }
    }
    let explicit = table.flag("explicit", problems);
    permission(&table, Some(OnSet { explicit }), problems)
}

fn permission<T>(table: &Table<'_>, target: Option<T>, problems: &mut Problems<'_>) -> Option<PermissionDocument<T>> {
    let party = table.required("party", PARTY, problems);
    let action = table.one_of("action", &Action::ALL, Action::word, Need::Required, problems);
    let status = table.one_of("status", &PermissionStatus::ALL, PermissionStatus::word, Need::Optional, problems);
    Some(PermissionDocument {
        party: party?,
        action: action?,
        target: target?,
        status: status.unwrap_or(PermissionStatus::Approved),
    })
}

fn pocket(table: &Table<'_>, problems: &mut Problems<'_>) -> Option<Pocket> {
    table.one_of("pocket", &Pocket::ALL, Pocket::word, Need::Optional, problems)
}
