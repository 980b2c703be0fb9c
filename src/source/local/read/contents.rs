//! What a file says of packages and of collections.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{PARTY, SERIES_NAME, STATUS_OF_SERIES};
use crate::model::packages::document::{
    BuiltDocument, CategoryDocument, GroupDocument, ListedVersion, ListingDocument, PackageDocument, VersionDocument,
};
use crate::model::packages::{
    Base, Branch, BuiltDetails, BuiltPackageName, CategoryDetails, CollectionStatus, GroupDetails, ListingDetails, Milestone,
    PackageDetails, Party, Requirement, SeriesDetails,
};
use crate::source::local::error::{ProblemKind, Problems};
use crate::source::local::table::{Keys, NAME, Need, Table};
use crate::source::local::tree::{Entry, Node, Value};

const BRANCH: Keys = Keys {
    prefix: "series.branch.",
    known: &["name", "dist_tag", "parent"],
};
const BASE: Keys = Keys {
    prefix: "series.bases.",
    known: &["base", "priority"],
};
const PACKAGE: Keys = Keys {
    prefix: "package.",
    known: &["name", "summary", "description", "review_url", "status", "version"],
};
const VERSION: Keys = Keys {
    prefix: "package.version.",
    known: &["version", "status", "built"],
};
const BUILT: Keys = Keys {
    prefix: "package.version.built.",
    known: &["name", "summary", "description"],
};
const LISTING: Keys = Keys {
    prefix: "series.listing.",
    known: &["package", "owner", "qa_contact", "component", "status", "versions"],
};
const LISTED_VERSION: Keys = Keys {
    prefix: "series.listing.versions.",
    known: &["version", "built"],
};
const GROUP: Keys = Keys {
    prefix: "series.group.",
    known: &["name", "title", "summary", "members"],
};
const MEMBER: Keys = Keys {
    prefix: "series.group.members.",
    known: &["type", "requires"],
};
const CATEGORY: Keys = Keys {
    prefix: "series.category.",
    known: &["name", "title", "summary", "groups"],
};

const TEXT: &str = "a text";
const A_VERSION: &str = "a version, as text";
const BUILT_NAMES: &str = "a list of names of built packages";

/// What is said of the series that a table is about. `need` is that of its status and its owner.
pub(super) fn series_details(table: &Table<'_>, need: Need, problems: &mut Problems<'_>) -> Option<SeriesDetails> {
    let title = table.text("title", TEXT, problems);
    let version = table.optional("version", A_VERSION, problems);
    let status = table.needed("status", STATUS_OF_SERIES, need, CollectionStatus::default, problems);
    let owner = table.needed("owner", PARTY, need, Party::orphan, problems);
    let summary = table.text("summary", TEXT, problems);
    let description = table.text("description", TEXT, problems);
    let branch = table.one("branch", problems, branch);
    let publish_url = table.optional("publish_url", "a URL, perhaps with [ARCH] and [PACKAGE]", problems);
    let pending_url = table.optional("pending_url", "a URL, perhaps with [ARCH] and [PACKAGE]", problems);
    let bases = table.each("bases", "a list of tables", problems, base);
    let dates = dates(table, problems);
    Some(SeriesDetails {
        title,
        version: version.unwrap_or_default(),
        status: status?,
        owner: owner?,
        summary,
        description,
        branch,
        publish_url,
        pending_url,
        bases,
        dates,
    })
}

/// The days of a series, by milestone.
fn dates(table: &Table<'_>, problems: &mut Problems<'_>) -> BTreeMap<Milestone, Date> {
    let Some(Entry { node, .. }) = table.entry("dates") else {
        return BTreeMap::new();
    };
    let Value::Table(entries) = &node.value else {
        let kind = ProblemKind::wrong("a table of dates, such as { released = \"2024-04-25\" }", node);
        table.report("dates", node.offset, kind, problems);
        return BTreeMap::new();
    };
    table.report_repeated(entries, problems);
    let mut dates = BTreeMap::new();
    for Entry { key, offset, node } in entries {
        let day = match &node.value {
            Value::Text(text) | Value::Date(text) => text.parse::<Date>().ok(),
            _ => None,
        };
        match (key.parse::<Milestone>(), day) {
            (Ok(milestone), Some(day)) => _ = dates.insert(milestone, day),
            (Err(error), _) => table.report("dates", *offset, ProblemKind::Refused(error.to_string()), problems),
            (Ok(_), None) => table.report(
                "dates",
                node.offset,
                ProblemKind::wrong("a day, such as \"2024-04-25\"", node),
                problems,
            ),
        }
    }
    dates
}

fn branch(node: &Node, problems: &mut Problems<'_>) -> Option<Branch> {
    let table = Table::new(node, BRANCH, &[], problems)?;
    let name = table.required("name", "the name of a branch", problems);
    let dist_tag = table.required("dist_tag", "what marks its builds, such as \".fc41\"", problems);
    let parent = table.optional("parent", SERIES_NAME, problems);
    Some(Branch {
        name: name?,
        dist_tag: dist_tag?,
        parent,
    })
}

fn base(node: &Node, problems: &mut Problems<'_>) -> Option<Base> {
    let table = Table::new(node, BASE, &[], problems)?;
    let base = table.required("base", SERIES_NAME, problems);
    let priority = table.integer("priority", problems).unwrap_or_default();
    let Ok(priority) = i32::try_from(priority) else {
        let expected = format!("a whole number from {} to {}", i32::MIN, i32::MAX);
        if let Some(Entry { node, .. }) = table.entry("priority") {
            table.report("priority", node.offset, ProblemKind::wrong(expected, node), problems);
        }
        return None;
    };
    Some(Base { base: base?, priority })
}

pub(super) fn package(node: &Node, problems: &mut Problems<'_>) -> Option<PackageDocument> {
    let table = Table::new(node, PACKAGE, &[], problems)?;
    let name = table.required("name", NAME, problems);
    let summary = table.text("summary", TEXT, problems);
    let description = table.text("description", TEXT, problems);
    let review_url = table.text("review_url", TEXT, problems);
    let status = table.required(
        "status",
        "one of awaitingreview, underreview, approved, denied, retired, removed",
        problems,
    );
    let versions = table.each("version", "[[package.version]] tables", problems, version);
    Some(PackageDocument {
        name: name?,
        details: PackageDetails {
            summary,
            description,
            review_url,
            status: status?,
        },
        versions,
    })
}

fn version(node: &Node, problems: &mut Problems<'_>) -> Option<VersionDocument> {
    let table = Table::new(node, VERSION, &[], problems)?;
    let version = table.required("version", A_VERSION, problems);
    let status = table.required(
        "status",
        "one of awaitingdevel, awaitingreview, awaitingqa, awaitingpublish, approved, denied, obsolete",
        problems,
    );
    let built = table.each("built", "a list of tables", problems, built);
    Some(VersionDocument {
        version: version?,
        status: status?,
        built,
    })
}

fn built(node: &Node, problems: &mut Problems<'_>) -> Option<BuiltDocument> {
    let table = Table::new(node, BUILT, &[], problems)?;
    let name = table.required("name", NAME, problems);
    let summary = table.text("summary", TEXT, problems);
    let description = table.text("description", TEXT, problems);
    Some(BuiltDocument {
        name: name?,
        details: BuiltDetails { summary, description },
    })
}

pub(super) fn listing(node: &Node, problems: &mut Problems<'_>) -> Option<ListingDocument> {
    let table = Table::new(node, LISTING, &[], problems)?;
    let package = table.required("package", NAME, problems);
    let owner = table.required("owner", PARTY, problems);
    let qa_contact = table.optional("qa_contact", PARTY, problems);
    let component = table.optional("component", NAME, problems);
    let status = table.required(
        "status",
        "one of awaitingreview, awaitingbranch, approved, denied, obsolete",
        problems,
    );
    let versions = table.each("versions", "a list of tables", problems, listed_version);
    Some(ListingDocument {
        package: package?,
        details: ListingDetails {
            owner: owner?,
            qa_contact,
            component,
            status: status?,
        },
        versions,
    })
}

fn listed_version(node: &Node, problems: &mut Problems<'_>) -> Option<ListedVersion> {
    let table = Table::new(node, LISTED_VERSION, &[], problems)?;
    let version = table.required("version", A_VERSION, problems);
    let built = table.names("built", BUILT_NAMES, problems).into_iter().collect();
    Some(ListedVersion { version: version?, built })
}

pub(super) fn group(node: &Node, problems: &mut Problems<'_>) -> Option<GroupDocument> {
    let table = Table::new(node, GROUP, &[], problems)?;
    let name = table.required("name", NAME, problems);
    let title = table.required("title", TEXT, problems);
    let summary = table.text("summary", TEXT, problems);
    let members = members(&table, problems);
    Some(GroupDocument {
        name: name?,
        details: GroupDetails {
            title: title?,
            summary,
            members,
        },
    })
}

fn members(table: &Table<'_>, problems: &mut Problems<'_>) -> BTreeMap<BuiltPackageName, Requirement> {
    let mut members = BTreeMap::new();
    let Some(entry) = table.entry("members") else { return members };
    let Value::Table(entries) = &entry.node.value else {
        let kind = ProblemKind::wrong("a table with a table for each built package", &entry.node);
        table.report("members", entry.node.offset, kind, problems);
        return members;
    };
    table.report_repeated(entries, problems);
    for Entry { key, offset, node } in entries {
        let requirement = requirement(node, problems);
        match key.parse() {
            Ok(built) => members.extend(requirement.map(|requirement| (built, requirement))),
            Err(error) => {
                let error: crate::model::packages::NameError = error;
                table.report("members", *offset, ProblemKind::Refused(error.to_string()), problems);
            }
        }
    }
    members
}

fn requirement(node: &Node, problems: &mut Problems<'_>) -> Option<Requirement> {
    let table = Table::new(node, MEMBER, &[], problems)?;
    let words = ["mandatory", "default", "optional", "conditional"];
    let word = table.one_of("type", &words, |word| word, Need::Required, problems);
    if word == Some("conditional") {
        let requires = table.required("requires", NAME, problems)?;
        return Some(Requirement::Conditional { requires });
    }
    if let Some(entry) = table.entry("requires") {
        let kind = ProblemKind::Refused("it goes with `type = \"conditional\"` only: remove one of the two".to_owned());
        table.report("requires", entry.offset, kind, problems);
    }
    match word? {
        "mandatory" => Some(Requirement::Mandatory),
        "default" => Some(Requirement::Default),
        _ => Some(Requirement::Optional),
    }
}

pub(super) fn category(node: &Node, problems: &mut Problems<'_>) -> Option<CategoryDocument> {
    let table = Table::new(node, CATEGORY, &[], problems)?;
    let name = table.required("name", NAME, problems);
    let title = table.required("title", TEXT, problems);
    let summary = table.text("summary", TEXT, problems);
    let groups = table.names("groups", "a list of groups of the same series", problems);
    Some(CategoryDocument {
        name: name?,
        details: CategoryDetails {
            title: title?,
            summary,
            groups: groups.into_iter().collect(),
        },
    })
}
