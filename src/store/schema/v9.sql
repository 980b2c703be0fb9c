-- What the daemon did, one row each time that it had to do with a job. after_run, after_cycle: the last run of writes and the last cycle that there were
-- when it began, so that what belongs to it can be told however it ended. journal_run: its run of writes.
CREATE TABLE daemon_run (
    id          INTEGER PRIMARY KEY,
    subject     TEXT NOT NULL CHECK (subject IN ('tracker', 'distribution')),
    name        TEXT NOT NULL,
    job         TEXT NOT NULL CHECK (job IN ('pull', 'sweep', 'sync')),
    began_at    TEXT NOT NULL,
    after_run   INTEGER NOT NULL,
    after_cycle INTEGER NOT NULL,
    ended_at    TEXT,
    outcome     TEXT CHECK (outcome IN ('changed', 'nothing-to-do', 'waiting', 'refused', 'failed', 'stopped', 'cut-short')),
    message     TEXT,
    remedy      TEXT,
    guards      TEXT NOT NULL DEFAULT '[]' CHECK (json_type(guards) = 'array'),
    changes     INTEGER NOT NULL DEFAULT 0,
    clears      INTEGER NOT NULL DEFAULT 0,
    relates     INTEGER NOT NULL DEFAULT 0,
    commit_refs INTEGER NOT NULL DEFAULT 0,
    undone      INTEGER,
    drift       INTEGER,
    journal_run INTEGER REFERENCES run (id),
    CHECK ((ended_at IS NULL) = (outcome IS NULL)),
    CHECK (outcome IS NOT 'failed' OR message IS NOT NULL)
) STRICT;

CREATE INDEX daemon_run_by_job ON daemon_run (subject, name, job);

-- What is known of each job that the daemon has: when it is due next, how often it failed in a row, and what a person was told of it already.
CREATE TABLE daemon_job (
    subject  TEXT NOT NULL CHECK (subject IN ('tracker', 'distribution')),
    name     TEXT NOT NULL,
    job      TEXT NOT NULL CHECK (job IN ('pull', 'sweep', 'sync')),
    next_due TEXT,
    failures INTEGER NOT NULL,
    told     TEXT NOT NULL CHECK (json_type(told) = 'object'),
    PRIMARY KEY (subject, name, job)
) STRICT, WITHOUT ROWID;

-- The plan of a tracker that was made and not carried out.
CREATE TABLE waiting_plan (
    tracker    TEXT PRIMARY KEY,
    run        INTEGER NOT NULL,
    planned_at TEXT NOT NULL,
    url        TEXT NOT NULL,
    because    TEXT NOT NULL CHECK (because IN ('plan-only', 'quiet', 'guard')),
    writes     INTEGER NOT NULL,
    plan       TEXT NOT NULL CHECK (json_type(plan) = 'object')
) STRICT, WITHOUT ROWID;
