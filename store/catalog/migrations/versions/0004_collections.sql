-- Each document belongs to one collection; the empty name is that of documents without any. Who may see which is the accounts' business.
ALTER TABLE documents ADD COLUMN collection TEXT NOT NULL DEFAULT '';
CREATE INDEX documents_live_collection ON documents (collection, language, speaker, characters, passage_count, state) WHERE state = 'live';
