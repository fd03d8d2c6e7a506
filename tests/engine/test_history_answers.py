"""What Pragmatic Play's studio hears, through the whole engine: which number it repeats on, and what it ends with."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest

from gateway.engine.states import State
from gateway.http import FORM_HEADERS, Request
from gateway.model import Kind, Reason
from tests.engine.conftest import MakeBench
from tests.engine.histories import nothing_is_open, refuses
from tests.simulation.behaviours import Behaviour, lost_after, lost_before
from tests.simulation.bench import PLAYER, SAFE, Bench, a_provider, a_wallet

PLAY = {"gameId": "42", "roundId": "880011", "timestamp": "1760000100000", "roundDetails": "spin"}


class Studio:
    """The studio at a bench; its calls as it writes them."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    def __call__(self, method: str, **fields: str) -> dict[str, Any]:
        bench, body = self.bench, urlencode({"userId": PLAYER, **fields}).encode()
        request = Request(method="POST", path=f"/{method}.html", headers=FORM_HEADERS, body=body)
        provider = bench.provider
        signed = provider.dialect.auth.sign(request, provider.keys, provider.settings, bench.scheduler.clock())
        found: dict[str, Any] = json.loads(bench.raw(signed).body)
        bench.rest(1)
        return found

    def error(self, method: str, **fields: str) -> int:
        error = self(method, **fields)["error"]
        assert isinstance(error, int)
        return error


@pytest.fixture(params=["native", "netgaming", "kyren", "scorpio_play", "pragmatic_play"])
def studio(bench_of: MakeBench, request: pytest.FixtureRequest) -> Studio:
    """In front of each kind of wallet; the player is known from a launch."""
    bench = bench_of(a_provider("pragmatic_play", currency=""), a_wallet(request.param, repeats=SAFE))
    bench.launch()
    return Studio(bench)


def heals(studio: Studio) -> None:
    studio.bench.till.heal()
    studio.bench.settlement(600, 2)


BET = {**PLAY, "amount": "10.00", "reference": "r1"}
WIN = {**PLAY, "amount": "25.00", "reference": "r2"}


def test_a_round(studio: Studio) -> None:
    """A bet and its repeat, a win, the end: the repeat has the same id and the balance of now."""
    first, cash = studio("bet", **BET), studio("balance")["cash"]
    assert studio("bet", **{**BET, "roundDetails": "again", "bonusCode": ""}) == {**first, "cash": cash}
    won = studio("result", **WIN)
    assert (won["error"], won["currency"], Decimal(str(won["cash"]))) == (0, "EUR", Decimal("1015"))
    assert studio("bet", **BET) == {**first, "cash": won["cash"]}
    assert studio.error("endRound", gameId="42", roundId="880011") == 0
    assert studio.error("bet", **{**BET, "amount": "11.00"}) == 120
    assert studio.bench.till.balance() == Decimal("1015.00")
    nothing_is_open(studio.bench)


@pytest.mark.parametrize("lost", [lost_before, lost_after])
def test_a_bet_in_doubt_is_repeated_and_refunded(studio: Studio, lost: Behaviour) -> None:
    """100 until it is known; then the refund is done, and its repeat and the late bet hear the same for ever."""
    studio.bench.till.always(lost)
    assert [studio.error("bet", **BET) for _ in range(2)] == [100, 100]
    assert studio.error("refund", reference="r1") == 100
    assert studio.error("endRound", gameId="42", roundId="880011") in (0, 130)  # not every wallet is told of it
    heals(studio)
    first = studio("refund", reference="r1")
    assert first["error"] == 0
    assert studio("refund", reference="r1", roundId="880011", amount="9.99") == first
    assert studio.error("bet", **BET) == 120
    assert studio.bench.till.balance() == Decimal("1000.00")
    nothing_is_open(studio.bench)


def test_a_refund_that_comes_before_its_bet(studio: Studio) -> None:
    assert studio("refund", reference="r1") == {"transactionId": "", "error": 0, "description": "Success"}
    assert studio.error("bet", **BET) == 120
    assert studio.bench.till.balance() == Decimal("1000.00")


def test_a_win_in_doubt_is_repeated_and_paid_once(studio: Studio) -> None:
    studio.error("bet", **BET)
    studio.bench.till.then(lost_after, lost_before, kind=Kind.CREDIT)
    heard = [studio.error("result", **WIN) for _ in range(3)]
    assert heard[-1] == 0
    assert set(heard) <= {0, 100}
    assert studio.bench.till.balance() == Decimal("1015.00")


@pytest.mark.parametrize("method", ["result", "jackpotWin"])
def test_a_win_that_its_wallet_refuses_for_a_moment_is_not_lost(studio: Studio, method: str) -> None:
    """*A wallet said `player_not_found` for one minute: heard as a final number, the win was lost for ever.*"""
    studio.error("bet", **BET)
    studio.bench.till.always(refuses(Reason.PLAYER_NOT_FOUND), kind=Kind.CREDIT)
    assert studio.error(method, **WIN) == 100
    assert studio.bench.till.balance() == Decimal("990.00")
    heals(studio)
    assert studio.error(method, **WIN) == 0
    assert studio.bench.till.balance() == Decimal("1015.00")


def test_a_refund_that_its_wallet_refuses_for_a_moment_is_still_owed(studio: Studio) -> None:
    studio.error("bet", **BET)
    studio.bench.till.always(refuses(Reason.PLAYER_BLOCKED), kind=Kind.ROLLBACK)
    assert studio.error("refund", reference="r1") == 100
    assert studio.bench.row(Kind.ROLLBACK, "refund:r1").state is State.OWED
    heals(studio)
    assert studio.error("refund", reference="r1") == 0
    assert studio.bench.till.balance() == Decimal("1000.00")


def test_a_bet_that_is_refused(studio: Studio) -> None:
    assert studio.error("bet", **{**BET, "amount": "5000.00"}) == 1
    assert studio.error("bet", **{**BET, "reference": "r9", "amount": "10.005"}) == 7
    assert studio("refund", reference="r1")["transactionId"] == ""
    assert studio.bench.till.balance() == Decimal("1000.00")
    nothing_is_open(studio.bench)


def test_a_player_whose_currency_nobody_knows(bench_of: MakeBench) -> None:
    """A bet is refused for good; a win waits for a person, and is repeated meanwhile."""
    studio = Studio(bench_of(a_provider("pragmatic_play", currency=""), a_wallet("native", currency="")))
    assert (studio.error("bet", **BET), studio.error("result", **WIN)) == (2, 100)
    assert studio.bench.row(Kind.CREDIT, "r2").state is State.PERSON


@pytest.mark.parametrize(("setting", "paid"), [("notify", "1000.00"), ("credit", "1012.30")])
def test_a_bonus_win_is_paid_where_the_settings_say_so_and_once(bench_of: MakeBench, setting: str, paid: str) -> None:
    studio = Studio(bench_of(a_provider("pragmatic_play", settings={"bonus_win": setting}), "native"))
    fields = {"amount": "12.30", "reference": "r3", "bonusCode": "frb-1"}
    heard = [studio("bonusWin", **fields) for _ in range(2)]
    assert heard[0] == heard[1]
    assert (heard[0]["error"], Decimal(str(heard[0]["cash"]))) == (0, Decimal(paid))
    assert heard[0]["transactionId"]
    assert studio.bench.till.balance() == Decimal(paid)
