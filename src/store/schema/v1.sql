-- "kins": what tells a database of kinset from one of another program.
PRAGMA application_id = 0x6b696e73;

-- A tracker that was read or written, by its name in the configuration.
CREATE TABLE tracker (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- The last full read of a tracker. Everything up to the journal belongs to it and goes with it.
CREATE TABLE snapshot (
    tracker      INTEGER PRIMARY KEY REFERENCES tracker (id),
    url          TEXT NOT NULL,
    pulled_at    TEXT NOT NULL,
    refreshed_at TEXT
) STRICT;

CREATE TABLE project (
    tracker INTEGER NOT NULL REFERENCES snapshot (tracker),
    id      INTEGER NOT NULL,
    name    TEXT NOT NULL,
    PRIMARY KEY (tracker, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE maintainer (
    tracker INTEGER NOT NULL,
    project INTEGER NOT NULL,
    user    TEXT NOT NULL,
    PRIMARY KEY (tracker, project, user),
    FOREIGN KEY (tracker, project) REFERENCES project (tracker, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE patch (
    tracker    INTEGER NOT NULL,
    id         INTEGER NOT NULL,
    project    INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    PRIMARY KEY (tracker, id),
    FOREIGN KEY (tracker, project) REFERENCES project (tracker, id)
) STRICT, WITHOUT ROWID;

-- A patch is in one relation at most: the primary key says so. Members may be patches of projects that are not read, so they need not
-- stand in patch. Relations are numbered for this table only.
CREATE TABLE relation_member (
    tracker  INTEGER NOT NULL REFERENCES snapshot (tracker),
    patch    INTEGER NOT NULL,
    relation INTEGER NOT NULL,
    PRIMARY KEY (tracker, patch)
) STRICT, WITHOUT ROWID;

CREATE INDEX relation_member_by_relation ON relation_member (tracker, relation);

-- One attempt to write to a tracker.
CREATE TABLE run (
    id       INTEGER PRIMARY KEY,
    tracker  INTEGER NOT NULL REFERENCES tracker (id),
    what     TEXT NOT NULL,
    began_at TEXT NOT NULL,
    ended_at TEXT,
    outcome  TEXT CHECK (outcome IN ('completed', 'interrupted', 'failed')),
    reason   TEXT,
    CHECK ((ended_at IS NULL) = (outcome IS NULL)),
    CHECK ((outcome IS 'failed') = (reason IS NOT NULL))
) STRICT;

CREATE INDEX run_by_tracker ON run (tracker);

-- One write of a run: on disk before the request leaves, settled when its outcome is known. related is the list in the request's body, or
-- null for a write that clears.
CREATE TABLE journal (
    id          INTEGER PRIMARY KEY,
    run         INTEGER NOT NULL REFERENCES run (id),
    component   INTEGER NOT NULL,
    patch       INTEGER NOT NULL,
    related     TEXT CHECK (json_type(related) = 'array'),
    intended_at TEXT NOT NULL,
    settled_at  TEXT,
    outcome     TEXT CHECK (outcome IN ('done', 'not-done', 'refused', 'unclear')),
    reason      TEXT,
    CHECK ((settled_at IS NULL) = (outcome IS NULL)),
    CHECK ((outcome IN ('refused', 'unclear')) IS (reason IS NOT NULL) OR outcome IS NULL AND reason IS NULL)
) STRICT;

CREATE INDEX journal_by_run ON journal (run);
CREATE INDEX journal_open ON journal (run) WHERE settled_at IS NULL;
