-- insert: a new movement
INSERT INTO movements (
  key, provider, space, kind, id, player, currency, round, reference, reference_kind, scope, fingerprint, intent,
  wallet, route, alias, state, owes, attempts, asked_at, target, undone_by, parent, outcome, told, told_at, note,
  owner, due_at, tries, created_at, decided_at, session
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- get: one movement by its key
SELECT {row} FROM movements WHERE key = ?;

-- get_target: the movement that one being opened names; held until that is done
SELECT {row} FROM movements WHERE key = ?{hold};

-- find_target: the same, by the provider's own id
SELECT {row} FROM movements WHERE provider = ? AND id = ? ORDER BY {arrival}{hold};

-- hold: nobody else changes the row until this transaction ends
SELECT 1 FROM movements WHERE key = ?{hold};

-- find: the movements with a provider's own id
SELECT {row} FROM movements WHERE provider = ? AND id = ? ORDER BY {arrival};

-- buried: the rollbacks that came before the movement they name; a round's tombstone holds for its round only
SELECT {row} FROM movements
WHERE provider = ? AND reference = ? AND kind = 'rollback' AND target = '' AND parent = ''
  AND (scope <> 'round' OR round = ?)
ORDER BY {arrival};

-- buried_round: a whole round's refund that found nothing to undo
SELECT {row} FROM movements
WHERE provider = ? AND player = ? AND round = ? AND kind = 'rollback' AND scope = 'round' AND target = '' AND parent = ''
ORDER BY {arrival};

-- round: a player's movements in one round
SELECT {row} FROM movements WHERE provider = ? AND player = ? AND round = ? ORDER BY {arrival};

-- round_open: whether a bet of the round is open
SELECT 1 FROM movements
WHERE provider = ? AND player = ? AND round = ? AND kind = 'debit' AND state NOT IN ('accepted', 'declined') LIMIT 1;

-- round_wallet: where the movements of a round went
SELECT wallet, route FROM movements WHERE provider = ? AND player = ? AND round = ? AND wallet <> '' ORDER BY {arrival} LIMIT 1;

-- undoing: the rollbacks of one movement that were not declined
SELECT {row} FROM movements WHERE target = ? AND kind = 'rollback' AND state <> 'declined' ORDER BY {arrival};

-- claim: one rollback for one movement; the first stays
UPDATE movements SET undone_by = ? WHERE key = ? AND undone_by = '';

-- release: a rollback will not undo its target
UPDATE movements SET undone_by = ''
WHERE key = (SELECT r.target FROM movements r WHERE r.key = ?) AND undone_by = ?;

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
FROM movements m WHERE m.key = (SELECT r.target FROM movements r WHERE r.key = ?) AND m.undone_by = ?;

-- taken_steps: before `take`, a line where a lease that has ended is taken over
INSERT INTO steps (key, number, at, what, detail)
SELECT m.key, coalesce((SELECT max(s.number) FROM steps s WHERE s.key = m.key), 0) + 1, ?, 'taken', 'its process was silent'
FROM movements m WHERE m.key = ? AND m.owner NOT IN ('', ?) AND m.due_at <= {now} AND m.state NOT IN ('accepted', 'declined');

-- orphan_steps: before `orphans`, a line for each
INSERT INTO steps (key, number, at, what, detail)
SELECT m.key, coalesce((SELECT max(s.number) FROM steps s WHERE s.key = m.key), 0) + 1, ?, 'died', 'the process that carried it ended'
FROM movements m WHERE m.state = 'asking'{dead};

-- take: a process takes a movement that is due, or its own, for a while. What another process was asking
-- is doubt from now on (SEMANTICS.md 24, 26); what is decided is nobody's.
UPDATE movements SET
  state = CASE WHEN state = 'asking' AND owner NOT IN ('', ?)
    THEN CASE WHEN owes = 1 THEN 'owed' ELSE 'doubt' END ELSE state END,
  told = CASE WHEN state = 'asking' AND owner NOT IN ('', ?) THEN 'unknown' ELSE told END,
  told_at = CASE WHEN state = 'asking' AND owner NOT IN ('', ?) THEN CAST(? AS BIGINT) ELSE told_at END,
  owner = ?, due_at = {lease}
WHERE key = ? AND state NOT IN ('accepted', 'declined') AND (owner = '' OR owner = ? OR due_at <= {now})
RETURNING {row};

-- ask: an attempt begins; a movement that is decided is not asked again
UPDATE movements SET attempts = attempts + 1, asked_at = ?, state = 'asking'
WHERE key = ? AND state IN ({before_asking}) RETURNING key;

-- not_left: the last attempt is taken back
UPDATE movements SET attempts = CASE WHEN attempts > 1 THEN attempts - 1 ELSE 0 END,
  asked_at = CASE WHEN attempts > 1 THEN asked_at END
WHERE key = ? AND state NOT IN ('accepted', 'declined') RETURNING key;

-- never_applied: no attempt reached the wallet
UPDATE movements SET attempts = 0 WHERE key = ? AND state NOT IN ('accepted', 'declined') RETURNING key;

-- decide: the first decision stands; a debit accepted while nobody listens is looked at once more (rule 12)
UPDATE movements SET state = ?, outcome = ?, decided_at = ?, attempts = ?, note = '', owner = '',
  due_at = CASE WHEN ? AND heard + ? <= 0 THEN CAST(? AS BIGINT) END,
  told = CASE WHEN heard + ? > 0 THEN ? ELSE told END, told_at = CASE WHEN heard + ? > 0 THEN CAST(? AS BIGINT) ELSE told_at END,
  heard = heard + ?
WHERE key = ? AND state IN ({before_decided}) RETURNING key;

-- leave_open: doubt, owed or for a person; not what another process carries by now
UPDATE movements SET state = ?, note = ?, owner = '', due_at = ?, tries = ?,
  told = CASE WHEN ? THEN 'unknown' ELSE told END, told_at = CASE WHEN ? THEN CAST(? AS BIGINT) ELSE told_at END
WHERE key = ? AND state || '>' || ? IN ({edges}) AND owner IN ('', ?) RETURNING key;

-- watch: when settlement looks again at a decided movement; NULL: never
UPDATE movements SET due_at = ? WHERE key = ? AND owner IN ('', ?);

-- tell: one call more has heard the decision
UPDATE movements SET told = ?, told_at = ?, heard = heard + 1, due_at = CASE WHEN state IN ('accepted', 'declined') THEN NULL ELSE due_at END
WHERE key = ?;

-- unheard: one call (or, of what it was not counted for, none) less has heard the decision. Where no other
-- did, doubt is the last word, and what was accepted is looked at (SEMANTICS.md 12, 26)
UPDATE movements SET heard = heard - ?,
  told = CASE WHEN heard - ? <= 0 THEN 'unknown' ELSE told END,
  told_at = CASE WHEN heard - ? <= 0 THEN CAST(? AS BIGINT) ELSE told_at END,
  due_at = CASE WHEN heard - ? <= 0 AND state = 'accepted' AND owes = 0 THEN CAST(? AS BIGINT) ELSE due_at END
WHERE key = ?;

-- orphans: calls that a process had open when it ended: doubt, told, and due at once (SEMANTICS.md 26)
UPDATE movements SET state = CASE WHEN owes = 1 THEN 'owed' ELSE 'doubt' END, told = 'unknown', told_at = ?, owner = '', due_at = ?
WHERE state = 'asking'{dead};

-- due: what settlement may look at now
SELECT {row} FROM movements WHERE due_at <= {now} ORDER BY due_at LIMIT ?;

-- children: the parts of one movement
SELECT {row} FROM movements WHERE parent = ? ORDER BY {arrival};

-- aimed_at: the rollbacks, captures and releases of one movement
SELECT {row} FROM movements WHERE target = ? ORDER BY {arrival};

-- latest: a player's last movement
SELECT {row} FROM movements WHERE provider = ? AND player = ? ORDER BY {arrival_down} LIMIT 1;

-- counts: what is open, for the gauges; what is being asked is no doubt before doubt was told
SELECT wallet, kind, CASE WHEN state <> 'asking' THEN state WHEN owes = 1 THEN 'owed' ELSE 'doubt' END AS shown,
  count(*), min(created_at)
FROM movements
WHERE state NOT IN ('accepted', 'declined') AND (state <> 'asking' OR told = 'unknown') AND parent = ''
GROUP BY wallet, kind, shown
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
  currency = CASE WHEN excluded.currency <> '' THEN excluded.currency ELSE sessions.currency END,
  game = CASE WHEN excluded.game <> '' THEN excluded.game ELSE sessions.game END,
  brand = CASE WHEN excluded.brand <> '' THEN excluded.brand ELSE sessions.brand END,
  wallet = CASE WHEN excluded.wallet <> '' THEN excluded.wallet ELSE sessions.wallet END,
  wallet_session = CASE WHEN excluded.wallet_session <> '' THEN excluded.wallet_session ELSE sessions.wallet_session END,
  launch_token = CASE WHEN excluded.launch_token <> '' THEN excluded.launch_token ELSE sessions.launch_token END,
  expires_at = coalesce(excluded.expires_at, sessions.expires_at),
  seen_at = excluded.seen_at;

-- session: by its token
SELECT {session} FROM sessions WHERE provider = ? AND session = ?;

-- session_by_launch: by the operator's one-time key
SELECT {session} FROM sessions WHERE provider = ? AND launch_token = ? ORDER BY seen_at DESC LIMIT 1;

-- last_session: same player, then same game, then the newest
SELECT {session} FROM sessions WHERE provider = ? AND player = ? ORDER BY (game = ?) DESC, seen_at DESC LIMIT 1;

-- old: the next movements in the order of arrival, for retention
SELECT {place}, key, wallet, created_at FROM movements WHERE {after} ORDER BY {arrival} LIMIT ?;

-- forget: a decided movement leaves, unless something open still leans on it (SEMANTICS.md 27)
DELETE FROM movements
WHERE key = ? AND state IN ('accepted', 'declined') AND due_at IS NULL AND decided_at < ?
  AND NOT EXISTS (
    SELECT 1 FROM movements o WHERE o.key IN (movements.target, movements.parent, movements.undone_by)
      AND (o.state NOT IN ('accepted', 'declined') OR o.due_at IS NOT NULL))
  AND NOT EXISTS (
    SELECT 1 FROM movements o WHERE o.target = movements.key AND o.target <> ''
      AND (o.state NOT IN ('accepted', 'declined') OR o.due_at IS NOT NULL))
  AND NOT EXISTS (
    SELECT 1 FROM movements o WHERE o.parent = movements.key AND o.parent <> ''
      AND (o.state NOT IN ('accepted', 'declined') OR o.due_at IS NOT NULL))
RETURNING key;

-- forget_steps: the lines of a movement that has left
DELETE FROM steps WHERE key = ? AND NOT EXISTS (SELECT 1 FROM movements m WHERE m.key = steps.key);

-- old_sessions: the next sessions, for retention
SELECT provider, session FROM sessions WHERE (provider, session) > (?, ?) ORDER BY provider, session LIMIT ?;

-- forget_session: a session leaves when its time is over and no movement that used it is kept
DELETE FROM sessions
WHERE provider = ? AND session = ? AND seen_at < ? AND (expires_at IS NULL OR expires_at < ?)
  AND NOT EXISTS (
    SELECT 1 FROM movements m WHERE m.provider = sessions.provider AND m.player IN (sessions.player, '')
      AND m.session <> '' AND m.session IN (sessions.session, sessions.launch_token))
RETURNING session;
