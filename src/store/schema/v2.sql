-- The day of the mail (YYYY-MM-DD), the tracker's word on the commit that the patch became, and whether its mail was exported.
ALTER TABLE patch ADD COLUMN date TEXT;
ALTER TABLE patch ADD COLUMN commit_ref TEXT;
ALTER TABLE patch ADD COLUMN exported INTEGER NOT NULL DEFAULT 0 CHECK (exported IN (0, 1));

-- When events were last read; how far: the newest that was seen (null: there were none), and those around it, among which others may turn up
-- late (null: it is not known how far); and how many patches the last full read found changed that no event told of (null: it could not tell).
ALTER TABLE snapshot ADD COLUMN events_at TEXT;
ALTER TABLE snapshot ADD COLUMN recent_events TEXT CHECK (json_type(recent_events) = 'array');
ALTER TABLE snapshot ADD COLUMN newest_event INTEGER CHECK (newest_event IS NULL OR recent_events IS NOT NULL);
ALTER TABLE snapshot ADD COLUMN missed_by_events INTEGER;

-- A full read that did not come to its end, to be gone on with; and how far events had been read when it began, as in snapshot.
CREATE TABLE sweep (
    tracker       INTEGER PRIMARY KEY REFERENCES tracker (id),
    url           TEXT NOT NULL,
    began_at      TEXT NOT NULL,
    recent_events TEXT CHECK (json_type(recent_events) = 'array'),
    newest_event  INTEGER CHECK (newest_event IS NULL OR recent_events IS NOT NULL)
) STRICT;

-- The projects whose patches were all read.
CREATE TABLE sweep_project (
    tracker INTEGER NOT NULL REFERENCES sweep (tracker),
    project INTEGER NOT NULL,
    PRIMARY KEY (tracker, project)
) STRICT, WITHOUT ROWID;

-- The patches that were read: related is the list of the other members' ids.
CREATE TABLE sweep_patch (
    tracker    INTEGER NOT NULL REFERENCES sweep (tracker),
    id         INTEGER NOT NULL,
    project    INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    date       TEXT,
    commit_ref TEXT,
    related    TEXT NOT NULL CHECK (json_type(related) = 'array'),
    PRIMARY KEY (tracker, id)
) STRICT, WITHOUT ROWID;

-- A write that fills in a patch's commit instead of clearing or relating.
ALTER TABLE journal ADD COLUMN commit_ref TEXT CHECK (commit_ref IS NULL OR related IS NULL);

-- From here on nothing is a copy of what a tracker holds.

-- Where a tracker was: the same number is another patch at another address.
CREATE TABLE address (
    id      INTEGER PRIMARY KEY,
    tracker INTEGER NOT NULL REFERENCES tracker (id),
    url     TEXT NOT NULL,
    UNIQUE (tracker, url)
) STRICT;

-- What tracker and kinset last agreed on, and up to which entry of the journal kinset's own writes are part of it.
CREATE TABLE base (
    tracker   INTEGER PRIMARY KEY REFERENCES tracker (id),
    address   INTEGER NOT NULL REFERENCES address (id),
    agreed_at TEXT NOT NULL,
    journal   INTEGER NOT NULL
) STRICT;

CREATE TABLE base_member (
    tracker  INTEGER NOT NULL REFERENCES base (tracker),
    patch    INTEGER NOT NULL,
    relation INTEGER NOT NULL,
    PRIMARY KEY (tracker, patch)
) STRICT, WITHOUT ROWID;

CREATE INDEX base_member_by_relation ON base_member (tracker, relation);

-- What somebody else than kinset did to relations: patches joined, or two patches parted. Numbers are never given twice, as people note them.
-- fed_back: kinset wrote the pair into PaStA's file of false positives, where it had not been before.
CREATE TABLE decision (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    address  INTEGER NOT NULL REFERENCES address (id),
    kind     TEXT NOT NULL CHECK (kind IN ('joined', 'parted')),
    seen_at  TEXT NOT NULL,
    who      TEXT,
    ended_at TEXT,
    ended    TEXT CHECK (ended IN ('agreed', 'superseded', 'vanished', 'dropped')),
    fed_back INTEGER NOT NULL DEFAULT 0 CHECK (fed_back IN (0, 1)),
    CHECK ((ended_at IS NULL) = (ended IS NULL))
) STRICT;

CREATE INDEX decision_open ON decision (address) WHERE ended_at IS NULL;

-- project and message_id are null for patches of projects that are not read.
CREATE TABLE decision_patch (
    decision   INTEGER NOT NULL REFERENCES decision (id),
    patch      INTEGER NOT NULL,
    project    INTEGER,
    message_id TEXT,
    PRIMARY KEY (decision, patch)
) STRICT, WITHOUT ROWID;

-- A relation that patches were found in, or a patch found in none: when, and who brought that about. run is kinset's.
CREATE TABLE sighting (
    id      INTEGER PRIMARY KEY,
    address INTEGER NOT NULL REFERENCES address (id),
    seen_at TEXT NOT NULL,
    writer  TEXT NOT NULL CHECK (writer IN ('found', 'kinset', 'other')),
    who     TEXT,
    run     INTEGER REFERENCES run (id),
    CHECK (run IS NULL OR writer = 'kinset'),
    CHECK (who IS NULL OR writer = 'other')
) STRICT;

CREATE TABLE sighting_patch (
    sighting INTEGER NOT NULL REFERENCES sighting (id),
    patch    INTEGER NOT NULL,
    PRIMARY KEY (sighting, patch)
) STRICT, WITHOUT ROWID;

CREATE INDEX sighting_by_patch ON sighting_patch (patch);

-- What each plan came to: writes that it took, what it left undone, changes by others that it found, whether a guard held it back, and the
-- names of the projects that may not be written to.
CREATE TABLE cycle (
    id              INTEGER PRIMARY KEY,
    tracker         INTEGER NOT NULL REFERENCES tracker (id),
    planned_at      TEXT NOT NULL,
    clears          INTEGER NOT NULL,
    relates         INTEGER NOT NULL,
    commit_refs     INTEGER NOT NULL,
    undone          INTEGER NOT NULL,
    foreign_changes INTEGER NOT NULL,
    guarded         INTEGER NOT NULL CHECK (guarded IN (0, 1)),
    blocked         TEXT NOT NULL CHECK (json_type(blocked) = 'array')
) STRICT;

CREATE INDEX cycle_by_tracker ON cycle (tracker);
