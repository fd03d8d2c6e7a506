-- insert: a new movement
INSERT INTO movements (
  key, provider, space, kind, id, player, currency, round, reference, reference_kind, scope, fingerprint, intent,
  wallet, route, alias, state, owes, attempts, asked_at, target, undone_by, parent, outcome, told, told_at, note,
  owner, due_at, tries, created_at, decided_at
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- get: one movement by its key
SELECT {row} FROM movements WHERE key = ?;

-- find: the movements with a provider's own id
SELECT {row} FROM movements WHERE provider = ? AND id = ? ORDER BY number;

-- buried: the rollbacks that came before the movement they name; a round's tombstone holds for its round only
SELECT {row} FROM movements
WHERE provider = ? AND reference = ? AND kind = 'rollback' AND target = '' AND parent = ''
  AND (scope <> 'round' OR round = ?)
ORDER BY number;

-- buried_round: a whole round's refund that found nothing to undo
SELECT {row} FROM movements
WHERE provider = ? AND player = ? AND round = ? AND kind = 'rollback' AND scope = 'round' AND target = '' AND parent = ''
ORDER BY number;

-- round: a player's movements in one round
SELECT {row} FROM movements WHERE provider = ? AND player = ? AND round = ? ORDER BY number;

-- round_open: whether a bet of the round is open
SELECT 1 FROM movements
WHERE provider = ? AND player = ? AND round = ? AND kind = 'debit' AND state NOT IN ('accepted', 'declined') LIMIT 1;

-- round_wallet: where the movements of a round went
SELECT wallet, route FROM movements WHERE provider = ? AND player = ? AND round = ? AND wallet <> '' ORDER BY number LIMIT 1;

-- undoing: the rollbacks of one movement that were not declined
SELECT {row} FROM movements WHERE target = ? AND kind = 'rollback' AND state <> 'declined' ORDER BY number;

-- claim: one rollback for one movement; the first stays
UPDATE movements SET undone_by = ? WHERE key = ? AND undone_by = '';

-- release: a rollback will not undo its target
UPDATE movements SET undone_by = '' WHERE undone_by = ?;

-- step: a line of a movement's story; the transaction holds the movement's row
INSERT INTO steps (key, number, at, what, detail)
SELECT ?, coalesce(max(number), 0) + 1, ?, ?, ? FROM steps WHERE key = ?;

-- trim: of a long story the first and the last hundred lines stay, and what a person did
DELETE FROM steps
WHERE key = ? AND number > 100 AND number <= (SELECT max(number) FROM steps WHERE key = ?) - 100
  AND what NOT IN ('retry', 'resolved');

-- story: the lines of a movement's story
SELECT at, what, detail FROM steps WHERE key = ? ORDER BY number;

-- released_steps: before `release`, a line for the target
INSERT INTO steps (key, number, at, what, detail)
SELECT m.key, coalesce((SELECT max(s.number) FROM steps s WHERE s.key = m.key), 0) + 1, ?, 'released', ?
FROM movements m WHERE m.undone_by = ?;

-- taken_steps: before `take`, a line where a lease that has ended is taken over
INSERT INTO steps (key, number, at, what, detail)
SELECT m.key, coalesce((SELECT max(s.number) FROM steps s WHERE s.key = m.key), 0) + 1, ?, 'taken', 'its process was silent'
FROM movements m WHERE m.key = ? AND m.owner NOT IN ('', ?) AND m.due_at <= ?;

-- orphan_steps: before `orphans`, a line for each
INSERT INTO steps (key, number, at, what, detail)
SELECT m.key, coalesce((SELECT max(s.number) FROM steps s WHERE s.key = m.key), 0) + 1, ?, 'died', 'the process that carried it ended'
FROM movements m WHERE m.state = 'asking';

-- take: a process takes a movement that is due, or its own, for a while
UPDATE movements SET owner = ?, due_at = ? WHERE key = ? AND (owner = '' OR owner = ? OR due_at <= ?);

-- ask: an attempt begins; a movement that is decided is not asked again
UPDATE movements SET attempts = attempts + 1, asked_at = ?, state = 'asking'
WHERE key = ? AND state IN ({before_asking});

-- not_left: the last attempt is taken back
UPDATE movements SET attempts = max(attempts - 1, 0), asked_at = CASE WHEN attempts > 1 THEN asked_at END WHERE key = ? AND state NOT IN ('accepted', 'declined');

-- never_applied: no attempt reached the wallet
UPDATE movements SET attempts = 0 WHERE key = ? AND state NOT IN ('accepted', 'declined');

-- decide: the first decision stands; a debit accepted while nobody listens is looked at once more (rule 12)
UPDATE movements SET state = ?, outcome = ?, decided_at = ?, attempts = ?, note = '', owner = '',
  due_at = CASE WHEN ? THEN ? END,
  told = CASE WHEN ? THEN ? ELSE told END, told_at = CASE WHEN ? THEN ? ELSE told_at END
WHERE key = ? AND state IN ({before_decided});

-- leave_open: doubt, owed or for a person
UPDATE movements SET state = ?, note = ?, owner = '', due_at = ?, tries = ?,
  told = CASE WHEN ? THEN 'unknown' ELSE told END, told_at = CASE WHEN ? THEN ? ELSE told_at END
WHERE key = ? AND state IN ({before_open});

-- watch: when settlement looks again at a decided movement; NULL: never
UPDATE movements SET due_at = ? WHERE key = ?;

-- tell: what the provider heard last
UPDATE movements SET told = ?, told_at = ?, due_at = CASE WHEN state IN ('accepted', 'declined') THEN NULL ELSE due_at END
WHERE key = ?;

-- orphans: calls that a process had open when it ended: doubt, told, and due at once (SEMANTICS.md 26)
UPDATE movements SET state = CASE WHEN owes THEN 'owed' ELSE 'doubt' END, told = 'unknown', told_at = ?, owner = '', due_at = ?
WHERE state = 'asking';

-- due: what settlement may look at now
SELECT {row} FROM movements WHERE due_at <= ? ORDER BY due_at LIMIT ?;

-- children: the parts of one movement
SELECT {row} FROM movements WHERE parent = ? ORDER BY number;

-- aimed_at: the rollbacks, captures and releases of one movement
SELECT {row} FROM movements WHERE target = ? ORDER BY number;

-- latest: a player's last movement
SELECT {row} FROM movements WHERE provider = ? AND player = ? ORDER BY number DESC LIMIT 1;

-- counts: what is open, for the gauges; what is being asked is no doubt yet
SELECT wallet, kind, state, count(*), min(created_at) FROM movements
WHERE state NOT IN ('accepted', 'declined') AND state <> 'asking' AND parent = '' GROUP BY wallet, kind, state
UNION ALL
SELECT wallet, kind, 'doubt', count(*), min(created_at) FROM movements
WHERE due_at IS NOT NULL AND state = 'accepted' GROUP BY wallet, kind;

-- unresolved: open movements by wallet
SELECT wallet, count(*) FROM movements WHERE state NOT IN ('accepted', 'declined') GROUP BY wallet;

-- learn: a session, the newest word wins; what is not said stays
INSERT INTO sessions (
  provider, session, player, currency, game, brand, wallet, wallet_session, launch_token, expires_at, seen_at
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (provider, session) DO UPDATE SET
  player = excluded.player,
  currency = CASE WHEN excluded.currency <> '' THEN excluded.currency ELSE currency END,
  game = CASE WHEN excluded.game <> '' THEN excluded.game ELSE game END,
  brand = CASE WHEN excluded.brand <> '' THEN excluded.brand ELSE brand END,
  wallet = CASE WHEN excluded.wallet <> '' THEN excluded.wallet ELSE wallet END,
  wallet_session = CASE WHEN excluded.wallet_session <> '' THEN excluded.wallet_session ELSE wallet_session END,
  launch_token = CASE WHEN excluded.launch_token <> '' THEN excluded.launch_token ELSE launch_token END,
  expires_at = coalesce(excluded.expires_at, expires_at),
  seen_at = excluded.seen_at;

-- session: by its token
SELECT {session} FROM sessions WHERE provider = ? AND session = ?;

-- session_by_launch: by the operator's one-time key
SELECT {session} FROM sessions WHERE provider = ? AND launch_token = ? ORDER BY seen_at DESC LIMIT 1;

-- last_session: same player, then same game, then the newest
SELECT {session} FROM sessions WHERE provider = ? AND player = ? ORDER BY (game = ?) DESC, seen_at DESC LIMIT 1;
