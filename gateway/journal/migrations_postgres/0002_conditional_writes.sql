-- As on SQLite (there is why). The order of arrival is part of an index where a look takes the first few.
ALTER TABLE movements
  ADD COLUMN revision BIGINT NOT NULL DEFAULT 0,
  ADD COLUMN place TEXT NOT NULL DEFAULT '',
  ADD COLUMN forgot_at BIGINT,
  ADD COLUMN fact TEXT,
  ADD COLUMN batch TEXT NOT NULL DEFAULT '',
  ADD COLUMN atomic SMALLINT NOT NULL DEFAULT 0,
  ADD COLUMN ours SMALLINT NOT NULL DEFAULT 0,
  ALTER COLUMN heard DROP DEFAULT,
  ALTER COLUMN heard TYPE TEXT USING CASE WHEN heard > 0 THEN 'before' ELSE '' END,
  ALTER COLUMN heard SET DEFAULT '';
UPDATE movements SET ours = 1
WHERE kind = 'rollback' AND reference <> '' AND id = 'gw:' || reference AND target <> '' AND heard = '';

DROP INDEX movements_id;
DROP INDEX movements_reference;
DROP INDEX movements_round;
DROP INDEX movements_due;
CREATE INDEX movements_found ON movements (provider, id, created_at, key) WHERE parent = '' AND ours = 0;
CREATE INDEX movements_naming ON movements (provider, reference, created_at, key)
  WHERE reference <> '' AND kind IN ('rollback', 'capture', 'release') AND parent = '' AND ours = 0;
CREATE INDEX movements_naming_wins ON movements (provider, reference, player)
  WHERE reference <> '' AND kind = 'credit' AND parent = '' AND state <> 'declined';
CREATE INDEX movements_round_place ON movements (provider, player, round, created_at, key) WHERE round <> '' AND wallet <> '';
CREATE INDEX movements_round_bets ON movements (provider, player, round, created_at, key)
  WHERE round <> '' AND kind = 'debit' AND parent = '' AND state <> 'declined'
    AND (undone_by = '' OR state NOT IN ('accepted', 'declined'));
CREATE INDEX movements_round_win ON movements (provider, player, round, created_at, key)
  WHERE round <> '' AND kind IN ('credit', 'settle') AND parent = '' AND state <> 'declined';
CREATE INDEX movements_round_loose_win ON movements (provider, player, round, created_at, key)
  WHERE round <> '' AND kind = 'credit' AND reference = '' AND batch = '' AND parent = '' AND state <> 'declined';
CREATE INDEX movements_round_refunds ON movements (provider, player, round, created_at, key)
  WHERE round <> '' AND kind = 'rollback' AND scope = 'round' AND target = '' AND parent = '';
CREATE INDEX movements_round_undoing ON movements (provider, player, round, created_at, key)
  WHERE round <> '' AND kind = 'rollback' AND target <> '' AND state NOT IN ('accepted', 'declined');
CREATE INDEX movements_batch ON movements (batch) WHERE batch <> '';
CREATE INDEX movements_due ON movements (wallet, due_at) WHERE due_at IS NOT NULL;
ALTER TABLE sessions ADD COLUMN country TEXT NOT NULL DEFAULT '';
CREATE INDEX sessions_game ON sessions (provider, player, game, seen_at);

CREATE TABLE doubts (
  since BIGINT NOT NULL,
  said_at BIGINT NOT NULL,
  reason TEXT NOT NULL,
  by_whom TEXT NOT NULL
);

-- The servers on which this journal was written: another one may have forgotten something (docs/rules.md
-- 30). `seen_at`: when it was last written there, by its own clock.
CREATE TABLE homes (
  system TEXT NOT NULL,
  timeline TEXT NOT NULL,
  seen_at BIGINT NOT NULL,
  PRIMARY KEY (system, timeline)
);
