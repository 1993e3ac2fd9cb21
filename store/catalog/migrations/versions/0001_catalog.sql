-- Offsets are code points into a document's normalized text; `key` columns are private to this file.

CREATE TABLE library (
  name  TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

INSERT INTO library VALUES
  ('id', lower(hex(randomblob(8)))),
  ('vectors_generation', '1'),
  ('keywords_generation', '1');

CREATE TABLE documents (
  key             INTEGER PRIMARY KEY,
  id              TEXT NOT NULL,
  uri             TEXT NOT NULL,
  title           TEXT NOT NULL,
  speaker         TEXT,
  published       TEXT,
  published_first INTEGER,          -- yyyymmdd of the first and the last day that `published` can mean
  published_last  INTEGER,
  language        TEXT NOT NULL,
  original_sha256 TEXT NOT NULL,
  text_sha256     TEXT NOT NULL,
  media_type      TEXT NOT NULL,
  pages           TEXT NOT NULL,    -- JSON array of offsets
  normalization   INTEGER NOT NULL,
  version         TEXT NOT NULL,    -- digest of the text and of how it was cut into passages
  characters      INTEGER NOT NULL,
  passage_count   INTEGER NOT NULL,
  state           TEXT NOT NULL CHECK (state IN ('pending', 'live', 'retired')),
  stale           INTEGER NOT NULL DEFAULT 0 CHECK (stale IN (0, 1)) -- its index entries must be written again
) STRICT;
CREATE UNIQUE INDEX documents_live_id ON documents (id) WHERE state = 'live';
CREATE UNIQUE INDEX documents_live_uri ON documents (uri) WHERE state = 'live';
CREATE INDEX documents_live_speaker ON documents (speaker, characters, state) WHERE state = 'live';
CREATE INDEX documents_unsettled ON documents (state) WHERE state <> 'live';
CREATE INDEX documents_stale ON documents (key) WHERE stale = 1;

-- In blocks of a fixed number of code points, so that a quote from a huge text reads one or two rows.
CREATE TABLE texts (
  document INTEGER NOT NULL REFERENCES documents (key) ON DELETE CASCADE,
  block    INTEGER NOT NULL,
  text     TEXT NOT NULL,
  PRIMARY KEY (document, block)
) STRICT;

CREATE TABLE passages (
  key           INTEGER PRIMARY KEY,
  id            TEXT NOT NULL UNIQUE,
  document      INTEGER NOT NULL REFERENCES documents (key) ON DELETE CASCADE,
  ordinal       INTEGER NOT NULL,
  start_offset  INTEGER NOT NULL,
  end_offset    INTEGER NOT NULL CHECK (end_offset >= start_offset),
  language      TEXT NOT NULL,
  heading_start INTEGER,
  heading_end   INTEGER,
  sentences     BLOB NOT NULL,      -- packed spans, relative to start_offset
  content       BLOB NOT NULL,      -- digest of what is embedded: equal words need embedding once
  UNIQUE (document, ordinal)
) STRICT;
CREATE INDEX passages_content ON passages (content);

CREATE TABLE vectors (
  passage   INTEGER NOT NULL REFERENCES passages (key) ON DELETE CASCADE,
  embedding INTEGER NOT NULL,       -- which run of which model: `library.embedding` names the one in use
  halves    BLOB NOT NULL,          -- float16, row 0 the passage, then its sentences
  PRIMARY KEY (passage, embedding)
) STRICT;

CREATE TABLE languages (
  language TEXT NOT NULL PRIMARY KEY,
  count    INTEGER NOT NULL,
  sum      BLOB NOT NULL            -- float64
) STRICT;

-- The statistics that the indexes in use were made with: vectors there are centred by these, not by newer ones.
CREATE TABLE centring (
  language TEXT NOT NULL PRIMARY KEY,
  count    INTEGER NOT NULL,
  sum      BLOB NOT NULL
) STRICT;
