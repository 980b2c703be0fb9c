//! `kinset acl uploaders`: who may upload a package, in the sections that users of `ubuntu-upload-permission` know.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::arguments::{AsOf, Place};
use super::ask;
use super::show::printable;
use crate::cli::failure::Failure;
use crate::cli::wiring::ConfigFile;
use crate::cli::{Status, output};
use crate::model::packages::acl::{Facts, Grant, InComponent, Upload, What, who_can};
use crate::model::packages::{ComponentName, PackageName, PackageSetName, Party, Pocket, Target, TeamName};
use crate::store::packages::SeriesRow;

/// The members of teams, as far as they are shown.
type Teams = BTreeMap<TeamName, BTreeSet<Party>>;

/// Who may upload a package, by what lets them.
#[derive(Default)]
struct Uploaders {
    component: BTreeSet<Party>,
    sets: BTreeMap<PackageSetName, BTreeSet<Party>>,
    package: BTreeSet<Party>,
    pockets: BTreeSet<Party>,
}

pub(super) fn uploaders(
    package: &PackageName,
    is_expanded: bool,
    place: &Place,
    as_of: AsOf,
    file: &ConfigFile,
) -> Result<Status, Failure> {
    let (series, facts, what, teams) = ask(file, as_of, |view| {
        let series = place.series(view)?;
        let distribution = view.distribution(&series.path.distribution)?;
        view.package(&distribution, package)?;
        let what = What::Upload(Upload {
            series: series.path.series.clone(),
            package: package.clone(),
            component: InComponent::Published,
            pocket: Pocket::usual(series.details.status),
        });
        let facts = view.facts(&distribution, None, &what)?;
        let teams = if is_expanded { view.teams(&distribution)? } else { Teams::new() };
        Ok((series, facts, what, teams))
    })?;
    let uploaders = Uploaders::of(&facts, &what);
    output::data(|out| uploaders.print(out, package, &series, facts.component.as_ref(), &teams))?;
    Ok(Status::Done)
}

impl Uploaders {
    fn of(facts: &Facts, what: &What) -> Self {
        let mut uploaders = Self::default();
        for held in who_can(facts, what) {
            let Grant::Permission(permission) = held.by else { continue };
            let party = permission.party;
            match permission.target {
                Target::Component { .. } => _ = uploaders.component.insert(party),
                Target::PackageSet { set, .. } => _ = uploaders.sets.entry(set).or_default().insert(party),
                Target::Package { .. } | Target::Listing { .. } => _ = uploaders.package.insert(party),
                Target::Pocket { .. } => _ = uploaders.pockets.insert(party),
                Target::TrackerProject { .. } => {}
            }
        }
        uploaders
    }

    fn print(
        &self,
        out: &mut dyn Write,
        package: &PackageName,
        series: &SeriesRow,
        component: Option<&ComponentName>,
        teams: &Teams,
    ) -> io::Result<()> {
        let Self {
            component: of_component,
            sets,
            package: of_package,
            pockets,
        } = self;
        writeln!(out, "{package} in {}", series.path.series)?;
        let component = component.map_or("not known", ComponentName::as_str);
        section(out, &format!("Component ({component})"))?;
        list(out, of_component, teams)?;
        if !sets.is_empty() {
            section(out, "Packagesets")?;
            for (set, parties) in sets {
                writeln!(out, "{set}:")?;
                list(out, parties, teams)?;
            }
        }
        for (title, parties) in [("Per-Package-Uploaders", of_package), ("Pockets", pockets)] {
            if !parties.is_empty() {
                section(out, title)?;
                list(out, parties, teams)?;
            }
        }
        Ok(())
    }
}

fn section(out: &mut dyn Write, title: &str) -> io::Result<()> {
    writeln!(out, "\n{title}\n{}", "=".repeat(title.len()))
}

fn list(out: &mut dyn Write, parties: &BTreeSet<Party>, teams: &Teams) -> io::Result<()> {
    if parties.is_empty() {
        return writeln!(out, "nobody");
    }
    let mut above = Vec::new();
    parties.iter().try_for_each(|party| line(out, party, teams, &mut above))
}

/// A person, or a team with those who are in it below; no team below itself.
fn line<'t>(out: &mut dyn Write, party: &'t Party, teams: &'t Teams, above: &mut Vec<&'t TeamName>) -> io::Result<()> {
    let indent = "  ".repeat(above.len());
    match party {
        Party::Person(person) => writeln!(out, "{indent}* {}", printable(person.as_str())),
        Party::Team(team) => {
            writeln!(out, "{indent}* {} [team]", printable(team.as_str()))?;
            if above.contains(&team) {
                return Ok(());
            }
            above.push(team);
            for member in teams.get(team).into_iter().flatten() {
                line(out, member, teams, above)?;
            }
            above.pop();
            Ok(())
        }
    }
}
