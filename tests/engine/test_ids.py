"""The ids that wallets are told: what each domain holds, keeps and makes, and what happens where two would meet."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from gateway.dialect import Call
from gateway.engine.identity import alias
from gateway.engine.setup import Route, Wallet
from gateway.engine.states import State
from gateway.engine.words import Way
from gateway.http import Request
from gateway.ids import INT64_MAX, Ids, IntegerIds, TextIds, UuidIds
from gateway.model import Credit, Debit, Kind, Missing, Reason, Round, Settle, Transaction, Unknown, unsupported
from gateway.serve.discover import find
from tests.engine.acts import bet, settle, undo, why, win, yes
from tests.engine.conftest import MakeBench
from tests.simulation.behaviours import lost_before
from tests.simulation.bench import a_provider, a_wallet, declared

DOMAINS: tuple[Ids, ...] = (TextIds(), TextIds(length_max=40), UuidIds(), UuidIds(version=7), IntegerIds())
domains = st.sampled_from(DOMAINS)
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=140)
uuids = st.uuids().map(str)
numbers = st.integers(0, 2**64).map(str)
ids = texts | uuids | uuids.map(str.upper) | numbers | st.sampled_from(["0", "007", "٣", "1e3", "-1", "~" + "a" * 64])
places = st.tuples(st.sampled_from(["acme", "other"]), st.sampled_from(["debit", "credit", "movement"]), ids)
NATIVE = find("native").dialect


def told(domain: Ids, place: tuple[str, str, str], *, as_is: bool = False, made: bool = False, turn: int = 0) -> str:
    provider, space, id = place
    tx = Transaction(act=Debit(amount=Decimal(1)), id=id)
    return alias(NATIVE, declared(NATIVE, ids=domain), as_is, provider, space, tx, made=made, turn=turn)


# ---------------------------------------------------------------- a domain


@given(domains, st.booleans(), st.booleans(), places, places)
def test_two_movements_are_never_told_as_one(
    domain: Ids, as_is: bool, made: bool, one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    """Whatever they are called, and also where one is told as it is and the other cannot be: the same for ever, and the
    wallet takes it. (Two digests of 63 bits may meet; no test will live to see it.)"""
    here, there = told(domain, one, as_is=as_is), told(domain, other, as_is=as_is, made=made)
    kept = as_is and not made and domain.keeps(one[2]) and domain.keeps(other[2])
    assert (here == there) == (one[2] == other[2] if kept else one == other and not (as_is and made and here == one[2]))
    assert domain.holds(here)
    assert domain.holds(there)
    assert told(domain, one, as_is=as_is) == here


@given(domains, ids)
def test_what_is_made_is_never_told_as_it_is(domain: Ids, id: str) -> None:
    """A provider whose own id looks like one that is made, is told another one: the two never meet."""
    made = domain.made(id)
    assert domain.holds(made)
    assert not domain.keeps(made)
    assert told(domain, ("acme", "debit", made), as_is=True) not in (made, domain.made("acme:debit:" + id))
    assert domain.holds(id) or not domain.keeps(id)


KEPT = {
    "a UUID": (UuidIds(), "6f5a3c10-2a8e-4a2e-8f57-1c6d2b7e9001", True),
    "a UUID of another version": (UuidIds(), "018f3a00-2a8e-7a2e-8f57-1c6d2b7e9001", True),
    "upper case, which may be the same to a wallet": (UuidIds(), "6F5A3C10-2A8E-4A2E-8F57-1C6D2B7E9001", False),
    "without hyphens": (UuidIds(), "6f5a3c102a8e4a2e8f571c6d2b7e9001", False),
    "that looks like one of ours": (UuidIds(), "00003c10-2a8e-4a2e-8f57-1c6d2b7e9001", False),
    "a text": (UuidIds(), "tx-1", False),
    "a number": (IntegerIds(), "999999999999999999", True),
    "of 19 digits, as ours are": (IntegerIds(), "1000000000000000000", False),
    "too large": (IntegerIds(), str(2**63), False),
    "nothing": (IntegerIds(), "0", False),
    "a zero in front: 007 is not 7": (IntegerIds(), "007", False),
    "negative": (IntegerIds(), "-5", False),
    "other digits": (IntegerIds(), "١٢", False),
    "a long text": (TextIds(length_max=40), "x" * 41, False),
    "a text that fits": (TextIds(length_max=40), "x" * 40, True),
    "a text like a digest of ours": (TextIds(length_max=40), "~" + "0" * 39, False),
}


@pytest.mark.parametrize("case", KEPT)
def test_what_is_told_as_it_is(case: str) -> None:
    domain, id, kept = KEPT[case]
    assert domain.keeps(id) is kept
    assert (told(domain, ("acme", "debit", id), as_is=True) == id) is kept


@given(st.integers(0, 15), texts)
def test_a_made_uuid_says_its_version_and_a_time_long_ago(version: int, plain: str) -> None:
    """As a reader of version 7 takes it, a moment of 1970: no clock of a provider has said it since UUIDs have one."""
    made = UUID(UuidIds(version=version).made(plain))
    assert made.bytes[6] >> 4 == version
    assert made.variant == "specified in RFC 4122"
    assert int.from_bytes(made.bytes[:6], "big") < 2**32


@given(texts)
def test_a_made_integer_is_positive_and_fits_a_long(plain: str) -> None:
    assert 10**18 <= int(IntegerIds().made(plain)) <= INT64_MAX


def test_an_alias_stays_what_it_was() -> None:
    """Written down: what a wallet was told yesterday must be what it is told tomorrow (SHA-256 of `acme:debit:t-1`)."""
    place = ("acme", "debit", "t-1")
    assert told(TextIds(), place) == "acme:debit:t-1"
    assert (
        told(TextIds(), place, as_is=True, made=True)
        == "~dcf11fcfb89a8bbf3edc570a513190034e0cb3c64e009d09b2a90e9e33702a71"
    )
    assert told(TextIds(length_max=40), ("acme", "debit", "t-1" * 20)) == "~19ae655cbdc2b541989c34869f97877c4218fce"
    assert told(UuidIds(), place) == "0000dcf1-1fcf-489a-8bbf-3edc570a5131"
    assert told(UuidIds(version=7), place) == "0000dcf1-1fcf-789a-8bbf-3edc570a5131"
    assert told(IntegerIds(), place) == "3888307908258572913"


# ---------------------------------------------------------------- rounds


@pytest.mark.parametrize(
    ("rounds", "said", "heard"),
    [
        (TextIds(), "R 1", "R 1"),
        (TextIds(), TextIds().made("R-1"), TextIds().made(f"acme:round:{TextIds().made('R-1')}")),
        (IntegerIds(), "880011", "880011"),
        (IntegerIds(), "R-1", IntegerIds().made("acme:round:R-1")),
        (UuidIds(), "R-1", UuidIds().made("acme:round:R-1")),
    ],
)
def test_a_round_is_told_as_the_wallet_takes_it(rounds: Ids, said: str, heard: str) -> None:
    """And whether it is closed stays. None that a provider said looks like one that was made."""
    wallet = a_wallet("native")
    wallet = replace(wallet, dialect=declared(wallet.dialect, rounds=rounds))
    way = Way(setup=None, provider=a_provider("native"), wallet=wallet, route=Route(wallet="main"))  # type: ignore[arg-type]  # not asked
    assert way.round(Round(said, True)) == Round(heard, True)
    assert way.round(None) is None


# ---------------------------------------------------------------- where two meet


class FewIds(Struct, frozen=True):
    """A domain of `number` ids only, so that what is a chance in thousands of years happens at every second bet."""

    number: int
    scarce: bool = True

    def holds(self, id: str) -> bool:
        return id.isdigit() and len(id) == 19

    def keeps(self, id: str) -> bool:
        return False

    def made(self, plain: str, *, bare: bool = False) -> str:
        return str(10**18 + int(IntegerIds().made(plain)) % self.number)


def a_scarce_wallet(number: int, **more: object) -> Wallet:
    wallet = a_wallet("native", ids_as_is=False, **more)
    return replace(wallet, dialect=declared(wallet.dialect, ids=FewIds(number)))


def test_rule_03_of_two_that_meet_the_later_is_told_the_next(bench_of: MakeBench) -> None:
    """Four bets, their wins and a cancel in ten ids: each has its own, each win and cancel names its own bet, also after
    a restart, and the purse is right."""
    bench = bench_of("native", a_scarce_wallet(16))
    for id in "abcd":
        yes(bench.call(bet(id)))
    bench.crash()
    bench.restart()
    for id in "abcd":
        yes(bench.call(bet(id)))  # a repeat
        yes(bench.call(win(f"w{id}", of=id)) if id != "d" else bench.call(undo("c", "d")))
    rows = {id: bench.row(Kind.DEBIT, id).alias for id in "abcd"}
    wins = {tx.act.reference: tx.id for tx in bench.till.sent if tx.kind is Kind.CREDIT}  # type: ignore[union-attr]  # a win
    assert len({*rows.values(), *wins.values(), bench.till.last(Kind.ROLLBACK).id}) == 8
    assert list(wins) == [rows[id] for id in "abc"]
    assert bench.till.last(Kind.ROLLBACK).act.reference == rows["d"]  # type: ignore[union-attr]  # a rollback
    firsts = {id: FewIds(16).made(f"acme:debit:{id}") for id in "abcd"}
    assert firsts != rows, "no two of them met: choose another number"
    assert bench.till.balance() == Decimal("1045.00")


def test_rule_03_the_legs_of_a_settle_and_what_undoes_them_meet_nobody(bench_of: MakeBench) -> None:
    """Parts are told apart, too, and the part that is told as its whole meets nobody by that."""
    wallet = a_wallet("netgaming")
    wallet = replace(wallet, dialect=declared(wallet.dialect, ids=FewIds(12)))
    bench = bench_of("native", wallet)
    yes(bench.call(settle("s")))
    yes(bench.call(bet("b")))
    yes(bench.call(undo("u", "b", "10.00")))
    told_as = [tx.id for tx in bench.till.sent if tx.id]
    assert len(set(told_as)) == len(told_as) == 4
    assert bench.till.balance() == Decimal("1015.00")


def test_rule_15_what_nobody_knows_is_never_told_as_anothers(bench_of: MakeBench) -> None:
    """A cancel of a bet that never came here must not undo the bet that its id would be."""
    bench = bench_of("native", a_scarce_wallet(8, tombstones=True))
    held = set()
    for id in "abc":
        yes(bench.call(bet(id)))
        held.add(bench.row(Kind.DEBIT, id).alias)
    never = next(f"x{n}" for n in range(99) if FewIds(8).made(f"acme:debit:x{n}") in held)
    assert why(bench.call(undo("u", never))) is Reason.TRANSACTION_NOT_FOUND
    assert bench.till.last(Kind.ROLLBACK).act.reference not in held  # type: ignore[union-attr]  # a rollback
    yes(bench.call(win("w", of=never)))
    assert bench.till.last(Kind.CREDIT).act.reference not in held  # type: ignore[union-attr]  # a win
    assert bench.till.balance() == Decimal("995.00")


def test_rule_03_a_win_of_a_declined_bet_names_it_as_it_was_told(bench_of: MakeBench) -> None:
    """*It ties to none, so its bet was taken for one that nobody knows, whose id is another's: that very bet's.*"""
    bench = bench_of("native", a_scarce_wallet(8))
    assert why(bench.call(bet("much", "5000.00"))) is Reason.INSUFFICIENT_FUNDS
    yes(bench.call(win("w", of="much")))
    assert bench.till.last(Kind.CREDIT).act.reference == bench.row(Kind.DEBIT, "much").alias  # type: ignore[union-attr]  # a win


def test_rule_03_an_id_is_found_late_and_is_nobody_elses(bench_of: MakeBench) -> None:
    """A win that no route led to, and by now one does."""
    wallet = a_scarce_wallet(2)
    bench = bench_of("native", wallet, routes=())
    bench.till.then(lost_before, kind=Kind.CREDIT)
    bench.call(win("w"))
    assert not bench.row(Kind.CREDIT, "w").alias
    bench.setup = replace(bench.setup, routes=(Route(wallet="main"),))
    other = next(id for id in "abcdefgh" if FewIds(2).made(f"acme:debit:{id}") == FewIds(2).made("acme:credit:w"))
    yes(bench.call(bet(other)))
    yes(bench.call(win("w")))
    assert bench.row(Kind.CREDIT, "w").alias != bench.row(Kind.DEBIT, other).alias
    assert bench.till.balance() == Decimal("1015.00")


# ---------------------------------------------------------------- a wallet that wants a bet of every win


def wanting_bets(wallet: Wallet) -> Wallet:
    """Its dialect cannot say a win without the bet that it belongs to."""
    speaks = wallet.dialect.encode_request

    def encode(tx: Transaction, call: Call) -> Request:
        if isinstance(tx.act, Credit) and not tx.act.reference:
            raise Missing("reference")
        if isinstance(tx.act, Settle):
            raise unsupported("a settle")
        return speaks(tx, call)

    return replace(wallet, dialect=replace(wallet.dialect, encode_request=encode))


def test_a_win_that_names_no_bet_is_told_with_the_first_of_its_round(bench_of: MakeBench) -> None:
    """A provider whose wins belong to a round says none; of several bets it is always the same one, so that a second
    attempt is no other movement."""
    bench = bench_of("native", wanting_bets(a_wallet("native")))
    for id in "ab":
        yes(bench.call(bet(id)))
    bench.till.then(lost_before, kind=Kind.CREDIT)
    bench.call(win("w"))
    yes(bench.call(bet("c")))
    yes(bench.call(win("w")))
    said = [tx.act.reference for tx in bench.till.sent if tx.kind is Kind.CREDIT]  # type: ignore[union-attr]  # a win
    assert said
    assert set(said) == {"a"}


def test_the_win_of_a_settle_is_told_with_its_debit(bench_of: MakeBench) -> None:
    bench = bench_of("native", wanting_bets(a_wallet("native", ids_as_is=False)))
    yes(bench.call(settle("s")))
    debit, credit = bench.till.last(Kind.DEBIT), bench.till.last(Kind.CREDIT)
    assert credit.act.reference == debit.id  # type: ignore[union-attr]  # a win
    assert bench.till.balance() == Decimal("1015.00")


def test_a_win_of_no_bet_waits_for_a_person(bench_of: MakeBench) -> None:
    """Nobody knows a bet of its round: it cannot be said, and is not lost."""
    bench = bench_of("native", wanting_bets(a_wallet("native")))
    assert isinstance(bench.call(win("w")), Unknown)
    assert bench.row(Kind.CREDIT, "w").state is State.PERSON
