-- Every row has a revision, so that a decision is written only if what it leaned on is as it was read.
-- Who heard a decision is known by name; where a wallet's name pointed, too.
ALTER TABLE movements ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE movements ADD COLUMN place TEXT NOT NULL DEFAULT '';       -- where the wallet's name pointed
ALTER TABLE movements ADD COLUMN forgot_at INTEGER;                    -- the journal may have forgotten it (rule 30)
ALTER TABLE movements ADD COLUMN fact TEXT;                            -- what the wallet said, not decided yet
ALTER TABLE movements ADD COLUMN batch TEXT NOT NULL DEFAULT '';
ALTER TABLE movements ADD COLUMN atomic INTEGER NOT NULL DEFAULT 0;    -- 1: that batch is all or nothing
ALTER TABLE movements ADD COLUMN ours INTEGER NOT NULL DEFAULT 0;      -- 1: no provider ever named it
-- The calls that may have heard the decision. Of those that were only counted one name is left.
ALTER TABLE movements ADD COLUMN heard_by TEXT NOT NULL DEFAULT '';
UPDATE movements SET heard_by = 'before' WHERE heard > 0;
ALTER TABLE movements DROP COLUMN heard;
ALTER TABLE movements RENAME COLUMN heard_by TO heard;
-- The gateway's own rollbacks were called after the movement that they undo, and no provider heard of them.
UPDATE movements SET ours = 1
WHERE kind = 'rollback' AND reference <> '' AND id = 'gw:' || reference AND target <> '' AND heard = '';

-- What a rule may look at costs the same in a long round as in a short one: an index for each look.
DROP INDEX movements_id;
DROP INDEX movements_reference;
DROP INDEX movements_round;
DROP INDEX movements_due;
CREATE INDEX movements_found ON movements (provider, id) WHERE parent = '' AND ours = 0;
CREATE INDEX movements_naming ON movements (provider, reference)
  WHERE reference <> '' AND kind IN ('rollback', 'capture', 'release') AND parent = '' AND ours = 0;
CREATE INDEX movements_naming_wins ON movements (provider, reference, player)
  WHERE reference <> '' AND kind = 'credit' AND parent = '' AND state <> 'declined';
CREATE INDEX movements_round_place ON movements (provider, player, round) WHERE round <> '' AND wallet <> '';
CREATE INDEX movements_round_bets ON movements (provider, player, round)
  WHERE round <> '' AND kind = 'debit' AND parent = '' AND state <> 'declined'
    AND (undone_by = '' OR state NOT IN ('accepted', 'declined'));
CREATE INDEX movements_round_win ON movements (provider, player, round)
  WHERE round <> '' AND kind IN ('credit', 'settle') AND parent = '' AND state <> 'declined';
CREATE INDEX movements_round_loose_win ON movements (provider, player, round)
  WHERE round <> '' AND kind = 'credit' AND reference = '' AND batch = '' AND parent = '' AND state <> 'declined';
CREATE INDEX movements_round_refunds ON movements (provider, player, round)
  WHERE round <> '' AND kind = 'rollback' AND scope = 'round' AND target = '' AND parent = '';
CREATE INDEX movements_round_undoing ON movements (provider, player, round)
  WHERE round <> '' AND kind = 'rollback' AND target <> '' AND state NOT IN ('accepted', 'declined');
CREATE INDEX movements_batch ON movements (batch) WHERE batch <> '';
CREATE INDEX movements_due ON movements (wallet, due_at) WHERE due_at IS NOT NULL;
ALTER TABLE sessions ADD COLUMN country TEXT NOT NULL DEFAULT '';
CREATE INDEX sessions_game ON sessions (provider, player, game, seen_at);

-- A person's word that the journal forgot what came since a moment.
CREATE TABLE doubts (
  since INTEGER NOT NULL,
  said_at INTEGER NOT NULL,
  reason TEXT NOT NULL,
  by_whom TEXT NOT NULL
) STRICT;
