-- What a wallet may take for the rollback of another bet of its round: before that one is put there, it is looked for. Few rows.
CREATE INDEX movements_round_rollbacks ON movements (wallet, player, round)
  WHERE round <> '' AND kind = 'rollback' AND (state NOT IN ('accepted', 'declined') OR attempts > 1);
