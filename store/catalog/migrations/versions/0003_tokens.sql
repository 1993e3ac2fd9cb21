-- What late interaction compares a question with: the codes of a passage's tokens. Empty where the model has no basis for them.
ALTER TABLE vectors ADD COLUMN tokens BLOB NOT NULL DEFAULT x'';
-- Sum over passages of their mean code, float64; empty where there are none.
ALTER TABLE languages ADD COLUMN tokens BLOB NOT NULL DEFAULT x'';
