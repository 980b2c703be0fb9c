//! Which tables hold what is nowhere else, and which are copies that can be read again.

use serde::Serialize;

/// Where what stands in a table comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Kinset itself, or people who told it: it is nowhere else.
    Own,
    /// The last read of a tracker. The tables belong together: one of them alone says nothing.
    Snapshot,
    /// A read of a tracker that was cut short. The tables belong together.
    Sweep,
    /// What a source of a distribution said. Each row stands for itself.
    Reading,
}

impl Origin {
    /// Whether the next pull reads it again where it is not there.
    #[must_use]
    pub const fn is_copy(self) -> bool {
        match self {
            Self::Own => false,
            Self::Snapshot | Self::Sweep | Self::Reading => true,
        }
    }
}

/// All tables.
pub(super) const TABLES: &[(&str, Origin)] = &[
    ("tracker", Origin::Own),
    ("address", Origin::Own),
    ("snapshot", Origin::Snapshot),
    ("project", Origin::Snapshot),
    ("maintainer", Origin::Snapshot),
    ("patch", Origin::Snapshot),
    ("relation_member", Origin::Snapshot),
    ("sweep", Origin::Sweep),
    ("sweep_project", Origin::Sweep),
    ("sweep_patch", Origin::Sweep),
    ("run", Origin::Own),
    ("journal", Origin::Own),
    ("base", Origin::Own),
    ("base_member", Origin::Own),
    ("decision", Origin::Own),
    ("decision_patch", Origin::Own),
    ("sighting", Origin::Own),
    ("sighting_patch", Origin::Own),
    ("gone_patch", Origin::Own),
    ("exported_mail", Origin::Own),
    ("cycle", Origin::Own),
    ("log", Origin::Own),
    ("change", Origin::Own),
    ("distribution", Origin::Own),
    ("distribution_record", Origin::Own),
    ("collection", Origin::Own),
    ("collection_record", Origin::Own),
    ("overlay", Origin::Own),
    ("milestone", Origin::Own),
    ("package", Origin::Own),
    ("package_record", Origin::Own),
    ("set_group", Origin::Own),
    ("package_set", Origin::Own),
    ("series_set", Origin::Own),
    ("set_record", Origin::Own),
    ("set_source", Origin::Own),
    ("set_subset", Origin::Own),
    ("flat_set", Origin::Own),
    ("permission", Origin::Own),
    ("team_member", Origin::Own),
    ("listing", Origin::Own),
    ("package_version", Origin::Own),
    ("version_record", Origin::Own),
    ("version_listing", Origin::Own),
    ("built_package", Origin::Own),
    ("built_record", Origin::Own),
    ("built_listing", Origin::Own),
    ("comps", Origin::Own),
    ("comps_record", Origin::Own),
    ("group_member", Origin::Own),
    ("category_group", Origin::Own),
    ("module_stream", Origin::Own),
    ("stream_record", Origin::Own),
    ("stream_context", Origin::Own),
    ("context_package", Origin::Own),
    ("stream_obsoletes", Origin::Own),
    ("module_default", Origin::Own),
    ("reading", Origin::Reading),
    ("daemon_run", Origin::Own),
    ("daemon_job", Origin::Own),
    ("waiting_plan", Origin::Own),
];

/// Where what stands in a table comes from; a table that is not known is taken for one that nothing can replace.
pub(super) fn origin_of(table: &str) -> Origin {
    let known = TABLES.iter().find(|(name, _)| *name == table);
    known.map_or(Origin::Own, |(_, origin)| *origin)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rusqlite::Connection;
    use rusqlite_migration::Migrations;

    use super::TABLES;
    use crate::store::schema::MIGRATIONS;

    #[test]
    fn every_table_is_either_a_copy_or_not() {
        let mut connection = Connection::open_in_memory().unwrap();
        Migrations::from_slice(MIGRATIONS).to_latest(&mut connection).unwrap();
        let mut select = connection
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            .unwrap();
        let there: BTreeSet<String> = select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let sorted: BTreeSet<String> = TABLES.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(there, sorted, "a table is missing in TABLES, or gone");
        assert_eq!(sorted.len(), TABLES.len(), "a table stands in TABLES twice");
    }

    #[test]
    fn what_is_no_copy_refers_to_no_copy() {
        let mut connection = Connection::open_in_memory().unwrap();
        Migrations::from_slice(MIGRATIONS).to_latest(&mut connection).unwrap();
        for (table, _) in TABLES.iter().filter(|(_, origin)| !origin.is_copy()) {
            let mut select = connection.prepare("SELECT \"table\" FROM pragma_foreign_key_list(?1)").unwrap();
            for parent in select.query_map([table], |row| row.get::<_, String>(0)).unwrap() {
                let parent = parent.unwrap();
                assert!(!super::origin_of(&parent).is_copy(), "{table} refers to {parent}");
            }
        }
    }
}
