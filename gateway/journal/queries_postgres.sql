-- begin: each statement sees what was committed before it began; whoever must not be missed is locked
BEGIN ISOLATION LEVEL READ COMMITTED;

-- lock_names: one after the other, always in this order; see migrations_postgres/0001
SELECT slot FROM name_locks WHERE slot = ANY(?) ORDER BY slot FOR UPDATE;

-- beat: a write that changes nothing; it fails where writes would
UPDATE name_locks SET slot = slot WHERE slot = -1;

-- insert: a new movement; its lease is counted by the database's clock
INSERT INTO movements (
  key, provider, space, kind, id, player, currency, round, reference, reference_kind, scope, fingerprint, intent,
  wallet, route, alias, state, owes, attempts, asked_at, target, undone_by, parent, outcome, told, told_at, note,
  owner, due_at, tries, created_at, decided_at, session
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {now} + CAST(? AS BIGINT), ?, ?, ?, ?);
