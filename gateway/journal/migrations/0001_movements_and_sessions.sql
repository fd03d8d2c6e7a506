-- Every movement that a provider asked for, and what became of it. Times are Unix microseconds,
-- amounts and ids are text. `intent` is the canonical transaction, `outcome` the decision.
CREATE TABLE movements (
  number INTEGER PRIMARY KEY,          -- the order of arrival; the table grows at its end only
  key TEXT NOT NULL,
  provider TEXT NOT NULL,
  space TEXT NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  player TEXT NOT NULL,
  currency TEXT NOT NULL,
  round TEXT NOT NULL,
  reference TEXT NOT NULL,             -- the provider's id of the movement meant
  reference_kind TEXT NOT NULL,
  scope TEXT NOT NULL,                 -- of a rollback: transaction or round
  fingerprint TEXT NOT NULL,
  intent TEXT NOT NULL,
  wallet TEXT NOT NULL,
  route TEXT NOT NULL,
  alias TEXT NOT NULL,
  state TEXT NOT NULL,
  owes INTEGER NOT NULL,               -- 1: open means owed (credit, rollback); 0: open means doubt
  attempts INTEGER NOT NULL,
  asked_at INTEGER,
  target TEXT NOT NULL,
  undone_by TEXT NOT NULL,
  parent TEXT NOT NULL,
  outcome TEXT,
  told TEXT NOT NULL,
  told_at INTEGER,
  heard INTEGER NOT NULL DEFAULT 0,    -- how many calls of its provider may have heard the decision
  note TEXT NOT NULL,
  owner TEXT NOT NULL,                 -- the process that carries it just now
  due_at INTEGER,                      -- not before this may another process, or settlement, touch it; NULL: nothing is due
  tries INTEGER NOT NULL,              -- how often settlement looked at it
  created_at INTEGER NOT NULL,
  decided_at INTEGER,
  session TEXT NOT NULL                -- the provider's session that it came with
) STRICT;

-- The lock: whoever inserts a key first carries the movement.
CREATE UNIQUE INDEX movements_key ON movements (key);
-- A reference names a provider's own id.
CREATE INDEX movements_id ON movements (provider, id, kind);
-- Tombstones: rollbacks by what they name.
CREATE INDEX movements_reference ON movements (provider, reference) WHERE kind = 'rollback';
-- A player's rounds, and the player's last movement.
CREATE INDEX movements_round ON movements (provider, player, round);
CREATE INDEX movements_player ON movements (provider, player, number);
-- What is open: few rows, read by the gauges and by settlement.
CREATE INDEX movements_open ON movements (state, wallet, kind) WHERE state NOT IN ('accepted', 'declined');
CREATE INDEX movements_due ON movements (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX movements_target ON movements (target) WHERE target <> '';
CREATE INDEX movements_parent ON movements (parent) WHERE parent <> '';

-- What out of the ordinary happened to a movement, step by step. An ordinary call writes none: its
-- row tells its story. Rows leave together with their movement.
CREATE TABLE steps (
  key TEXT NOT NULL,                   -- of the movement
  number INTEGER NOT NULL,             -- within the movement: no sequence
  at INTEGER NOT NULL,
  what TEXT NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (key, number)
) STRICT, WITHOUT ROWID;

-- Launches that the operator handed over, and sessions that `authenticate` taught.
CREATE TABLE sessions (
  provider TEXT NOT NULL,
  session TEXT NOT NULL,
  player TEXT NOT NULL,
  currency TEXT NOT NULL,
  game TEXT NOT NULL,
  brand TEXT NOT NULL,
  wallet TEXT NOT NULL,
  wallet_session TEXT NOT NULL,
  launch_token TEXT NOT NULL,
  expires_at INTEGER,
  seen_at INTEGER NOT NULL,
  PRIMARY KEY (provider, session)
) STRICT;

CREATE INDEX sessions_player ON sessions (provider, player, seen_at);
CREATE INDEX sessions_launch ON sessions (provider, launch_token) WHERE launch_token <> '';
