-- begin: each statement sees what was committed before it began; whoever must not be missed is locked
BEGIN ISOLATION LEVEL READ COMMITTED;

-- lock_names: one after the other, always in this order; see migrations_postgres/0001
SELECT slot FROM name_locks WHERE slot = ANY(?) ORDER BY slot FOR UPDATE;

-- held: the revisions of rows that must not change until this transaction ends, always in this order
SELECT key, revision FROM movements WHERE key = ANY(?) ORDER BY key FOR UPDATE;

-- beat: a write that changes nothing; it fails where writes would
UPDATE name_locks SET slot = slot WHERE slot = -1;

-- here: which server this is, and since when its history is its own
SELECT CAST(system_identifier AS TEXT), substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) FROM pg_control_system();

-- homes: the server on which the journal was last written
SELECT system, timeline, seen_at FROM homes ORDER BY seen_at DESC LIMIT 1;

-- said_since: whether a person said since then that the journal forgot something
SELECT 1 FROM doubts WHERE said_at > ? LIMIT 1;

-- at_home: the journal is written here; this is the newest home, whatever its clock says
INSERT INTO homes (system, timeline, seen_at)
VALUES (?, ?, greatest({now}, coalesce((SELECT max(seen_at) FROM homes), 0) + 1))
ON CONFLICT (system, timeline) DO UPDATE SET seen_at = excluded.seen_at;

-- still_home: it is still written here
UPDATE homes SET seen_at = {now} WHERE seen_at = (SELECT max(seen_at) FROM homes) RETURNING seen_at;
