//! A dist-git on Pagure: the files that cron jobs write, since asking for 40,000 packages one by one takes a day.
//!
//! - `extras/pagure_owner_alias.json`: for each package the users that look after it, the main one first, `orphan` if nobody does;
//! - `extras/pagure_bz.json`: for each package the users and groups that are told of its bugs, in an order that changes from run to run;
//! - `lookaside/retired_in_<branch>.json`: the packages that are retired on a branch; there is none where nothing is.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use super::{Forge, Packages, Retired};
use crate::{
    model::packages::{BranchName, PackageName, Party, is_orphan, snapshot::Remark},
    source::{
        Trouble, Validators,
        web::{Fetched, Web, under},
    },
};

/// For each namespace and package, who.
type People = BTreeMap<String, BTreeMap<String, Vec<String>>>;

/// A dist-git on Pagure.
pub(super) struct Pagure<'a> {
    web: &'a Web,
    base: &'a Url,
    namespace: &'a str,
}

impl<'a> Pagure<'a> {
    pub(super) const fn new(web: &'a Web, base: &'a Url, namespace: &'a str) -> Self {
        Self { web, base, namespace }
    }

    /// The packages of the namespace in one of the files.
    async fn people(&self, url: &Url, expected: &'static str, was: &Validators) -> Result<Fetched<BTreeMap<String, Vec<String>>>, Trouble> {
        let fetched = self.web.json_unless::<People>(url, expected, was.get(url)).await?;
        Ok(match fetched {
            Fetched::Unchanged => Fetched::Unchanged,
            Fetched::New(mut people, validator) => match people.remove(self.namespace) {
                Some(packages) => Fetched::New(packages, validator),
                None => {
                    return Err(Trouble::AboutAnother {
                        url: self.web.shown(url),
                        expected: format!("packages in {}", self.namespace),
                        found: in_words(people.into_keys()),
                    });
                }
            },
        })
    }
}

impl Forge for Pagure<'_> {
    async fn packages(&self, was: &Validators) -> Result<(Option<Packages>, Validators), Trouble> {
        const OWNERS: &str = "the owners of packages";
        const WATCHERS: &str = "who is told of the bugs of packages";
        let owners_url = under(self.base, &["extras", "pagure_owner_alias.json"]);
        let watchers_url = under(self.base, &["extras", "pagure_bz.json"]);
        let none = Validators::default();
        let mut owners = self.people(&owners_url, OWNERS, was).await?;
        let watchers = self
            .people(&watchers_url, WATCHERS, if owners.is_new() { &none } else { was })
            .await?;
        // Both say something of each package, so where one is new the other is needed as well.
        if watchers.is_new() && !owners.is_new() {
            owners = self.people(&owners_url, OWNERS, &none).await?;
        }
        let mut now = Validators::default();
        let (Fetched::New(owners, owners_state), Fetched::New(watchers, watchers_state)) = (owners, watchers) else {
            now.keep(&owners_url, was.get(&owners_url).cloned());
            now.keep(&watchers_url, was.get(&watchers_url).cloned());
            return Ok((None, now));
        };
        now.keep(&owners_url, owners_state);
        now.keep(&watchers_url, watchers_state);
        Ok((Some(packages(owners, watchers)), now))
    }

    async fn retired(&self, branch: &BranchName, was: &Validators) -> Result<(Option<Retired>, Validators), Trouble> {
        let url = under(self.base, &["lookaside", &format!("retired_in_{branch}.json")]);
        let mut now = Validators::default();
        let fetched = self
            .web
            .json_unless::<BTreeMap<String, Vec<String>>>(&url, "the packages that are retired on a branch", was.get(&url))
            .await;
        let mut branches = match fetched {
            Ok(Fetched::New(branches, validator)) => {
                now.keep(&url, validator);
                branches
            }
            Ok(Fetched::Unchanged) => {
                now.keep(&url, was.get(&url).cloned());
                return Ok((None, now));
            }
            Err(error) if error.is_missing() => return Ok((Some(Retired::default()), now)),
            Err(error) => return Err(error),
        };
        let Some(names) = branches.remove(branch.as_str()) else {
            return Err(Trouble::AboutAnother {
                url: self.web.shown(&url),
                expected: format!("packages that are retired on {branch}"),
                found: in_words(branches.into_keys()),
            });
        };
        let mut retired = Retired::default();
        for name in names {
            retired.packages.extend(package(&name, &mut retired.remarks));
        }
        Ok((Some(retired), now))
    }
}

/// What something is about.
fn in_words(keys: impl Iterator<Item = String>) -> String {
    let keys: Vec<String> = keys.take(10).collect();
    if keys.is_empty() { "nothing".to_owned() } else { keys.join(", ") }
}

fn packages(owners: BTreeMap<String, Vec<String>>, watchers: BTreeMap<String, Vec<String>>) -> Packages {
    let mut all = Packages::default();
    for (name, users) in owners {
        let Some(package) = package(&name, &mut all.remarks) else {
            continue;
        };
        let facts = all.packages.entry(package).or_default();
        let mut users = users.iter();
        facts.owner = users.next().and_then(|owner| party(owner, &name, &mut all.remarks));
        facts.maintainers = Some(people(users, &name, &mut all.remarks));
    }
    for (name, users) in watchers {
        let Some(package) = package(&name, &mut all.remarks) else {
            continue;
        };
        let facts = all.packages.entry(package).or_default();
        facts.watchers = Some(people(users.iter(), &name, &mut all.remarks));
    }
    all
}

/// Those that are somebody: the orphan is nobody.
fn people<'a>(users: impl Iterator<Item = &'a String>, package: &str, remarks: &mut BTreeSet<Remark>) -> BTreeSet<Party> {
    users
        .filter_map(|user| party(user, package, remarks))
        .filter(|party| !is_orphan(party))
        .collect()
}

fn party(text: &str, package: &str, remarks: &mut BTreeSet<Remark>) -> Option<Party> {
    let read = text.parse();
    read.map_err(|error| remarks.insert(Remark::unknown(format!("somebody at package {package}"), text, error)))
        .ok()
}

fn package(text: &str, remarks: &mut BTreeSet<Remark>) -> Option<PackageName> {
    let read = text.parse();
    read.map_err(|error| remarks.insert(Remark::unknown("a package", text, error))).ok()
}
