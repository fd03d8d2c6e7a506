-- What came after the journal had forgotten may have been asked since this moment (rule 30).
ALTER TABLE movements ADD COLUMN forgot_since INTEGER;
