"""The work that is played: bets that the gateway takes, and no two alike."""

from __future__ import annotations

from pathlib import Path

from bench import bets
from bench.full import fill
from bench.subjects import PROVIDER
from gateway.journal import sqlite
from tests.inside import inside


def test_the_gateway_takes_what_is_played(tmp_path: Path) -> None:
    """A bet whose proof is wrong is refused at once, which would measure another, shorter way."""
    with inside(tmp_path / "journal.db") as gateway:
        for body in (bets.bet(1), bets.bet(1), bets.win(1), bets.bet(2), bets.cancel(2)):
            assert gateway.call(body) == b'{"balance":240.75,"statusCode":"OK"}'


def test_no_two_bets_are_alike(tmp_path: Path) -> None:
    """A repeat is answered from the journal: whoever heard many would look twice as fast."""
    files = bets.Bets(tmp_path)
    lines = [line for number in (300, 200) for line in bets.read(files.file(number))]
    assert len({body for _, body in lines}) == len({proof for proof, _ in lines}) == 500
    ids = [bets.bet(number)["transactionId"] for number in range(1000)]
    assert len(set(ids)) == 1000
    assert sorted(ids) != ids  # they fall all over the indexes, and not on their end


def test_a_full_journal_is_full_and_goes_on(tmp_path: Path) -> None:
    """What costs more among many rows must show among these: decided bets, each with its own key, id, round."""
    path = tmp_path / "journal.db"
    fill(path, 250, PROVIDER)
    with inside(path) as gateway:
        assert b'"OK"' in gateway.call(bets.bet(7))
    connection = sqlite.connect(str(path), readonly=True)
    count = "SELECT count(*), count(DISTINCT key), count(DISTINCT id), count(DISTINCT round), count(DISTINCT player) FROM movements"
    (found,) = connection.execute(f"{count} WHERE state = 'accepted' AND provider = ?", (PROVIDER,)).fetchall()
    connection.close()
    assert found == (251, 251, 251, 251, 251)
