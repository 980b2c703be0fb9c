-- The package model. Nothing in it is ever overwritten: a row says from which entry of the log it held and until which it did, so that the
-- same question can be asked of any time. What holds now has the largest number as its end.

-- One change that somebody made: when, in microseconds since 1970 in UTC, never before the entry above; who; and what was asked for.
CREATE TABLE log (
    id        INTEGER PRIMARY KEY,
    at        INTEGER NOT NULL,
    actor     TEXT NOT NULL,
    operation TEXT NOT NULL CHECK (json_type(operation) = 'object')
) STRICT;

CREATE INDEX log_by_time ON log (at);

CREATE TABLE distribution (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- series: the one that is meant where none is named; null: found by status.
CREATE TABLE distribution_record (
    distribution    INTEGER NOT NULL REFERENCES distribution (id),
    until           INTEGER NOT NULL DEFAULT 9223372036854775807,
    since           INTEGER NOT NULL REFERENCES log (id),
    sharing         TEXT NOT NULL CHECK (sharing IN ('shared-nothing', 'copy-on-write', 'manual-clone', 'tethered')),
    versions        TEXT NOT NULL CHECK (versions IN ('debian', 'rpm')),
    series          INTEGER REFERENCES collection (id),
    obsolete_upload INTEGER NOT NULL CHECK (obsolete_upload IN (0, 1)),
    PRIMARY KEY (distribution, until)
) STRICT, WITHOUT ROWID;

-- What became of what, for whoever reads the log: before and after are null where there was nothing.
CREATE TABLE change (
    log          INTEGER NOT NULL REFERENCES log (id),
    place        INTEGER NOT NULL,
    distribution INTEGER REFERENCES distribution (id),
    collection   INTEGER REFERENCES collection (id),
    kind         TEXT NOT NULL,
    name         TEXT NOT NULL,
    before       TEXT CHECK (json_valid(before)),
    after        TEXT CHECK (json_valid(after)),
    PRIMARY KEY (log, place)
) STRICT, WITHOUT ROWID;

CREATE INDEX change_by_subject ON change (kind, name);

-- A series, a release, or a special interest group's set of packages.
CREATE TABLE collection (
    id           INTEGER PRIMARY KEY,
    distribution INTEGER NOT NULL REFERENCES distribution (id),
    name         TEXT NOT NULL,
    UNIQUE (distribution, name)
) STRICT;

CREATE TABLE collection_record (
    collection       INTEGER NOT NULL REFERENCES collection (id),
    until            INTEGER NOT NULL DEFAULT 9223372036854775807,
    since            INTEGER NOT NULL REFERENCES log (id),
    title            TEXT,
    version          TEXT NOT NULL,
    status           TEXT NOT NULL,
    owner            TEXT NOT NULL,
    summary          TEXT,
    description      TEXT,
    publish_template TEXT,
    pending_template TEXT,
    branch           TEXT,
    dist_tag         TEXT,
    parent           INTEGER REFERENCES collection (id),
    CHECK ((branch IS NULL) = (dist_tag IS NULL)),
    CHECK (branch IS NOT NULL OR parent IS NULL),
    PRIMARY KEY (collection, until)
) STRICT, WITHOUT ROWID;

-- A collection asks its bases for what it does not have itself, the lowest priority first.
CREATE TABLE overlay (
    collection INTEGER NOT NULL REFERENCES collection (id),
    until      INTEGER NOT NULL DEFAULT 9223372036854775807,
    base       INTEGER NOT NULL REFERENCES collection (id),
    since      INTEGER NOT NULL REFERENCES log (id),
    priority   INTEGER NOT NULL,
    PRIMARY KEY (collection, until, base)
) STRICT, WITHOUT ROWID;

CREATE TABLE package (
    id           INTEGER PRIMARY KEY,
    distribution INTEGER NOT NULL REFERENCES distribution (id),
    name         TEXT NOT NULL,
    since        INTEGER NOT NULL REFERENCES log (id),
    UNIQUE (distribution, name)
) STRICT;

-- What ties the incarnations of one package set over several series together.
CREATE TABLE set_group (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- One incarnation of a package set: what is in it, and who may do what with that. Series may have it in common.
CREATE TABLE package_set (
    id        INTEGER PRIMARY KEY,
    set_group INTEGER NOT NULL REFERENCES set_group (id)
) STRICT;

-- The sets of a series, one of each group. identity is the set whose subsets it has: itself, unless the hierarchy is one for all series.
CREATE TABLE series_set (
    collection  INTEGER NOT NULL REFERENCES collection (id),
    until       INTEGER NOT NULL DEFAULT 9223372036854775807,
    set_group   INTEGER NOT NULL REFERENCES set_group (id),
    package_set INTEGER NOT NULL REFERENCES package_set (id),
    identity    INTEGER NOT NULL REFERENCES package_set (id),
    since       INTEGER NOT NULL REFERENCES log (id),
    score       INTEGER NOT NULL,
    PRIMARY KEY (collection, until, set_group)
) STRICT, WITHOUT ROWID;

CREATE INDEX series_set_by_set ON series_set (package_set, until);
CREATE INDEX series_set_by_identity ON series_set (identity, until);
CREATE INDEX series_set_by_group ON series_set (set_group, until);

CREATE TABLE set_record (
    package_set INTEGER NOT NULL REFERENCES package_set (id),
    until       INTEGER NOT NULL DEFAULT 9223372036854775807,
    since       INTEGER NOT NULL REFERENCES log (id),
    name        TEXT NOT NULL,
    owner       TEXT NOT NULL,
    description TEXT NOT NULL,
    PRIMARY KEY (package_set, until)
) STRICT, WITHOUT ROWID;

-- The packages that are directly in a set. Which sets of a series have a package is found out by looking for it in each of them: an index by
-- package would double what most of the database consists of, and would be no faster.
CREATE TABLE set_source (
    package_set INTEGER NOT NULL REFERENCES package_set (id),
    package     INTEGER NOT NULL REFERENCES package (id),
    until       INTEGER NOT NULL DEFAULT 9223372036854775807,
    since       INTEGER NOT NULL REFERENCES log (id),
    PRIMARY KEY (package_set, package, until)
) STRICT, WITHOUT ROWID;

-- The sets that are directly in a set: whichever incarnation of the group a series has.
CREATE TABLE set_subset (
    identity  INTEGER NOT NULL REFERENCES package_set (id),
    until     INTEGER NOT NULL DEFAULT 9223372036854775807,
    set_group INTEGER NOT NULL REFERENCES set_group (id),
    since     INTEGER NOT NULL REFERENCES log (id),
    PRIMARY KEY (identity, until, set_group)
) STRICT, WITHOUT ROWID;

-- Which set of a series is in which through any number of others; each is in itself.
CREATE TABLE flat_set (
    collection INTEGER NOT NULL REFERENCES collection (id),
    until      INTEGER NOT NULL DEFAULT 9223372036854775807,
    parent     INTEGER NOT NULL REFERENCES set_group (id),
    child      INTEGER NOT NULL REFERENCES set_group (id),
    since      INTEGER NOT NULL REFERENCES log (id),
    PRIMARY KEY (collection, until, parent, child)
) STRICT, WITHOUT ROWID;

CREATE INDEX flat_set_by_child ON flat_set (collection, child, until, parent, since);

-- Who may do what to which target. package with collection is a listing, and alone that package in every series; pocket may have a collection.
CREATE TABLE permission (
    id           INTEGER PRIMARY KEY,
    until        INTEGER NOT NULL DEFAULT 9223372036854775807,
    since        INTEGER NOT NULL REFERENCES log (id),
    distribution INTEGER NOT NULL REFERENCES distribution (id),
    party        TEXT NOT NULL,
    action       TEXT NOT NULL,
    status       TEXT NOT NULL CHECK (status IN ('awaitingreview', 'approved', 'denied', 'obsolete')),
    explicit     INTEGER NOT NULL CHECK (explicit IN (0, 1)),
    package_set  INTEGER REFERENCES package_set (id),
    package      INTEGER REFERENCES package (id),
    component    TEXT,
    pocket       TEXT,
    collection   INTEGER REFERENCES collection (id),
    CHECK ((package_set IS NOT NULL) + (package IS NOT NULL) + (component IS NOT NULL) + (pocket IS NOT NULL) = 1),
    CHECK (collection IS NULL OR package IS NOT NULL OR pocket IS NOT NULL),
    CHECK (explicit = 0 OR package_set IS NOT NULL)
) STRICT;

CREATE INDEX permission_by_set ON permission (package_set, until) WHERE package_set IS NOT NULL;
CREATE INDEX permission_by_package ON permission (package, until) WHERE package IS NOT NULL;
CREATE INDEX permission_by_rest ON permission (distribution, until) WHERE package_set IS NULL AND package IS NULL;
CREATE INDEX permission_by_party ON permission (distribution, party, until);

-- Who is directly in a team: people, and with @ other teams.
CREATE TABLE team_member (
    distribution INTEGER NOT NULL REFERENCES distribution (id),
    team         TEXT NOT NULL,
    until        INTEGER NOT NULL DEFAULT 9223372036854775807,
    member       TEXT NOT NULL,
    since        INTEGER NOT NULL REFERENCES log (id),
    PRIMARY KEY (distribution, team, until, member)
) STRICT, WITHOUT ROWID;

CREATE INDEX team_member_by_member ON team_member (distribution, member, until);
