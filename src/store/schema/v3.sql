-- The address that a run wrote to and that a cycle planned for; null where that is not known.
ALTER TABLE run ADD COLUMN url TEXT;
ALTER TABLE cycle ADD COLUMN url TEXT;
UPDATE run SET url = (SELECT url FROM snapshot WHERE snapshot.tracker = run.tracker);
UPDATE cycle SET url = (SELECT url FROM snapshot WHERE snapshot.tracker = cycle.tracker);

-- The mails of patches that the tracker no longer has and that stand in sightings, so that they are found by them.
CREATE TABLE gone_patch (
    address    INTEGER NOT NULL REFERENCES address (id),
    patch      INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    PRIMARY KEY (address, patch)
) STRICT, WITHOUT ROWID;
