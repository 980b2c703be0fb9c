-- What happens to collections when, and what is in them: packages, their versions, what is built from these, and groups of that. As in the package model, nothing is overwritten.

-- A date in the life of a collection, as YYYY-MM-DD, by what happens then: created, released, eol, and whatever else a source has a word for.
CREATE TABLE milestone (
    collection INTEGER NOT NULL REFERENCES collection (id),
    until      INTEGER NOT NULL DEFAULT 9223372036854775807,
    name       TEXT NOT NULL,
    since      INTEGER NOT NULL REFERENCES log (id),
    date       TEXT NOT NULL,
    PRIMARY KEY (collection, until, name)
) STRICT, WITHOUT ROWID;

-- What is said of a package as such; one that is known by its name alone has no row.
CREATE TABLE package_record (
    package     INTEGER NOT NULL REFERENCES package (id),
    until       INTEGER NOT NULL DEFAULT 9223372036854775807,
    since       INTEGER NOT NULL REFERENCES log (id),
    summary     TEXT,
    description TEXT,
    review_url  TEXT,
    status      TEXT NOT NULL,
    PRIMARY KEY (package, until)
) STRICT, WITHOUT ROWID;

-- A package in a collection.
CREATE TABLE listing (
    collection INTEGER NOT NULL REFERENCES collection (id),
    until      INTEGER NOT NULL DEFAULT 9223372036854775807,
    package    INTEGER NOT NULL REFERENCES package (id),
    since      INTEGER NOT NULL REFERENCES log (id),
    owner      TEXT NOT NULL,
    qa_contact TEXT,
    component  TEXT,
    status     TEXT NOT NULL,
    PRIMARY KEY (collection, until, package)
) STRICT, WITHOUT ROWID;

CREATE INDEX listing_by_package ON listing (package, until);

-- A version of a package: epoch, version and release as one text.
CREATE TABLE package_version (
    id      INTEGER PRIMARY KEY,
    package INTEGER NOT NULL REFERENCES package (id),
    version TEXT NOT NULL,
    UNIQUE (package, version)
) STRICT;

CREATE TABLE version_record (
    version INTEGER NOT NULL REFERENCES package_version (id),
    until   INTEGER NOT NULL DEFAULT 9223372036854775807,
    since   INTEGER NOT NULL REFERENCES log (id),
    status  TEXT NOT NULL,
    PRIMARY KEY (version, until)
) STRICT, WITHOUT ROWID;

-- A version in a collection.
CREATE TABLE version_listing (
    collection INTEGER NOT NULL REFERENCES collection (id),
    until      INTEGER NOT NULL DEFAULT 9223372036854775807,
    version    INTEGER NOT NULL REFERENCES package_version (id),
    since      INTEGER NOT NULL REFERENCES log (id),
    PRIMARY KEY (collection, until, version)
) STRICT, WITHOUT ROWID;

CREATE INDEX version_listing_by_version ON version_listing (version, until, collection, since);

-- A built (binary) package of a version.
CREATE TABLE built_package (
    id      INTEGER PRIMARY KEY,
    version INTEGER NOT NULL REFERENCES package_version (id),
    name    TEXT NOT NULL,
    UNIQUE (version, name)
) STRICT;

CREATE INDEX built_package_by_name ON built_package (name);

CREATE TABLE built_record (
    built       INTEGER NOT NULL REFERENCES built_package (id),
    until       INTEGER NOT NULL DEFAULT 9223372036854775807,
    since       INTEGER NOT NULL REFERENCES log (id),
    summary     TEXT,
    description TEXT,
    PRIMARY KEY (built, until)
) STRICT, WITHOUT ROWID;

-- A built package in a collection.
CREATE TABLE built_listing (
    collection INTEGER NOT NULL REFERENCES collection (id),
    until      INTEGER NOT NULL DEFAULT 9223372036854775807,
    built      INTEGER NOT NULL REFERENCES built_package (id),
    since      INTEGER NOT NULL REFERENCES log (id),
    PRIMARY KEY (collection, until, built)
) STRICT, WITHOUT ROWID;

CREATE INDEX built_listing_by_built ON built_listing (built, until, collection, since);

-- A group of built packages of a collection, or a category of its groups, as comps files have them.
CREATE TABLE comps (
    id         INTEGER PRIMARY KEY,
    collection INTEGER NOT NULL REFERENCES collection (id),
    kind       TEXT NOT NULL CHECK (kind IN ('group', 'category')),
    name       TEXT NOT NULL,
    UNIQUE (collection, kind, name)
) STRICT;

CREATE TABLE comps_record (
    comps   INTEGER NOT NULL REFERENCES comps (id),
    until   INTEGER NOT NULL DEFAULT 9223372036854775807,
    since   INTEGER NOT NULL REFERENCES log (id),
    title   TEXT NOT NULL,
    summary TEXT,
    PRIMARY KEY (comps, until)
) STRICT, WITHOUT ROWID;

-- The members of a group, by the names of built packages. requires: the package together with which it is installed.
CREATE TABLE group_member (
    comps       INTEGER NOT NULL REFERENCES comps (id),
    until       INTEGER NOT NULL DEFAULT 9223372036854775807,
    built       TEXT NOT NULL,
    since       INTEGER NOT NULL REFERENCES log (id),
    requirement TEXT NOT NULL CHECK (requirement IN ('mandatory', 'default', 'optional', 'conditional')),
    requires    TEXT,
    CHECK ((requirement = 'conditional') = (requires IS NOT NULL)),
    PRIMARY KEY (comps, until, built)
) STRICT, WITHOUT ROWID;

-- The groups in a category.
CREATE TABLE category_group (
    comps    INTEGER NOT NULL REFERENCES comps (id),
    until    INTEGER NOT NULL DEFAULT 9223372036854775807,
    member   INTEGER NOT NULL REFERENCES comps (id),
    since    INTEGER NOT NULL REFERENCES log (id),
    PRIMARY KEY (comps, until, member)
) STRICT, WITHOUT ROWID;

CREATE INDEX category_group_by_member ON category_group (member, until);
