"""What a wallet's dialect can be told: the judgement behind `check`, `translate` and the pair law."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from gateway.currency import Currencies
from gateway.engine.capability import alone, encodes, for_a_person, tell
from gateway.model import (
    Act,
    Adjust,
    Authenticate,
    Balance,
    Batch,
    CloseRound,
    Credit,
    Debit,
    Game,
    Kind,
    Notice,
    Reserve,
    Rollback,
    Round,
    Settle,
    Status,
    Transaction,
)
from gateway.serve.discover import find
from tests.simulation.bench import declared

ONE = Decimal(1)
WHOLE = Transaction(
    act=Balance(), id="t-1", player="p-1", session="s-1", currency="EUR", round=Round("7"), game=Game(id="g-1")
)
BET, WIN = replace(WHOLE, act=Debit(amount=ONE)), replace(WHOLE, id="t-2", act=Credit(amount=ONE))


def judged(wallet: str, tx: Transaction) -> tuple[str, str]:
    dialect = find(wallet).dialect
    told = tell(alone(dialect, dialect.settings(), Currencies()), tx)
    return told.verdict, told.text


@pytest.mark.parametrize(
    ("wallet", "act", "verdict", "said"),
    [
        ("native", Debit(amount=ONE), "same", ""),
        ("native", Status(reference="t-1"), "same", ""),
        ("netgaming", Debit(amount=ONE), "same", ""),
        ("netgaming", Rollback(reference="t-1"), "bridged", "amount from the journal"),
        ("netgaming", Rollback(reference="t-1", reference_kind=Kind.CREDIT), "refused", "a rollback of a credit"),
        ("netgaming", Debit(amount=ONE, tracking_only=True), "bridged", "not sent, answered by a balance"),
        ("netgaming", Credit(amount=ONE, tracking_only=True), "bridged", "not sent, answered by a balance"),
        ("scorpio_play", Debit(amount=ONE, free_round=True), "bridged", "not sent, answered by a balance"),
        ("netgaming", Settle(debit=ONE, credit=ONE), "bridged", "split: the debit, then the credit"),
        ("netgaming", Batch(items=(WIN, BET)), "bridged", "split: debits first, credits last"),
        ("netgaming", Batch(items=(BET, replace(BET, act=Adjust(amount=ONE)))), "refused", "cannot say adjust"),
        ("netgaming", CloseRound(), "bridged", "answered by a balance"),
        ("netgaming", Status(reference="t-1"), "bridged", "answered from the journal"),
        ("kyren", Authenticate(), "bridged", "answered from the launch"),
        ("kyren", Rollback(reference="t-1", amount=ONE), "bridged", "without its amount"),
        ("netgaming", Reserve(amount=ONE), "refused", "cannot say reserve"),
    ],
)
def test_judgements(wallet: str, act: Act, verdict: str, said: str) -> None:
    found = judged(wallet, replace(WHOLE, act=act))
    assert found[0] == verdict
    assert said in found[1]


@pytest.mark.parametrize("act", [
    Debit(amount=ONE, free_round=True), Debit(amount=ONE, tracking_only=True), Credit(amount=ONE, tracking_only=True),
    Rollback(reference="t-1", reference_kind=Kind.ROLLBACK),
])  # fmt: skip
def test_what_a_dialect_does_not_declare_is_never_asked_of_it(act: Act) -> None:
    """Native has words for each: without their declarations it is not even asked for them."""
    native = find("native").dialect
    silent = declared(native, tells=frozenset(), undoes=frozenset({Kind.DEBIT}))
    tx = replace(WHOLE, act=act)
    assert encodes(native, native.settings(), tx, Currencies())
    assert not encodes(silent, silent.settings(), tx, Currencies())
    both = replace(WHOLE, act=Batch(items=(BET, tx)))
    assert silent.as_wallet.unspoken(both) == silent.as_wallet.unspoken(tx) != ""


def test_a_session_that_nobody_gave_comes_from_the_launch() -> None:
    assert judged("netgaming", replace(BET, session=""))[0] == "bridged"


def test_a_movement_of_no_round_is_told_in_one_of_its_own() -> None:
    """A bet, a payout of a promotion; a win that names its bet in that one's."""
    assert judged("netgaming", replace(BET, round=None)) == ("bridged", "round from its own id")
    assert judged("netgaming", replace(WIN, round=None)) == ("bridged", "round from its own id")
    named = replace(WIN, round=None, act=Credit(amount=ONE, reference="t-1"))
    assert judged("netgaming", named) == ("bridged", "round from the journal, else the id of its bet")


def test_a_bet_is_never_made_up() -> None:
    """A win that names none, in a round whose bet the journal may know, else in none: Hub88 takes no win without its bet."""
    assert judged("hub88", WIN)[0] == "bridged"
    verdict, text = judged("hub88", replace(WIN, round=None))
    assert (verdict, text) == ("refused", "this dialect needs the reference, and it is not known")
    dialect = find("hub88").dialect
    way = alone(dialect, dialect.settings(), Currencies())
    asks = replace(way.provider, dialect=declared(way.provider.dialect, one_end=True))
    assert tell(replace(way, provider=asks), WIN).verdict == "refused"  # such a win is none of a bet's


def test_what_waits_for_a_person_is_what_is_owed() -> None:
    """Anything else that no wallet can be told is declined (rule 6)."""
    back = replace(WHOLE, act=Rollback(reference="t-1"))
    assert [for_a_person(tx) for tx in (BET, WIN, back, WHOLE, replace(WHOLE, act=Reserve(amount=ONE)))] == [
        False, True, True, False, False,
    ]  # fmt: skip
    assert for_a_person(replace(WHOLE, act=Batch(items=(BET, WIN))))


def test_the_round_of_a_rollback_is_the_bets() -> None:
    verdict, text = judged("netgaming", replace(WHOLE, round=None, act=Rollback(reference="t-1", amount=ONE)))
    assert verdict == "bridged"
    assert "round from the journal" in text


def test_who_can_be_asked() -> None:
    asked = {
        (name, kind)
        for name in ("native", "netgaming", "gameball")
        for kind in (Kind.DEBIT, Kind.RESERVE)
        if encodes(
            find(name).dialect,
            find(name).dialect.settings(),
            Transaction(act=Status(reference="t", reference_kind=kind), player="p"),
            Currencies(),
        )
    }
    assert asked == {("native", Kind.DEBIT), ("native", Kind.RESERVE), ("gameball", Kind.RESERVE)}


def test_a_wallet_is_judged_in_its_own_ids() -> None:
    """What it takes for none is told as one that is made of it: *a UUID of 36 characters was refused where 32 are told.*"""
    uuid = "017f22e6-0000-7000-8000-000000000001"
    for act in (Debit(amount=ONE), Credit(amount=ONE, reference=uuid), Rollback(reference=uuid, amount=ONE)):
        assert judged("red_tiger", replace(WHOLE, id=uuid, act=act, round=Round(uuid)))[0] != "refused"


@pytest.mark.parametrize("wallet", ["native", "netgaming", "pragmatic_play"])
def test_who_asks_the_line_only_is_told_to_no_wallet(wallet: str) -> None:
    """Of a notice about somebody a wallet may want to know."""
    verdict, said = judged(wallet, Transaction(act=Notice()))
    assert (verdict, said) == ("bridged", "means nobody: answered without the wallet")
    for one in (Transaction(act=Notice(), player="p-1"), Transaction(act=Notice(), session="s-1")):
        assert judged(wallet, one)[1] != said


@pytest.mark.parametrize("free", [False, True])
def test_the_win_of_a_split_settle_is_that_of_its_debit_where_a_wallet_pays_one_for_each(free: bool) -> None:
    """As it is then told; of a free debit, which is told to nobody, it is a win of none."""
    dialect = find("evolution").dialect
    tx = replace(WHOLE, act=Settle(debit=ONE, credit=ONE, free_round=free))
    *_, win = tell(alone(dialect, dialect.settings(), Currencies()), tx).requests
    assert (b'"refId":"acme:settle.debit:t-1"' in win.body) is not free
