//! A document as text. Lists have one name a line and everything stands in its order, so that what changes is what differs.

mod contents;

use std::fmt::{Display, Write as _};

use super::FileFormat;
use crate::model::packages::PermissionStatus;
use crate::model::packages::document::{
    DistributionDocument, OnSet, PermissionDocument, SeriesDocument, SeriesTarget, SetBody, SetContent, SetDocument, WideTarget,
};

/// A document as the text of a file.
///
/// # Errors
/// When the JSON library refuses it.
pub fn render(document: &DistributionDocument, format: FileFormat) -> Result<String, serde_json::Error> {
    match format {
        FileFormat::Toml => Ok(toml(document)),
        FileFormat::Json => serde_json::to_string_pretty(document).map(|text| text + "\n"),
    }
}

fn toml(document: &DistributionDocument) -> String {
    let DistributionDocument {
        name,
        sharing,
        versions,
        current_series,
        permit_obsolete_uploads,
        packages,
        described,
        permissions,
        teams,
        series,
    } = document;
    let mut out = Lines::default();
    let packagesets: usize = series.iter().map(|series| series.packagesets.len()).sum();
    let counts = [("series", series.len().to_string()), ("packagesets", packagesets.to_string())];
    // Before anything else, so that it is there whatever is cut off.
    out.value("contents", inline(&counts));
    out.text("name", name);
    out.text("sharing", sharing);
    out.text("versions", versions.word());
    if let Some(current) = current_series {
        out.text("current_series", current);
    }
    if *permit_obsolete_uploads {
        out.value("permit_obsolete_uploads", true);
    }
    out.names("packages", packages);
    out.permissions(permissions, |target| match target {
        WideTarget::Package { package } => vec![("package", quoted(package))],
        WideTarget::Component { component } => vec![("component", quoted(component))],
        WideTarget::Pocket { pocket } => vec![("pocket", quoted(pocket))],
    });
    if !teams.is_empty() {
        out.header("[teams]");
        for (team, members) in teams {
            out.names(&key(team.as_str()), members);
        }
    }
    for package in described {
        out.package(package);
    }
    for series in series {
        out.series(series);
    }
    out.header("[end]");
    out.0
}

/// TOML under construction.
#[derive(Debug, Default)]
struct Lines(String);

impl Lines {
    fn line(&mut self, line: impl Display) {
        // Writing to a text cannot fail.
        let _written = writeln!(self.0, "{line}");
    }

    fn header(&mut self, header: &str) {
        self.line("");
        self.line(header);
    }

    fn value(&mut self, key: &str, value: impl Display) {
        self.line(format_args!("{key} = {value}"));
    }

    fn text(&mut self, key: &str, text: impl Display) {
        self.value(key, quoted(text));
    }

    fn optional(&mut self, key: &str, text: Option<impl Display>) {
        if let Some(text) = text {
            self.text(key, text);
        }
    }

    fn list(&mut self, key: &str, items: impl IntoIterator<Item = String>) {
        let mut items = items.into_iter().peekable();
        if items.peek().is_none() {
            return;
        }
        self.line(format_args!("{key} = ["));
        for item in items {
            self.line(format_args!("    {item},"));
        }
        self.line("]");
    }

    fn names<T: Display>(&mut self, key: &str, names: impl IntoIterator<Item = T>) {
        self.list(key, names.into_iter().map(quoted));
    }

    fn permissions<T>(&mut self, permissions: &[PermissionDocument<T>], target: impl Fn(&T) -> Vec<(&'static str, String)>) {
        let lines = permissions.iter().map(|permission| {
            let PermissionDocument {
                party,
                action,
                target: on,
                status,
            } = permission;
            let mut pairs = vec![("party", quoted(party)), ("action", quoted(action))];
            pairs.extend(target(on));
            if *status != PermissionStatus::Approved {
                pairs.push(("status", quoted(status)));
            }
            inline(&pairs)
        });
        self.list("permissions", lines);
    }

    fn series(&mut self, series: &SeriesDocument) {
        let SeriesDocument {
            name,
            details,
            from,
            permissions,
            packagesets,
            listings,
            groups,
            categories,
        } = series;
        self.header("[[series]]");
        self.text("name", name);
        self.series_details(details);
        if let Some(from) = from {
            self.text("from", from);
        }
        self.permissions(permissions, |target| match target {
            SeriesTarget::Listing { package } => vec![("package", quoted(package))],
            SeriesTarget::Pocket { pocket } => vec![("pocket", quoted(pocket))],
        });
        packagesets.iter().for_each(|set| self.set(set));
        listings.iter().for_each(|listing| self.listing(listing));
        groups.iter().for_each(|group| self.group(group));
        categories.iter().for_each(|category| self.category(category));
    }

    fn set(&mut self, set: &SetDocument) {
        let SetDocument { name, score, body } = set;
        self.header("[[series.packageset]]");
        self.text("name", name);
        if *score != 0 {
            self.value("score", score);
        }
        let content = match body {
            SetBody::AsIn { as_in } => return self.text("as_in", as_in),
            SetBody::Own(content) => content,
        };
        let SetContent {
            group,
            owner,
            description,
            subsets,
            sources,
            permissions,
        } = content;
        if let Some(group) = group {
            self.text("group", group);
        }
        self.text("owner", owner);
        if !description.is_empty() {
            self.text("description", description);
        }
        self.names("subsets", subsets);
        self.names("sources", sources);
        self.permissions(permissions, |OnSet { explicit }| match explicit {
            true => vec![("explicit", "true".to_owned())],
            false => Vec::new(),
        });
    }
}

fn quoted(text: impl Display) -> String {
    toml::Value::from(text.to_string()).to_string()
}

/// A table in one line, of keys and values that are quoted where they must be.
fn inline(pairs: &[(&str, String)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{key} = {value}")).collect();
    format!("{{ {} }}", pairs.join(", "))
}

fn key(name: &str) -> String {
    let is_bare = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    if name.chars().all(is_bare) { name.to_owned() } else { quoted(name) }
}
