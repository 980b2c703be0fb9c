-- What each source of a distribution said when it was last read. It may be before the distribution is known, so it goes by the name.
-- asked: what it was asked, and by which kinset; snapshot: all that it said; validators: what the service gave to tell by whether that still holds.
CREATE TABLE reading (
    distribution TEXT NOT NULL,
    source       TEXT NOT NULL,
    asked        TEXT NOT NULL CHECK (json_type(asked) = 'object'),
    read_at      TEXT NOT NULL,
    snapshot     TEXT NOT NULL CHECK (json_type(snapshot) = 'object'),
    validators   TEXT NOT NULL CHECK (json_type(validators) = 'object'),
    PRIMARY KEY (distribution, source)
) STRICT;
