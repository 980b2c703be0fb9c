//! Packages and collections as lines of TOML.

use super::{Lines, inline, key, quoted};
use crate::model::packages::document::{
    BuiltDocument, CategoryDocument, GroupDocument, ListedVersion, ListingDocument, PackageDocument, VersionDocument,
};
use crate::model::packages::{
    Base, Branch, BuiltDetails, CategoryDetails, GroupDetails, ListingDetails, PackageDetails, Requirement, SeriesDetails, UrlTemplate,
};

impl Lines {
    pub(super) fn series_details(&mut self, details: &SeriesDetails) {
        let SeriesDetails {
            title,
            version,
            status,
            owner,
            summary,
            description,
            branch,
            publish_url,
            pending_url,
            bases,
            dates,
        } = details;
        self.optional("title", title.as_ref());
        self.text("version", version);
        self.text("status", status);
        self.text("owner", owner);
        self.optional("summary", summary.as_ref());
        self.optional("description", description.as_ref());
        if let Some(Branch { name, dist_tag, parent }) = branch {
            let mut pairs = vec![("name", quoted(name)), ("dist_tag", quoted(dist_tag))];
            pairs.extend(parent.as_ref().map(|parent| ("parent", quoted(parent))));
            self.value("branch", inline(&pairs));
        }
        self.optional("publish_url", publish_url.as_ref().map(UrlTemplate::as_str));
        self.optional("pending_url", pending_url.as_ref().map(UrlTemplate::as_str));
        let bases = bases.iter().map(|Base { base, priority }| {
            let priority = ("priority", priority.to_string());
            inline(&[("base", quoted(base)), priority])
        });
        self.list("bases", bases);
        if !dates.is_empty() {
            let days: Vec<(&str, String)> = dates.iter().map(|(milestone, day)| (milestone.as_str(), quoted(day))).collect();
            self.value("dates", inline(&days));
        }
    }

    pub(super) fn package(&mut self, package: &PackageDocument) {
        let PackageDocument { name, details, versions } = package;
        let PackageDetails {
            summary,
            description,
            review_url,
            status,
        } = details;
        self.header("[[package]]");
        self.text("name", name);
        self.text("status", status);
        self.optional("summary", summary.as_ref());
        self.optional("description", description.as_ref());
        self.optional("review_url", review_url.as_ref());
        for VersionDocument { version, status, built } in versions {
            self.header("[[package.version]]");
            self.text("version", version);
            self.text("status", status);
            let built = built.iter().map(|BuiltDocument { name, details }| {
                let BuiltDetails { summary, description } = details;
                let mut pairs = vec![("name", quoted(name))];
                pairs.extend(summary.as_ref().map(|summary| ("summary", quoted(summary))));
                pairs.extend(description.as_ref().map(|description| ("description", quoted(description))));
                inline(&pairs)
            });
            self.list("built", built);
        }
    }

    pub(super) fn listing(&mut self, listing: &ListingDocument) {
        let ListingDocument {
            package,
            details,
            versions,
        } = listing;
        let ListingDetails {
            owner,
            qa_contact,
            component,
            status,
        } = details;
        self.header("[[series.listing]]");
        self.text("package", package);
        self.text("owner", owner);
        self.optional("qa_contact", qa_contact.as_ref());
        self.optional("component", component.as_ref());
        self.text("status", status);
        let versions = versions.iter().map(|ListedVersion { version, built }| {
            let mut pairs = vec![("version", quoted(version))];
            if !built.is_empty() {
                let built: Vec<String> = built.iter().map(quoted).collect();
                pairs.push(("built", format!("[{}]", built.join(", "))));
            }
            inline(&pairs)
        });
        self.list("versions", versions);
    }

    pub(super) fn group(&mut self, group: &GroupDocument) {
        let GroupDocument { name, details } = group;
        let GroupDetails { title, summary, members } = details;
        self.header("[[series.group]]");
        self.text("name", name);
        self.text("title", title);
        self.optional("summary", summary.as_ref());
        if members.is_empty() {
            return;
        }
        self.header("[series.group.members]");
        for (built, requirement) in members {
            let mut pairs = vec![("type", quoted(requirement.word()))];
            match requirement {
                Requirement::Conditional { requires } => pairs.push(("requires", quoted(requires))),
                Requirement::Mandatory | Requirement::Default | Requirement::Optional => {}
            }
            self.value(&key(built.as_str()), inline(&pairs));
        }
    }

    pub(super) fn category(&mut self, category: &CategoryDocument) {
        let CategoryDocument { name, details } = category;
        let CategoryDetails { title, summary, groups } = details;
        self.header("[[series.category]]");
        self.text("name", name);
        self.text("title", title);
        self.optional("summary", summary.as_ref());
        self.names("groups", groups);
    }
}
