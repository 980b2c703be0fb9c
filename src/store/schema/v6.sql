-- Modules: when their streams end, what these are made of, and which are the defaults. As in the package model, nothing is overwritten.

CREATE TABLE module_stream (
    id           INTEGER PRIMARY KEY,
    distribution INTEGER NOT NULL REFERENCES distribution (id),
    module       TEXT NOT NULL,
    name         TEXT NOT NULL,
    UNIQUE (distribution, module, name)
) STRICT;

-- That there is a stream, and when it ends if somebody said so: on a day, as YYYY-MM-DD, or with a release.
CREATE TABLE stream_record (
    stream      INTEGER NOT NULL REFERENCES module_stream (id),
    until       INTEGER NOT NULL DEFAULT 9223372036854775807,
    since       INTEGER NOT NULL REFERENCES log (id),
    eol_date    TEXT,
    eol_release INTEGER REFERENCES collection (id),
    CHECK (eol_date IS NULL OR eol_release IS NULL),
    PRIMARY KEY (stream, until)
) STRICT, WITHOUT ROWID;

-- A stream in one context, which is empty where it was not built yet: for which platforms, and how well it is looked after until when.
CREATE TABLE stream_context (
    stream         INTEGER NOT NULL REFERENCES module_stream (id),
    until          INTEGER NOT NULL DEFAULT 9223372036854775807,
    context        TEXT NOT NULL,
    since          INTEGER NOT NULL REFERENCES log (id),
    version        INTEGER NOT NULL,
    platforms      TEXT NOT NULL CHECK (json_type(platforms) = 'array'),
    service_levels TEXT NOT NULL CHECK (json_type(service_levels) = 'object'),
    PRIMARY KEY (stream, until, context)
) STRICT, WITHOUT ROWID;

-- The source packages in it, which the distribution may know in no other way.
CREATE TABLE context_package (
    stream  INTEGER NOT NULL REFERENCES module_stream (id),
    until   INTEGER NOT NULL DEFAULT 9223372036854775807,
    context TEXT NOT NULL,
    package TEXT NOT NULL,
    since   INTEGER NOT NULL REFERENCES log (id),
    PRIMARY KEY (stream, until, context, package)
) STRICT, WITHOUT ROWID;

-- What is said of its being obsolete. subject: the context that it is said of, with a `:` in front; empty: all of them.
CREATE TABLE stream_obsoletes (
    stream  INTEGER NOT NULL REFERENCES module_stream (id),
    until   INTEGER NOT NULL DEFAULT 9223372036854775807,
    subject TEXT NOT NULL,
    since   INTEGER NOT NULL REFERENCES log (id),
    said    TEXT NOT NULL CHECK (json_type(said) = 'object'),
    PRIMARY KEY (stream, until, subject)
) STRICT, WITHOUT ROWID;

-- The default stream of a module in a release; null: in those that have none of their own.
CREATE TABLE module_default (
    distribution INTEGER NOT NULL REFERENCES distribution (id),
    until        INTEGER NOT NULL DEFAULT 9223372036854775807,
    module       TEXT NOT NULL,
    collection   INTEGER REFERENCES collection (id),
    stream       TEXT NOT NULL,
    since        INTEGER NOT NULL REFERENCES log (id)
) STRICT;

CREATE INDEX module_default_by_module ON module_default (distribution, until, module);
