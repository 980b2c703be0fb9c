-- Mails of patches that were exported: no copy of what a tracker holds, so they stand apart from patch.
CREATE TABLE exported_mail (
    address    INTEGER NOT NULL REFERENCES address (id),
    patch      INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    PRIMARY KEY (address, patch, message_id)
) STRICT, WITHOUT ROWID;

INSERT INTO address (tracker, url)
SELECT tracker, url FROM snapshot WHERE tracker IN (SELECT tracker FROM patch WHERE exported)
ON CONFLICT DO NOTHING;

INSERT INTO exported_mail (address, patch, message_id)
SELECT address.id, patch.id, patch.message_id
FROM patch
JOIN snapshot ON snapshot.tracker = patch.tracker
JOIN address ON address.tracker = snapshot.tracker AND address.url = snapshot.url
WHERE exported;

ALTER TABLE patch DROP COLUMN exported;
