-- The same tables as on SQLite (there is what each column means), for PostgreSQL and what speaks like
-- it. No sequence: the order of arrival is (created_at, key). Times are Unix microseconds.
CREATE TABLE movements (
  key TEXT PRIMARY KEY,                -- the lock: whoever inserts a key first carries the movement
  provider TEXT NOT NULL,
  space TEXT NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  player TEXT NOT NULL,
  currency TEXT NOT NULL,
  round TEXT NOT NULL,
  reference TEXT NOT NULL,
  reference_kind TEXT NOT NULL,
  scope TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  intent TEXT NOT NULL,
  wallet TEXT NOT NULL,
  route TEXT NOT NULL,
  alias TEXT NOT NULL,
  state TEXT NOT NULL,
  owes SMALLINT NOT NULL,
  attempts BIGINT NOT NULL,
  asked_at BIGINT,
  target TEXT NOT NULL,
  undone_by TEXT NOT NULL,
  parent TEXT NOT NULL,
  outcome TEXT,
  told TEXT NOT NULL,
  told_at BIGINT,
  heard INTEGER NOT NULL DEFAULT 0,
  note TEXT NOT NULL,
  owner TEXT NOT NULL,
  due_at BIGINT,                       -- while it has an owner: the end of the lease, by this database's clock
  tries BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  decided_at BIGINT,
  session TEXT NOT NULL
);

CREATE INDEX movements_id ON movements (provider, id, kind);
CREATE INDEX movements_reference ON movements (provider, reference) WHERE kind = 'rollback';
CREATE INDEX movements_round ON movements (provider, player, round);
CREATE INDEX movements_player ON movements (provider, player, created_at, key);
CREATE INDEX movements_open ON movements (state, wallet, kind) WHERE state NOT IN ('accepted', 'declined');
CREATE INDEX movements_due ON movements (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX movements_target ON movements (target) WHERE target <> '';
CREATE INDEX movements_parent ON movements (parent) WHERE parent <> '';
-- For retention and listings only. On an engine that keeps indexes sorted over its nodes, make it a hashed one.
CREATE INDEX movements_arrival ON movements (created_at, key);

CREATE TABLE steps (
  key TEXT NOT NULL,
  number BIGINT NOT NULL,              -- within the movement: no sequence
  at BIGINT NOT NULL,
  what TEXT NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (key, number)
);

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
  expires_at BIGINT,
  seen_at BIGINT NOT NULL,
  PRIMARY KEY (provider, session)
);

CREATE INDEX sessions_player ON sessions (provider, player, seen_at);
CREATE INDEX sessions_launch ON sessions (provider, launch_token) WHERE launch_token <> '';

-- Whoever opens a movement first locks the rows that its own id, the id that it names and its round
-- hash to. So a bet and the rollback that names it never open at the same time, on whichever nodes.
-- Rows, because every engine that speaks PostgreSQL locks rows; advisory locks some accept and ignore.
CREATE TABLE name_locks (slot INTEGER PRIMARY KEY);
INSERT INTO name_locks SELECT generate_series(0, 131071);
