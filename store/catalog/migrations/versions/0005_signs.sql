-- Signs that a document's file was made to mislead its readers, by their names, separated by blanks. Of documents from before nothing is known.
ALTER TABLE documents ADD COLUMN signs TEXT NOT NULL DEFAULT '';
