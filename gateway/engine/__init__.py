"""The engine knows only the canonical transaction; clock, chance, network and disk enter by `World`."""
