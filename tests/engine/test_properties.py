"""What must hold for every value: money and units, content, aliases."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.codec.units import ARTEFACT, Major, Scaled, plain
from gateway.currency import Currencies
from gateway.engine.identity import alias, fingerprint, key_of, own_id
from gateway.model import AMOUNT_MAX, Debit, Refused, Rollback, Round, Settle, Transaction, amount_checked
from gateway.serve.discover import find
from tests.engine.pairs import DIALECTS
from tests.simulation.bench import declared

CURRENCIES = Currencies({"BTC": 8, "PTS": 0})
DIGITS = {"EUR": 2, "JPY": 0, "KWD": 3, "BTC": 8, "PTS": 0, "CLF": 4}

codes = st.sampled_from(sorted(DIGITS))
scales = st.sampled_from([Scaled(), Scaled(None), Scaled(3), Scaled(5)])
minor = st.integers(min_value=0, max_value=10**14)
ids = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=140)
names = st.from_regex(r"[a-z][a-z0-9-]{0,15}", fullmatch=True)
spaces = st.sampled_from(["debit", "credit", "rollback", "movement", "settle.debit", "rollback.part"])


# ---------------------------------------------------------------- money


@given(codes, minor)
def test_an_amount_of_whole_minor_units_is_exact(code: str, count: int) -> None:
    """Written and read again, with exactly the currency's digits and no exponent."""
    amount = Decimal(count).scaleb(-DIGITS[code])
    if amount >= AMOUNT_MAX:
        return
    text = CURRENCIES.text(amount, code)
    assert Decimal(text) == amount
    assert "e" not in text.lower()
    assert len(text.partition(".")[2]) == DIGITS[code]


@given(codes, st.decimals(min_value=0, max_value=10**9, allow_nan=False, allow_infinity=False, places=12))
def test_an_amount_finer_than_its_currency_is_refused_and_never_rounded(code: str, amount: Decimal) -> None:
    """Only a shown balance may be rounded, and only down."""
    quantum = Decimal(1).scaleb(-DIGITS[code])
    if amount % quantum:
        with pytest.raises(Refused):
            CURRENCIES.exact(amount, code)
    else:
        assert CURRENCIES.exact(amount, code) == amount
    shown = CURRENCIES.shown(amount, code)
    assert shown <= amount < shown + quantum


@given(codes, st.decimals(min_value=-(10**9), max_value=10**9, allow_nan=False, allow_infinity=False, places=6))
def test_a_negative_balance_is_shown_rounded_down_too(code: str, balance: Decimal) -> None:
    """Towards less, not towards nothing."""
    assert CURRENCIES.shown(balance, code) <= balance


@given(scales, codes, minor)
def test_a_scale_reads_what_it_wrote_or_refuses_to_write(unit: Scaled, code: str, count: int) -> None:
    """Exact, or refused: 9.876 KWD has no form in cents."""
    amount = Decimal(count).scaleb(-DIGITS[code])
    if amount >= AMOUNT_MAX:
        return
    try:
        wire = unit.write(amount, code, CURRENCIES)
    except Refused:
        assert amount.scaleb(unit.scale(code, CURRENCIES)) % 1
        return
    assert unit.read(wire, code, CURRENCIES, "amount") == amount


@given(scales, codes, st.integers(0, 10**14))
def test_a_scale_reads_exactly_or_refuses(unit: Scaled, code: str, wire: int) -> None:
    """JPY 150.50 is nothing; what is read is written as it came."""
    try:
        amount = unit.read(wire, code, CURRENCIES, "amount")
    except Refused:
        return
    assert CURRENCIES.exact(amount, code) == amount
    assert unit.write(amount, code, CURRENCIES) == wire


@given(scales, codes, st.decimals(min_value=-(10**9), max_value=10**9, allow_nan=False, allow_infinity=False, places=8))
def test_a_shown_balance_never_says_more_than_there_is(unit: Scaled, code: str, balance: Decimal) -> None:
    """Whatever the scale of the wire is; and less only by what it cannot hold."""
    exact = balance.scaleb(unit.scale(code, CURRENCIES))
    assert unit.show(balance, code, CURRENCIES) <= exact < unit.show(balance, code, CURRENCIES) + 1


@given(codes, minor, st.booleans())
def test_major_units_read_what_they_wrote(code: str, count: int, number: bool) -> None:
    """As a JSON number or as a text."""
    amount = Decimal(count).scaleb(-DIGITS[code])
    if amount >= AMOUNT_MAX:
        return
    wire = Major().write(amount, code, CURRENCIES)
    assert Major().read(wire, code, CURRENCIES, "amount", number=number) == amount
    assert Decimal(f"{plain(wire):f}") == amount


@given(codes, st.decimals(min_value=0, max_value=10**6, allow_nan=False, allow_infinity=False, places=12))
def test_only_a_floats_artefact_is_forgiven_and_only_in_a_number(code: str, wire: Decimal) -> None:
    """0.30000000000000004 is 0.3 in a JSON number, and nothing in a text."""
    near = round(wire, DIGITS[code])
    for number in (True, False):
        fits = near == wire or (number and abs(near - wire) <= ARTEFACT)
        if fits:
            assert Major().read(wire, code, CURRENCIES, "amount", number=number) == near
        else:
            with pytest.raises(Refused):
                Major().read(wire, code, CURRENCIES, "amount", number=number)


@given(st.sampled_from(["NaN", "sNaN", "Infinity", "-Infinity", "-0.01", "1e15", "1e400"]))
def test_what_is_no_amount_is_refused(text: str) -> None:
    """Not a number, not finite, negative, out of bounds."""
    with pytest.raises(Refused):
        amount_checked(Decimal(text))
    with pytest.raises(Refused):
        Debit(amount=Decimal(text))


# ---------------------------------------------------------------- content


def spelled(amount: Decimal, zeros: int, shift: int) -> Decimal:
    """The same number in another spelling: more zeros, an exponent."""
    sign, digits, exponent = amount.as_tuple()
    assert isinstance(exponent, int)
    more = Decimal((sign, digits + (0,) * zeros, exponent - zeros))
    return more.scaleb(shift).scaleb(-shift)


@given(minor, st.integers(0, 6), st.integers(-3, 3), st.text(max_size=8), st.text(max_size=8))
def test_content_is_the_same_in_every_spelling(count: int, zeros: int, shift: int, session: str, request: str) -> None:
    """12.5, 12.50 and 1250e-2; another session, request id and extra."""
    amount = Decimal(count).scaleb(-2)
    one = Transaction(act=Debit(amount=amount), id="t", player="p", currency="EUR", round=Round("r"))
    other = Transaction(
        act=Debit(amount=spelled(amount, zeros, shift), type="tip"), id="t", player="p", currency="EUR",
        round=Round("r", True), session=session, request_id=request, extra={"a": session},
    )  # fmt: skip
    assert fingerprint(one) == fingerprint(other)


@given(minor, minor, ids, ids)
def test_content_differs_where_an_amount_a_round_or_a_reference_does(a: int, b: int, here: str, there: str) -> None:
    """Each of the fields that matter."""
    one = Transaction(act=Rollback(reference=here, amount=Decimal(a)), id="t", currency="EUR", round=Round(here))
    assert (fingerprint(one) == fingerprint(replace(one, round=Round(there)))) == (here == there)
    assert (fingerprint(one) == fingerprint(replace(one, act=replace(one.act, reference=there)))) == (here == there)
    assert (fingerprint(one) == fingerprint(replace(one, act=replace(one.act, amount=Decimal(b))))) == (a == b)
    both = Transaction(act=Settle(debit=Decimal(a), credit=Decimal(b)), id="t", currency="EUR")
    turned = replace(both, act=Settle(debit=Decimal(b), credit=Decimal(a)))
    assert (fingerprint(both) == fingerprint(turned)) == (a == b)


# ---------------------------------------------------------------- ids

places = st.tuples(names, spaces, ids)
scopes = st.sampled_from(["provider", "player", "round"])


def told_as(dialect: str, place: tuple[str, str, str], scope: str, within: str, *, as_is: bool = False) -> str:
    """What a wallet of `dialect` is told as id; `within`: the player or the round, where that is the scope."""
    provider, space, id = place
    tx = Transaction(act=Debit(amount=Decimal(1)), id=id, player=within, round=Round(within))
    sender = declared(find("native").dialect, scope=scope)
    return alias(sender, find(dialect).dialect, as_is, provider, space, tx)


@given(st.sampled_from(DIALECTS), scopes, st.tuples(places, ids), st.tuples(places, ids))
def test_an_alias_is_injective_and_fits_the_wallets_domain(
    dialect: str, scope: str, one: tuple[tuple[str, str, str], str], other: tuple[tuple[str, str, str], str]
) -> None:
    """(provider, key space, id, and the player or round where ids are unique only with it) -> what a
    wallet is told: never the same for two."""
    told = told_as(dialect, one[0], scope, one[1])
    same = one == other if scope != "provider" else one[0] == other[0]
    assert (told == told_as(dialect, other[0], scope, other[1])) == same
    assert find(dialect).dialect.as_wallet.ids.holds(told)
    assert told_as(dialect, one[0], scope, one[1]) == told


@given(places)
def test_as_is_is_as_it_is(place: tuple[str, str, str]) -> None:
    """Not a character more."""
    assert told_as("native", place, "provider", "p-1", as_is=True) == place[2]


@given(places, places)
def test_a_key_is_injective(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    """Slashes, percent signs and colons in an id do not run into its neighbours."""
    dialect = find("netgaming").dialect

    def key(place: tuple[str, str, str]) -> str:
        provider, space, id = place
        return key_of(dialect, provider, space, Transaction(act=Debit(amount=Decimal(1)), id=id))

    assert (key(one) == key(other)) == (one == other)
    assert (own_id(key(one)) == own_id(key(other))) == (one == other)
