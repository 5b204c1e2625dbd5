-- Version 1: journals, their entries, and the version of the schema.

CREATE SCHEMA IF NOT EXISTS changeover;

CREATE TABLE changeover.version (
    version integer     PRIMARY KEY,
    applied timestamptz NOT NULL DEFAULT now()
);

-- One row for each journal: its end, kept a second time, and who writes it.
CREATE TABLE changeover.journal (
    id     integer     GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name   text        COLLATE "C" NOT NULL UNIQUE,
    seq    bigint      NOT NULL DEFAULT 0,  -- of the last entry
    epoch  bigint      NOT NULL DEFAULT 0,  -- of the last entry
    bytes  bigint      NOT NULL DEFAULT 0,  -- of all entries
    hash   bytea       NOT NULL,            -- of the last entry
    token  bytea       NOT NULL DEFAULT '', -- of the writer; another one can no longer append
    holder text        NOT NULL DEFAULT '', -- the writer, for people
    since  timestamptz NOT NULL DEFAULT now()
);

-- The entries. The type is json, not jsonb: it keeps every byte as it was written.
-- hash is the SHA-256 of the hash of the entry before and the bytes of this one.
CREATE TABLE changeover.entry (
    journal integer NOT NULL REFERENCES changeover.journal (id),
    seq     bigint  NOT NULL CHECK (seq > 0),
    epoch   bigint  NOT NULL,
    entry   json    NOT NULL,
    hash    bytea   NOT NULL,
    PRIMARY KEY (journal, seq)
);
