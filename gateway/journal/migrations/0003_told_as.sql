-- Ids that are made as integers are few: before one is told, it is looked for. No other row is in this index.
CREATE INDEX movements_told_as ON movements (wallet, alias) WHERE length(alias) = 19;
