-- begin: each statement sees what was committed before it began; whoever must not be missed is locked
BEGIN ISOLATION LEVEL READ COMMITTED;

-- lock_names: one after the other, always in this order; see migrations_postgres/0001
SELECT slot FROM name_locks WHERE slot = ANY(?) ORDER BY slot FOR UPDATE;

-- held: the revisions of rows that must not change until this transaction ends, always in this order
SELECT key, revision FROM movements WHERE key = ANY(?) ORDER BY key FOR UPDATE;

-- hold_movements: of what may be too old the rows that nobody else holds. Retention waits for nobody, and who comes to lean
-- on one of them waits for it; what leaned on one before is seen by the next statement.
SELECT movements.key, old.before FROM {movements_given} ORDER BY movements.key FOR UPDATE OF movements SKIP LOCKED;

-- hold_sessions: the same
SELECT sessions.provider, sessions.session FROM {sessions_given}
ORDER BY sessions.provider, sessions.session FOR UPDATE OF sessions SKIP LOCKED;

-- beat: a write that changes nothing; it fails where writes would
UPDATE name_locks SET slot = slot WHERE slot = -1;

-- here: which server this is, and since when its history is its own
SELECT CAST(system_identifier AS TEXT), substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) FROM pg_control_system();

-- at_home: the journal is written here from now on, where it was before or a person said that it forgot something
-- since; no row: neither. One statement: who comes between two of them would count as the newest home.
WITH here AS (SELECT CAST(? AS TEXT) AS system, CAST(? AS TEXT) AS timeline),
  newest AS (SELECT system, timeline, seen_at FROM homes ORDER BY seen_at DESC LIMIT 1)
INSERT INTO homes (system, timeline, seen_at)
SELECT here.system, here.timeline, greatest({now}, coalesce(newest.seen_at, 0) + 1)
FROM here LEFT JOIN newest ON TRUE
WHERE newest.seen_at IS NULL OR (newest.system, newest.timeline) = (here.system, here.timeline)
  OR EXISTS (SELECT 1 FROM doubts WHERE said_at > newest.seen_at)
ON CONFLICT (system, timeline) DO UPDATE SET seen_at = excluded.seen_at
RETURNING seen_at;

-- still_home: it is still written here
UPDATE homes SET seen_at = {now} WHERE seen_at = (SELECT max(seen_at) FROM homes) RETURNING seen_at;
