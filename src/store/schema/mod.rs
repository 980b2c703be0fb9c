//! The tables, as a list of migrations.
//!
//! A migration that was ever released is never edited: the version of a database is the number of migrations that it has seen.

use rusqlite_migration::M;

/// The `application_id` of kinset's databases, "kins" in ASCII; [the header of an SQLite file](https://sqlite.org/fileformat2.html) has a place
/// for it.
pub(super) const APPLICATION_ID: i32 = 0x6b69_6e73;

/// What makes a database of each version from one of the version before; the first from nothing.
pub(super) const MIGRATIONS: &[M<'static>] = &[
    M::up(include_str!("v1.sql")),
    M::up(include_str!("v2.sql")),
    M::up(include_str!("v3.sql")),
    M::up(include_str!("v4.sql")),
    M::up(include_str!("v5.sql")),
    M::up(include_str!("v6.sql")),
    M::up(include_str!("v7.sql")),
    M::up(include_str!("v8.sql")),
    M::up(include_str!("v9.sql")),
    M::up(include_str!("v10.sql")),
];

#[cfg(test)]
mod tests {
    use rusqlite::Connection;
    use rusqlite_migration::Migrations;

    use super::{APPLICATION_ID, MIGRATIONS};

    #[test]
    fn the_migrations_build_a_database_that_carries_the_mark_of_kinset() {
        let migrations = Migrations::from_slice(MIGRATIONS);
        migrations.validate().unwrap();
        let mut connection = Connection::open_in_memory().unwrap();
        migrations.to_latest(&mut connection).unwrap();
        let mark: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0)).unwrap();
        assert_eq!(mark, APPLICATION_ID);
    }

    #[test]
    fn every_table_is_strict() {
        let mut connection = Connection::open_in_memory().unwrap();
        Migrations::from_slice(MIGRATIONS).to_latest(&mut connection).unwrap();
        let loose = "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%' AND NOT strict";
        assert_eq!(connection.query_row(loose, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    }

    #[test]
    fn a_released_migration_is_never_edited() {
        insta::assert_snapshot!("v1", include_str!("v1.sql"));
        insta::assert_snapshot!("v2", include_str!("v2.sql"));
        insta::assert_snapshot!("v3", include_str!("v3.sql"));
        insta::assert_snapshot!("v4", include_str!("v4.sql"));
        insta::assert_snapshot!("v5", include_str!("v5.sql"));
        insta::assert_snapshot!("v6", include_str!("v6.sql"));
        insta::assert_snapshot!("v7", include_str!("v7.sql"));
        insta::assert_snapshot!("v8", include_str!("v8.sql"));
        insta::assert_snapshot!("v9", include_str!("v9.sql"));
        insta::assert_snapshot!("v10", include_str!("v10.sql"));
        assert_eq!(MIGRATIONS.len(), 10, "a new migration needs its own snapshot here");
    }
}
