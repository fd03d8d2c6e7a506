"""A journal on SQLite that has rows already: one bet as the engine made it, and copies of it by SQLite.

The copies have ids and rounds of their own, spread as the bets of the run are, and belong to many
players. Ten million take some minutes and 10 GB; nothing is fsynced until all of it is there.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from gateway.journal import rows, sqlite
from tests.engine.acts import bet
from tests.simulation.bench import Bench, a_provider

PLAYERS = 50_000
AT_ONCE = 100_000  # rows of one transaction
NAME = "0123456789abcdef"  # what the first one is called, and each copy is called otherwise


def fill(path: Path, number: int, provider: str) -> None:
    """So many decided bets of a provider called so."""
    bench = Bench(path, a_provider("scorpio_play", provider), "netgaming")
    bench.scheduler.skew = datetime.now(UTC) - bench.scheduler.clock()  # retention must find nothing to take away
    bench.call(bet(NAME, round_id=NAME))
    bench.close()
    renamed = {
        column: f"replace({column}, '{NAME}', name)"
        for column in ("key", "id", "alias", "round", "intent", "fingerprint")
    }
    values = ", ".join((renamed | {"player": f"'plr-' || (n % {PLAYERS})"}).get(each, each) for each in rows.INSERTED)
    connection = sqlite.connect(str(path))
    connection.execute("PRAGMA synchronous = OFF; PRAGMA cache_size = -262144")
    for first in range(1, number, AT_ONCE):
        connection.execute(
            f"""WITH RECURSIVE numbers (n, name) AS (
              SELECT ?1, lower(hex(randomblob(8))) UNION ALL SELECT n + 1, lower(hex(randomblob(8))) FROM numbers WHERE n + 1 < ?2)
            INSERT INTO movements ({", ".join(rows.INSERTED)}) SELECT {values} FROM movements, numbers WHERE movements.number = 1""",
            (first, min(first + AT_ONCE, number)),
        )
    connection.execute("PRAGMA wal_checkpoint (TRUNCATE)")
    connection.close()
    os.sync()  # the first fsync of the run must not pay for it
