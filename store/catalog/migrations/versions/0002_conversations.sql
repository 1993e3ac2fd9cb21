-- Conversations: a tree of turns each, every answer kept whole beside its question.
CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    title TEXT NOT NULL,
    created TEXT NOT NULL,
    updated TEXT NOT NULL,
    leaf TEXT
);
CREATE INDEX conversations_by_owner ON conversations (owner, updated);

CREATE TABLE turns (
    id TEXT PRIMARY KEY,
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    parent TEXT REFERENCES turns (id) ON DELETE CASCADE,
    question TEXT NOT NULL,
    options TEXT NOT NULL DEFAULT '{}',
    state TEXT NOT NULL CHECK (state IN ('asked', 'finished', 'stopped', 'failed')),
    answer TEXT,
    created TEXT NOT NULL
);
CREATE INDEX turns_by_conversation ON turns (conversation);
CREATE INDEX turns_by_parent ON turns (parent);

-- A verdict outlives its conversation: it carries the answer that it is about.
CREATE TABLE feedback (
    id TEXT PRIMARY KEY,
    turn TEXT NOT NULL,
    citation INTEGER,
    verdict TEXT NOT NULL CHECK (verdict IN ('good', 'bad')),
    comment TEXT NOT NULL DEFAULT '',
    answer TEXT NOT NULL,
    created TEXT NOT NULL
);
CREATE INDEX feedback_by_turn ON feedback (turn);
