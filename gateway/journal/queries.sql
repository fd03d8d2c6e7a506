-- insert: a new movement
INSERT INTO movements ({inserted}) VALUES ({marks});

-- insert_leased: the same; its lease is counted by the database's clock
INSERT INTO movements ({inserted}) VALUES ({marks_leased});

-- held: the revisions of rows that must not change until this transaction ends
SELECT key, revision FROM movements WHERE key = ?;

-- own: one movement by its key
SELECT {row} FROM movements WHERE key = ?;

-- found: the movements with a provider's own id; no parts, none of ours
SELECT {row} FROM movements WHERE provider = ? AND id = ? AND parent = '' AND ours = 0 ORDER BY {arrival};

-- naming: what takes back, captures or releases the movement with that id
SELECT {row} FROM movements
WHERE provider = ? AND reference = ? AND reference <> '' AND kind IN ('rollback', 'capture', 'release')
  AND parent = '' AND ours = 0
ORDER BY {arrival} LIMIT 20;

-- naming_wins: a win that names the bet with that id
SELECT {row} FROM movements
WHERE provider = ? AND reference = ? AND reference <> '' AND kind = 'credit' AND parent = '' AND state <> 'declined'
  AND player IN (?, '')
LIMIT 1;

-- standing_win: as naming_wins, one that may stand: what is to undo it is not done
SELECT {row} FROM movements
WHERE provider = ? AND reference = ? AND reference <> '' AND kind = 'credit' AND parent = '' AND state <> 'declined'
  AND player IN (?, '') AND {may_stand}
LIMIT 1;

-- wins: all of a player's wins that name the bet with that id
SELECT {row} FROM movements
WHERE provider = ? AND reference = ? AND player = ? AND reference <> '' AND kind = 'credit' AND parent = ''
  AND state <> 'declined'
ORDER BY {arrival} LIMIT 100;

-- standing_wins: wins that name the bet with that id
SELECT {row} FROM movements
WHERE provider = ? AND reference = ? AND reference <> '' AND kind = 'credit' AND parent = '' AND state <> 'declined'
  AND player IN (?, '')
LIMIT 100;

-- standing_loose_wins: wins of the round that name no bet and are no items of a batch
SELECT {row} FROM movements
WHERE provider = ? AND player = ? AND round = ? AND round <> ''
  AND kind = 'credit' AND reference = '' AND batch = '' AND parent = '' AND state <> 'declined'
ORDER BY {arrival} LIMIT 100;

-- aimed: the rollbacks, captures and releases of one movement
SELECT {row} FROM movements WHERE target = ? AND target <> '' ORDER BY {arrival};

-- parts: of one movement
SELECT {row} FROM movements WHERE parent = ? AND parent <> '' ORDER BY {arrival};

-- batch: the items of one
SELECT {row} FROM movements WHERE batch = ? AND batch <> '' ORDER BY {arrival};

-- round_place: where a player's round went
SELECT {row} FROM movements WHERE provider = ? AND player = ? AND round = ? AND round <> '' AND wallet <> ''
ORDER BY {arrival} LIMIT 1;

-- of_round: all of a player's round that was put to a wallet; no parts, none of ours
SELECT {row} FROM movements
WHERE provider = ? AND player = ? AND round = ? AND round <> '' AND wallet <> '' AND parent = '' AND ours = 0
ORDER BY {arrival} LIMIT 1000;

-- round_bets: bets of a round that are not undone
SELECT {row} FROM movements
WHERE provider = ? AND player = ? AND round = ? AND round <> ''
  AND kind = 'debit' AND parent = '' AND state <> 'declined'
  AND (undone_by = '' OR state NOT IN ('accepted', 'declined'))
ORDER BY {arrival} LIMIT ?;

-- standing_round_win: the first win of the round that may stand
SELECT {row} FROM movements
WHERE provider = ? AND player = ? AND round = ? AND round <> ''
  AND kind IN ('credit', 'settle') AND parent = '' AND state <> 'declined'
  AND {may_stand}
ORDER BY {arrival} LIMIT 1;

-- round_loose_win: whether there is a win in the round that names no bet and is no item of a batch
SELECT {row} FROM movements
WHERE provider = ? AND player = ? AND round = ? AND round <> ''
  AND kind = 'credit' AND reference = '' AND batch = '' AND parent = '' AND state <> 'declined'
ORDER BY {arrival} LIMIT 1;

-- standing_loose_win: the first of them that may stand
SELECT {row} FROM movements
WHERE provider = ? AND player = ? AND round = ? AND round <> ''
  AND kind = 'credit' AND reference = '' AND batch = '' AND parent = '' AND state <> 'declined' AND {may_stand}
ORDER BY {arrival} LIMIT 1;

-- round_last: the last bet or win of a round that may stand, or the one named
SELECT {row} FROM movements
WHERE provider = ? AND player = ? AND round = ? AND round <> '' AND wallet <> ''
  AND kind IN ('debit', 'credit', 'settle') AND parent = '' AND state <> 'declined'
  AND (key = ? OR {may_stand})
ORDER BY {arrival_down} LIMIT 1;

-- round_refunds: refunds of the whole round that found nothing to undo
SELECT {row} FROM movements
WHERE provider = ? AND player = ? AND round = ? AND round <> ''
  AND kind = 'rollback' AND scope = 'round' AND target = '' AND parent = ''
ORDER BY {arrival} LIMIT 100;

-- round_undoing: a rollback of a movement of the round that is under way, and no part of that refund
SELECT {row} FROM movements
WHERE provider = ? AND player = ? AND round = ? AND round <> ''
  AND kind = 'rollback' AND target <> '' AND state NOT IN ('accepted', 'declined') AND parent <> ?
ORDER BY {arrival} LIMIT 1;

-- round_rollbacks: rollbacks of a player's round at a wallet, whoever asked for them: those that are open, and those that were
-- asked more than once
SELECT {row} FROM movements
WHERE wallet = ? AND player = ? AND round = ? AND round <> '' AND kind = 'rollback'
  AND (state NOT IN ('accepted', 'declined') OR attempts > 1)
ORDER BY {arrival};

-- told_as: who is told to a wallet as this id, of those whose ids may meet (gateway/ids.py: integers, made of 19 digits)
SELECT {row} FROM movements WHERE wallet = ? AND alias = ? AND length(alias) = 19 LIMIT 1;

-- latest: a player's last movement of those that came before this one; before one that is not there: of all
SELECT {row} FROM movements WHERE provider = ? AND player = ? AND {came_before} ORDER BY {arrival_down} LIMIT 1;

-- other_of: another movement of a player, of those that may have moved something
SELECT {row} FROM movements WHERE provider = ? AND player = ? AND key <> ? AND state <> 'declined' LIMIT 1;

-- session: by its token
SELECT {session} FROM sessions WHERE provider = ? AND session = ?;

-- session_by_launch: by the operator's one-time key
SELECT {session} FROM sessions WHERE provider = ? AND launch_token = ? AND launch_token <> ''
ORDER BY seen_at DESC LIMIT 1;

-- last_session: same player, then same game, then the newest
SELECT {session} FROM (
  SELECT * FROM (
    SELECT 0 AS turn, {session} FROM sessions WHERE provider = ?1 AND player = ?2 AND game = ?3
    ORDER BY seen_at DESC LIMIT 1) AS of_the_game
  UNION ALL
  SELECT * FROM (
    SELECT 1 AS turn, {session} FROM sessions WHERE provider = ?1 AND player = ?2 ORDER BY seen_at DESC LIMIT 1) AS of_any
) AS known ORDER BY turn LIMIT 1;

-- doubts: the words that the journal forgot something, the newest first
SELECT {doubt} FROM doubts ORDER BY said_at DESC;

-- doubt: such a word
INSERT INTO doubts (since, said_at, reason, by_whom) VALUES (?, ?, ?, ?);

-- feared: with such a word, what is open may have been asked once more than it knows, until then (rule 30)
UPDATE movements SET attempts = attempts + CASE WHEN forgot_at IS NULL THEN 1 ELSE 0 END,
  asked_at = CASE WHEN asked_at > ?1 THEN asked_at ELSE ?1 END, forgot_at = ?1, revision = revision + 1
WHERE state NOT IN ('accepted', 'declined') AND wallet <> '';

-- step: a line of a movement's story; the transaction holds the movement's row
INSERT INTO steps (key, number, at, what, detail)
SELECT ?, coalesce(max(number), 0) + 1, ?, ?, ? FROM steps WHERE key = ?;

-- trim: of a long story the first and the last hundred lines stay, and what a person did
DELETE FROM steps
WHERE key = ? AND number > 100 AND number <= (SELECT max(number) FROM steps WHERE key = ?) - 100
  AND what NOT IN ('retry', 'resolved');

-- story: the lines of a movement's story
SELECT {step} FROM steps WHERE key = ? ORDER BY number;

-- due_wallets: every wallet's name that something is due for, now or later; one step of an index each
WITH RECURSIVE names (wallet) AS (
  SELECT min(wallet) FROM movements WHERE due_at IS NOT NULL
  UNION ALL
  SELECT (SELECT min(m.wallet) FROM movements m WHERE m.due_at IS NOT NULL AND m.wallet > names.wallet)
  FROM names WHERE names.wallet IS NOT NULL
) SELECT wallet FROM names WHERE wallet IS NOT NULL;

-- due: what settlement may look at now, of one wallet
SELECT {row} FROM movements WHERE wallet = ? AND due_at <= {moment} ORDER BY due_at LIMIT ?{skip};

-- take: it is looked at; what another process was asking is doubt from now on
UPDATE movements SET state = ?, told = ?, told_at = ?, owner = ?, due_at = {lease}, revision = revision + 1
WHERE key = ? RETURNING {row};

-- hasten: every look that is still to come; and no lease lasts longer than a minute from now on
UPDATE movements SET due_at = {now} + CASE WHEN owner = '' THEN 0 ELSE 60000000 END
WHERE due_at > {moment} + CASE WHEN owner = '' THEN 0 ELSE 60000000 END;

-- catch_up: looks that lie later than any look is put off
UPDATE movements SET due_at = {now} WHERE wallet = ? AND due_at > {moment} + ? AND owner = '';

-- cut_short: leases that last longer than any is given
UPDATE movements SET due_at = {now} + ? WHERE wallet = ? AND due_at > {moment} + ? AND owner <> '';

-- fly_again: after a step of the clock every request in flight begins its time again
UPDATE movements SET asked_at = {now}, revision = revision + 1
WHERE asked_at IS NOT NULL AND state NOT IN ('accepted', 'declined') AND attempts > 0;

-- orphan_steps: before `orphans`, a line for each
INSERT INTO steps (key, number, at, what, detail)
SELECT m.key, coalesce((SELECT max(s.number) FROM steps s WHERE s.key = m.key), 0) + 1, ?, 'died', 'the process that carried it ended'
FROM movements m WHERE m.state = 'asking' AND m.state NOT IN ('accepted', 'declined');

-- orphans: calls that a process had open when it ended: doubt, told, and due at once (rule 26); what heard already that
-- it is to be undone has heard that (rule 11)
UPDATE movements SET state = CASE WHEN owes = 1 THEN 'owed' ELSE 'doubt' END,
  told_at = CASE WHEN told = 'declined' THEN told_at ELSE ? END,
  told = CASE WHEN told = 'declined' THEN told ELSE 'unknown' END, owner = '', due_at = ?, revision = revision + 1
WHERE state = 'asking' AND state NOT IN ('accepted', 'declined');

-- disowned: nobody carries what is open when the only process starts, and its clock may have been set back
UPDATE movements SET owner = '', due_at = CASE WHEN due_at > ?1 THEN ?1 ELSE due_at END, revision = revision + 1
WHERE state NOT IN ('accepted', 'declined') AND (owner <> '' OR due_at > ?1);

-- counts: what is open, for the gauges; what is being asked is no doubt before doubt was told
SELECT wallet, kind, CASE WHEN state <> 'asking' THEN state WHEN owes = 1 THEN 'owed' ELSE 'doubt' END AS shown,
  count(*), min(created_at)
FROM movements
WHERE state NOT IN ('accepted', 'declined') AND (state <> 'asking' OR told = 'unknown') AND parent = ''
GROUP BY wallet, kind, shown
UNION ALL
SELECT wallet, kind, 'doubt', count(*), min(created_at) FROM movements
WHERE due_at IS NOT NULL AND state = 'accepted' AND parent = '' GROUP BY wallet, kind;

-- unresolved: what is not at its end, by provider and by where its wallet was
SELECT provider, wallet, place, count(*) FROM (
  SELECT provider, wallet, place FROM movements WHERE state NOT IN ('accepted', 'declined')
  UNION ALL
  SELECT provider, wallet, place FROM movements WHERE due_at IS NOT NULL AND state = 'accepted'
) AS open GROUP BY provider, wallet, place ORDER BY provider, wallet, place;

-- learn: a session, the newest word wins; what is not said stays
INSERT INTO sessions (
  provider, session, player, currency, game, brand, wallet, wallet_session, launch_token, expires_at, seen_at, country
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (provider, session) DO UPDATE SET
  player = excluded.player,
  currency = CASE WHEN excluded.currency <> '' THEN excluded.currency ELSE sessions.currency END,
  game = CASE WHEN excluded.game <> '' THEN excluded.game ELSE sessions.game END,
  brand = CASE WHEN excluded.brand <> '' THEN excluded.brand ELSE sessions.brand END,
  wallet = CASE WHEN excluded.wallet <> '' THEN excluded.wallet ELSE sessions.wallet END,
  wallet_session = CASE WHEN excluded.wallet_session <> '' THEN excluded.wallet_session ELSE sessions.wallet_session END,
  launch_token = CASE WHEN excluded.launch_token <> '' THEN excluded.launch_token ELSE sessions.launch_token END,
  expires_at = coalesce(excluded.expires_at, sessions.expires_at),
  seen_at = excluded.seen_at,
  country = CASE WHEN excluded.country <> '' THEN excluded.country ELSE sessions.country END;

-- disown: what a token meant for another player is nothing to the one that it was handed over to
DELETE FROM sessions WHERE provider = ? AND session = ? AND player <> ?;

-- old: the next movements in the order of arrival, for retention; what is not at its end has no moment
SELECT {place}, wallet, created_at, CASE WHEN state IN ('accepted', 'declined') AND due_at IS NULL THEN decided_at END
FROM movements WHERE {after} ORDER BY {arrival} LIMIT ?;

-- leaving_movements: of these the ones that may leave: decided before the moment given with each, and nothing open leans
-- on them (rule 27)
SELECT {movements_left} FROM {movements_given}
WHERE movements.state IN ('accepted', 'declined') AND movements.due_at IS NULL AND movements.decided_at < {before}
  AND NOT EXISTS (
    SELECT 1 FROM movements o WHERE o.key IN (movements.target, movements.parent, movements.undone_by)
      AND (o.state NOT IN ('accepted', 'declined') OR o.due_at IS NOT NULL))
  AND NOT EXISTS (
    SELECT 1 FROM movements o WHERE o.target = movements.key AND o.target <> ''
      AND (o.state NOT IN ('accepted', 'declined') OR o.due_at IS NOT NULL))
  AND NOT EXISTS (
    SELECT 1 FROM movements o WHERE o.parent = movements.key AND o.parent <> ''
      AND (o.state NOT IN ('accepted', 'declined') OR o.due_at IS NOT NULL))
  AND NOT EXISTS (
    SELECT 1 FROM movements o WHERE o.batch = movements.batch AND o.batch <> ''
      AND (o.state NOT IN ('accepted', 'declined') OR o.due_at IS NOT NULL));

-- forget_steps: the lines of movements that leave, in the same transaction and before them
DELETE FROM steps WHERE key IN (SELECT key FROM movements WHERE {movements_gone});

-- forget_movements: they leave
DELETE FROM movements WHERE {movements_gone};

-- old_sessions: the next sessions, for retention
SELECT {session_place}, seen_at FROM sessions WHERE (provider, session) > (?, ?) ORDER BY provider, session LIMIT ?;

-- leaving_sessions: of these the ones whose time is over and that no movement used which is kept; a movement that said none
-- used its player's last one, of the same game first (rule 22)
SELECT {sessions_left} FROM {sessions_given}
WHERE sessions.seen_at < ? AND (sessions.expires_at IS NULL OR sessions.expires_at < ?)
  AND NOT EXISTS (
    SELECT 1 FROM movements m WHERE m.provider = sessions.provider AND m.player IN (sessions.player, '')
      AND m.session <> '' AND m.session IN (sessions.session, sessions.launch_token))
  AND NOT EXISTS (
    SELECT 1 FROM movements m WHERE m.provider = sessions.provider AND m.player = sessions.player AND m.session = ''
      AND NOT EXISTS (
        SELECT 1 FROM sessions s WHERE s.provider = sessions.provider AND s.player = sessions.player
          AND s.game = sessions.game AND s.seen_at > sessions.seen_at));

-- forget_sessions: they leave
DELETE FROM sessions WHERE {sessions_gone};
