"""The fields of a flat call as lines (`codec/form.py`), and the frame around them (`codec/frame.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Struct
from msgspec.structs import replace

from gateway.call import Call
from gateway.codec import form, unix
from gateway.codec.cents import money
from gateway.codec.errors import Row, of_rows
from gateway.codec.fields import Fields, Number, read_json
from gateway.codec.form import Draft, Form, Line
from gateway.codec.frame import (
    amount_of,
    answer,
    currency_of,
    fitting,
    heard,
    in_its_currency,
    needed,
    of_another,
    reader_of,
    unnamed_currency,
    unsaid,
)
from gateway.codec.units import Major, Scaled, in_major
from gateway.codec.wins import with_promo
from gateway.http import Response
from gateway.model import (
    Accepted,
    Adjust,
    Balance,
    Batch,
    Credit,
    Debit,
    Declined,
    Flaw,
    Game,
    Kind,
    Missing,
    Outcome,
    Reason,
    Refused,
    Rollback,
    Round,
    Settle,
    Transaction,
    Unknown,
    unsupported,
)


class Settings(Struct, frozen=True):
    wire_scale: str = "fixed2"


CALL = Call(settings=Settings(), now=datetime(2026, 1, 1, tzinfo=UTC), name="bet")
AMOUNT, CURRENCY = money("amount", "currency")
LINES: Mapping[str, Line] = {
    line.name: line
    for line in (
        form.SESSION.id("token", length_max=1024), form.PLAYER.id("player"), form.ID.id("id"), AMOUNT, CURRENCY,
        form.free_round("type", lambda call: {"real": False, "cash": False, "free": True}, cash="real", free="free"),
        form.GAME.id("game", integer_max=2**63 - 1), form.ROUND.optional("round"), form.closes("over"),
        form.GAME_NAME.words("name"), form.FREE_ROUND.optional("campaign", otherwise=None), form.CHANNEL.words("channel"),
        form.words("note"), form.passed_on("kind"), unix.moment("time"),
    )
}  # fmt: skip
PICKY = ("token", "player", "id", "amount", "currency", "type", "game", "round", "over", "campaign")
"""The lines that can complain: the others only describe."""
SAID = {
    "token": "s-1", "player": "p-1", "id": "t-1", "amount": 250, "currency": "EUR", "type": "free", "game": 42, "round": "r-1",
    "over": True, "name": "Polar fox", "campaign": "c-1", "channel": "web", "note": "hi", "kind": "slots", "time": 1767225600123,
}  # fmt: skip
BET = Transaction(
    act=Debit(amount=Decimal("2.50"), free_round=True), id="t-1", player="p-1", session="s-1", currency="EUR",
    round=Round("r-1", True), game=Game(id="42", name="Polar fox"), free_round_id="c-1", channel="web",
    occurred_at=datetime(2026, 1, 1, 0, 0, 0, 123000, tzinfo=UTC), extra={"note": "hi", "kind": "slots"},
)  # fmt: skip
ORDERS = st.permutations(list(LINES))


def read(of: Form, said: Mapping[str, Any], call: Call = CALL) -> Draft:
    return of.read(Fields(read_json(answer(said).body)), call)


def bet(draft: Draft) -> Transaction:
    return draft.transaction(Debit(amount=draft.amount, free_round=draft.free))


@given(order=ORDERS, broken=st.sets(st.sampled_from(PICKY), min_size=1))
def test_the_first_line_that_is_wrong_is_told(order: list[str], broken: set[str]) -> None:
    """A page's table is the order in which a provider is told what was wrong: a later field that is wrong, too, says nothing."""
    with pytest.raises(Refused) as refused:
        read(Form(*(LINES[name] for name in order)), SAID | {name: ["no"] for name in broken})
    assert refused.value.field == next(name for name in order if name in broken)


@given(order=ORDERS)
def test_the_order_of_the_lines_is_the_order_on_the_wire_and_means_nothing(order: list[str]) -> None:
    """What stands there is signed as it stands; what it says must not hang on where it stands (an amount before its
    currency)."""
    of = Form(*(LINES[name] for name in order))
    assert list(of.write(BET, CALL)) == order
    assert of.write(BET, CALL) == SAID
    assert bet(read(of, SAID)) == BET


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=40).filter(str.strip)


@given(
    id=TEXTS, player=TEXTS, session=TEXTS, amount=st.integers(0, 10**12), round=st.none() | TEXTS, closed=st.booleans(),
    campaign=st.just("") | TEXTS, free=st.booleans(), game=TEXTS | st.integers(0, 2**64).map(str),
)  # fmt: skip
def test_what_is_written_is_read_as_what_it_was(
    id: str,
    player: str,
    session: str,
    amount: int,
    round: str | None,
    closed: bool,
    campaign: str,
    free: bool,
    game: str,
) -> None:
    """The two functions of a line stand side by side so that they say the same; an id comes back letter by letter."""
    tx = replace(
        BET, act=Debit(amount=Decimal(amount) / 100, free_round=free), id=id, player=player, session=session,
        round=Round(round or "", closed), free_round_id=campaign, game=Game(id=game, name="Polar fox"),
    )  # fmt: skip
    of = Form(*LINES.values())
    assert bet(read(of, of.write(tx, CALL))) == tx


# ---------------------------------------------------------------- what is documented


def test_only_what_no_line_names_is_kept_as_unknown() -> None:
    """A field that somebody documents later goes on to the wallet; a documented one goes where it belongs, and nowhere
    else."""
    of = Form(form.ID.id("id"), Line("command"), also={"other"})
    draft = read(of, {"id": "t-1", "command": "bet", "other": "1", "strange": "2"})
    assert (draft.extra, of.names) == ({"strange": "2"}, frozenset({"id", "command", "other"}))


def test_a_page_documents_its_fields_for_all_of_its_calls() -> None:
    """The reference of a cancel that stands in a bet means nothing there, and is no secret of the provider's either."""
    forms = form.of_page({"bet": (form.ID.id("id"),), "cancel": (form.ID.id("id"), form.REFERENCE.id("reference"))})
    draft = read(forms["bet"], {"id": "t-1", "reference": "t-0", "strange": "2"})
    assert (draft.extra, draft[form.REFERENCE]) == ({"strange": "2"}, "")
    assert forms["bet"].write(BET, CALL) == {"id": "t-1"}


def test_a_line_may_go_one_way() -> None:
    """A constant is written and tells nothing; an old name is understood and never written."""
    of = Form(Line("command", write=lambda tx, call: "bet"), Line("old", form.ID.id("old").read))
    assert of.write(BET, CALL) == {"command": "bet"}
    assert read(of, {"command": ["what"], "old": "t-1"})[form.ID] == "t-1"


def test_null_is_written_and_what_is_unset_is_left_out() -> None:
    """Some pages want `null` for nothing, others no field at all."""
    of = Form(LINES["campaign"], LINES["round"], LINES["name"], LINES["note"], LINES["kind"])
    assert of.write(Transaction(act=Balance()), CALL) == {"campaign": None}


# ---------------------------------------------------------------- what is missing


@given(order=ORDERS, gone=st.sets(st.sampled_from(("token", "player", "currency", "id", "game")), min_size=1))
def test_who_plays_is_missed_before_anything_else(order: list[str], gone: set[str]) -> None:
    """*A balance in a session that nobody knows, of a game that nobody knows, to a page that has the game first:* its provider
    heard `unsupported`, for the game, and never asked its player to begin again."""
    blank: dict[str, Any] = {"session": "", "player": "", "currency": "", "id": "", "game": None}
    names = {"token": "session"}
    tx = replace(BET, **{names.get(name, name): blank[names.get(name, name)] for name in gone})
    with pytest.raises(Missing) as missing:
        Form(*(LINES[name] for name in order)).write(tx, CALL)
    launched = [name for name in order if name in gone and name in ("token", "player", "currency")]
    # An amount needs its currency, wherever that stands.
    wanted = launched or [name for name in order if name in gone]
    told = missing.value.field
    assert told == names.get(wanted[0], wanted[0]) or (
        told == "currency" and order.index("amount") < order.index(wanted[0])
    )


def test_what_was_missing_first_is_told_and_not_what_cannot_be_said() -> None:
    """What is missing may be supplied, and then the other is told: a rollback of what nobody knows is `transaction_not_found`
    as long as something of it is missing."""

    def refuses(tx: Transaction, call: Call) -> Any:
        raise unsupported("it")

    odd = Line("odd", write=refuses)
    nobody = replace(BET, game=None)
    with pytest.raises(Missing, match="game"):
        Form(LINES["game"], odd).write(nobody, CALL)
    with pytest.raises(Refused, match="cannot say it"):
        Form(odd, LINES["game"]).write(nobody, CALL)
    with pytest.raises(Missing, match="player"):
        Form(LINES["game"], LINES["player"], odd).write(replace(nobody, player=""), CALL)


def test_who_plays_is_missed_before_what_cannot_be_said_too() -> None:
    """*An amount that its wallet cannot be told, of a session that nobody knows, to a page that has the amount first:* the
    player is asked to begin again, not told that there are no words for the bet."""

    def refuses(tx: Transaction, call: Call) -> Any:
        raise unsupported("it")

    for name, what in (("token", "session"), ("player", "player"), ("currency", "currency")):
        nobody = replace(BET, **{what: ""})
        with pytest.raises(Missing, match=what):
            Form(LINES["game"], Line("odd", write=refuses), LINES[name]).write(nobody, CALL)


def test_an_optional_amount_is_not_dropped_for_want_of_its_currency() -> None:
    """A partial refund told without its amount would be one of all of it."""
    of = Form(form.if_any(CURRENCY, "currency"), form.if_any(AMOUNT, "amount"))
    part = replace(BET, act=Rollback(reference="t-0", amount=Decimal("1.00")))
    whole = replace(part, act=Rollback(reference="t-0"))
    assert of.write(part, CALL) == {"currency": "EUR", "amount": 100}
    assert of.write(whole, CALL) == {"currency": "EUR"}
    assert of.write(replace(whole, currency=""), CALL) == {}
    with pytest.raises(Missing, match="currency"):
        of.write(replace(part, currency=""), CALL)
    assert read(of, {}).amount_if_any is None
    assert read(of, {"amount": 100, "currency": "EUR"}).amount == Decimal("1.00")


# ---------------------------------------------------------------- single lines


@pytest.mark.parametrize("lines", [(AMOUNT, CURRENCY), (CURRENCY, AMOUNT)])
def test_an_amount_is_judged_once_its_currency_is_known(lines: tuple[Line, ...]) -> None:
    """There are no 150.50 JPY, and no -1 of anything, whichever stands first."""
    assert read(Form(*lines), {"amount": 15000, "currency": "JPY"}).amount == Decimal(150)
    for amount, flaw in ((15050, Flaw.NOT_INTEGER), (-1, Flaw.TOO_LOW)):
        with pytest.raises(Refused) as refused:
            read(Form(*lines), {"amount": amount, "currency": "JPY"})
        assert (refused.value.field, refused.value.flaw) == ("amount", flaw)


def test_words_stop_a_call_only_where_its_page_says_so() -> None:
    """A bet may be refused for its note, a win never."""
    of = Form(form.GAME_NAME.words("name", length_max=4, strict_in={"bet"}), form.words("note", strict_in={"bet"}))
    assert read(of, {"name": "Polar fox", "note": 7}, replace(CALL, name="win")).extra == {"note": "7"}
    for name in ("name", "note"):
        with pytest.raises(Refused) as refused:
            read(of, {name: ["Polar fox"]})
        assert refused.value.field == name


@pytest.mark.parametrize("odd", [["g"], "", 1.5, "g" * 9, None])
def test_an_id_that_only_describes_stops_a_call_only_where_its_page_says_so(odd: Any) -> None:
    """The game of a bet decides, that of a win does not; towards a wallet it is there in both."""
    of = Form(form.GAME.described("game", length_max=8, strict_in={"bet"}), form.id_if_any("mark", length_max=8))
    win = replace(CALL, name="win")
    draft = read(of, {"game": odd, "mark": odd}, win)
    assert (draft[form.GAME], draft.extra) == ("", {})
    draft = read(of, {"game": "g", "mark": 7}, win)
    assert (draft[form.GAME], draft.extra) == ("g", {"mark": "7"})
    with pytest.raises(Refused) as refused:
        read(of, {"game": odd})
    assert refused.value.field == "game"
    assert of.write(BET, CALL) == {"game": "42"}
    with pytest.raises(Missing, match="game"):
        of.write(replace(BET, game=None), CALL)


def test_an_id_that_is_too_long_for_its_wallet_is_not_told() -> None:
    """Cut it would be another player. What is missing is missed as ever."""
    of = Form(form.fitted(LINES["player"], "player", 3))
    assert of.write(BET, CALL) == {"player": "p-1"}
    assert read(of, {"player": "p-1234"})[form.PLAYER] == "p-1234"
    with pytest.raises(Refused, match="more than 3 characters"):
        of.write(replace(BET, player="p-12"), CALL)
    with pytest.raises(Missing, match="player"):
        of.write(replace(BET, player=""), CALL)


def test_a_refund_knows_no_word_for_a_free_round() -> None:
    """It gives cash back: who calls it free means another thing."""
    of = Form(form.free_round("type", lambda call: {"real": False, "free": True}, cash="real"))
    assert of.write(replace(BET, act=Rollback(reference="t-0", free_round=True)), CALL) == {"type": "real"}
    with pytest.raises(Refused, match=r"is none of real$"):
        read(of, {"type": "free"})


def test_an_id_is_an_integer_only_where_it_stays_what_it_is() -> None:
    """007 told as 7 is another game."""
    of = Form(LINES["game"])
    for id, told in (("42", 42), ("007", "007"), (str(2**63), str(2**63)), ("fox", "fox")):
        assert of.write(replace(BET, game=Game(id=id)), CALL) == {"game": told}


def test_a_word_that_means_nothing_when_cut_is_left_out() -> None:
    """Half the name of a studio is another studio; no form of it stops a win."""
    of = Form(form.STUDIO.code_if_any("studio", length_max=4))
    for said, kept in (
        ("spri", "spri"),
        (" spri ", "spri"),
        (17, "17"),
        ("sprib", ""),
        (["a"], ""),
        (True, ""),
        (None, ""),
    ):
        assert read(of, {"studio": said})[form.STUDIO] == kept, said
    assert of.write(replace(BET, game=Game(studio="spri")), CALL) == {"studio": "spri"}
    assert of.write(BET, CALL) == {}


def test_where_no_money_hangs_on_a_field_any_form_will_do_if_it_is_there() -> None:
    """A win is paid whatever its token looks like; a bet is not taken, and a field that the page wants is wanted of both."""
    of = Form(form.loose(LINES["token"], {"win"}))
    win = replace(CALL, name="win")
    assert read(of, {"token": ["s-1"]}, win)[form.SESSION] == ""
    assert read(of, {"token": "s-1"}, win)[form.SESSION] == "s-1"
    assert of.write(BET, CALL) == {"token": "s-1"}
    for said, call in (({"token": ["s-1"]}, CALL), ({}, win), ({"token": None}, win), ({"token": " "}, win)):
        with pytest.raises(Refused):
            read(of, said, call)


def test_what_may_stand_anywhere_is_read_everywhere_and_written_where_it_has_a_line() -> None:
    """A balance with a game is one of that game; the page of a balance wants none to be told."""
    campaign = form.FREE_ROUND.optional("campaign")
    calls = {"balance": (LINES["player"],), "bet": (LINES["player"], LINES["game"])}
    launch = {"launch": (form.LAUNCH.id("token"),)}
    forms = form.of_page(calls, anywhere=(form.GAME.optional("game"), campaign), alone=launch, also={"hash"})
    said = {"player": "p-1", "game": "42", "campaign": "c-1", "hash": "x", "odd": "1", "token": "t"}
    alone = read(forms.pop("launch"), said)
    assert (alone[form.GAME], alone[form.LAUNCH], alone.extra) == ("", "t", {"odd": "1"})
    for of in forms.values():
        draft = read(of, said)
        assert (draft[form.GAME], draft[form.FREE_ROUND], draft.extra) == ("42", "c-1", {"odd": "1"})
    assert forms["balance"].write(BET, CALL) == {"player": "p-1"}
    assert forms["bet"].write(BET, CALL) == {"player": "p-1", "game": 42}
    with pytest.raises(Refused, match="game is missing"):  # the call's own line goes before that
        read(forms["bet"], {"player": "p-1"})


def test_an_id_that_must_be_a_text_is_no_number() -> None:
    """`1e2` and `100` were one id."""
    of = Form(form.ID.id("id", text_only=True))
    assert read(of, {"id": "100"})[form.ID] == "100"
    with pytest.raises(Refused, match="is not a text"):
        read(of, {"id": 100})


def test_a_currency_that_may_lack_is_not_known_and_one_that_is_there_must_be_ours() -> None:
    """A win in a currency that nobody knows is not paid in the player's."""
    of = Form(form.currency("currency", may_lack=True))
    assert [read(of, said).currency for said in ({}, {"currency": ""}, {"currency": "EUR"})] == ["", "", "EUR"]
    with pytest.raises(Refused) as refused:
        read(of, {"currency": "NONE"})
    assert refused.value.reason is Reason.CURRENCY_MISMATCH
    with pytest.raises(Refused) as refused:
        read(Form(form.currency("currency", length_max=3)), {"currency": "NONE"})
    assert refused.value.flaw is Flaw.TOO_LONG


def test_an_amount_in_major_units_is_a_text_with_its_currencys_digits() -> None:
    """5 JPY is not 5.00; a call that names no currency is told what was said."""
    of = Form(form.currency("currency", may_lack=True), in_major("amount"))
    for said, code, amount in (("2.5", "EUR", "2.50"), (2.5, "EUR", "2.50"), ("150", "JPY", "150"), ("2.5", "", "2.5")):
        assert read(of, {"amount": said, "currency": code}).amount == Decimal(amount)
        told = replace(BET, act=Debit(amount=Decimal(amount)), currency=code)
        assert Form(in_major("amount")).write(told, CALL) == {"amount": amount}
    with pytest.raises(Refused) as refused:
        read(of, {"amount": "2.555", "currency": "EUR"})
    assert refused.value.field == "amount"
    adjusted = replace(BET, act=Adjust(amount=Decimal("-1.5")))
    assert Form(in_major("amount")).write(adjusted, CALL) == {"amount": "-1.50"}


def test_a_moment_may_be_a_text_and_is_in_seconds_only_where_a_page_has_such() -> None:
    """1970 is when no game was played: it is taken for seconds, but of a page that knows milliseconds alone."""
    text = Form(unix.moment("time", seconds=False, as_text=True))
    assert text.write(BET, CALL) == {"time": "1767225600123"}
    assert read(text, {"time": "1767225600123"}).occurred_at == BET.occurred_at
    for of, year in ((text, 1970), (Form(LINES["time"]), 2026)):
        assert getattr(read(of, {"time": 1767225600}).occurred_at, "year", None) == year


def test_a_row_for_each_code_is_said_for_all_its_reasons_and_heard_as_the_first() -> None:
    """A code without a reason, and one of doubt, is heard as neither yes nor no."""
    rows: dict[int, Row] = {
        0: ("ok",),
        7: ("bad", Reason.INVALID_REQUEST, Reason.CURRENCY_MISMATCH),
        9: ("who knows", Reason.UNSUPPORTED),
    }
    table = of_rows(rows, doubt=frozenset({9}), heard={3: Reason.LIMIT_EXCEEDED})
    assert [table.code(each) for each in (Reason.CURRENCY_MISMATCH, Reason.UNSUPPORTED, Reason.ROUND_CLOSED)] == [
        7,
        9,
        7,
    ]
    assert [table.reason(code) for code in (0, 3, 7, 9, 8)] == [
        None,
        Reason.LIMIT_EXCEEDED,
        Reason.INVALID_REQUEST,
        None,
        None,
    ]


def test_a_balance_in_whole_units_is_rounded_down_and_one_that_is_none_is_not_told() -> None:
    """0 would be shown to the player as all that he has."""
    thousandths = Scaled(3)

    def balance(said: Any) -> Decimal | None:
        return thousandths.heard(Fields(read_json(answer({"balance": said}).body)), "balance", "EUR", CALL.currencies)

    assert [balance(said) for said in (12345, "12345", -1)] == [Decimal("12.34"), Decimal("12.34"), Decimal("-0.01")]
    assert [balance(said) for said in (1.5, "x", None, [], 10**40)] == [None] * 5


def test_a_second_win_in_a_result_is_one_of_its_own() -> None:
    """Under the id of the first it would be a repeat of that, and never paid."""
    win = replace(BET, act=Credit(amount=Decimal(1)), request_id="r-1")

    def found(**said: Any) -> Transaction:
        return with_promo(win, Fields(said), CALL, {"campaign": "7"})

    for nothing in ({}, {"promoWinAmount": ""}, {"promoWinAmount": None}, {"promoWinAmount": "0"}):
        assert found(**nothing) == win
    batch = found(promoWinAmount="3.00", promoWinReference="t-2")
    assert isinstance(batch.act, Batch)
    assert (batch.id, batch.request_id, [each.id for each in batch.act.items]) == ("", "r-1", ["t-1", "t-2"])
    assert batch.act.items[1].act == Credit(amount=Decimal(3), type="promo")
    assert (batch.act.items[1].extra, batch.act.items[1].free_round_id) == ({"campaign": "7"}, "")
    for wrong in ({}, {"promoWinReference": ""}, {"promoWinReference": "t-1"}):
        with pytest.raises(Refused) as refused:
            found(promoWinAmount="3.00", **wrong)
        assert refused.value.field == "promoWinReference"


def test_an_amount_that_no_line_has_read_is_nobodys_zero() -> None:
    """A form without its amount is a mistake of its author's: it must not become a bet of 0."""
    with pytest.raises(AssertionError, match="no line"):
        _ = Draft({}).amount
    with pytest.raises(AssertionError, match="no line"):
        _ = Draft({}).won


# ---------------------------------------------------------------- the frame


def taken(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    return Accepted(balance=Decimal(fields.integer("balance")))


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (Response(body=b'{"balance":1}'), Accepted(balance=Decimal(1))),
        (Response(status=500, body=b'{"balance":1}'), Unknown(detail="HTTP 500")),
        (Response(status=201, body=b'{"balance":1}'), Unknown(detail="HTTP 201")),
        (Response(body=b"{}"), Unknown(detail="balance is missing")),
        (Response(body=b"[]"), Unknown(detail="the body is not a JSON object")),
    ],
)
def test_an_answer_that_nobody_can_read_is_doubt(response: Response, outcome: Outcome) -> None:
    """Never a no: a bet that was taken would be given back."""
    assert heard(response, taken, BET, CALL) == outcome


def test_other_statuses_and_other_bodies_are_heard_where_a_page_has_them() -> None:
    """A page may say its noes under 400, and a gateway may speak XML."""
    refused = Response(status=400, body=b"")
    assert heard(refused, taken, BET, CALL, statuses=(400,), of=lambda _: Fields({"balance": 2})) == Accepted(
        balance=Decimal(2)
    )


@pytest.mark.parametrize(
    ("named", "doubts"),
    [
        ({}, False),
        ({"player": "p-1", "currency": "EUR"}, False),
        ({"player": "p-2"}, True),
        ({"player": "P-1"}, True),
        ({"currency": "USD"}, True),
    ],
)
def test_a_yes_about_somebody_else_is_doubt(named: dict[str, str], doubts: bool) -> None:
    """What an answer does not name, it may be about; what it names must be what was asked."""
    assert (of_another(BET, **named) is not None) is doubts
    assert of_another(Transaction(act=Balance()), **named) is None


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (Debit(amount=Decimal(1), free_round=True), "a free debit"),
        (Debit(amount=Decimal(1), free_round=True, tracking_only=True), "a tracking-only debit"),
        (Credit(amount=Decimal(1), tracking_only=True), "a tracking-only credit"),
        (Rollback(reference="t-0", reference_kind=Kind.CREDIT), "a rollback of a credit"),
        (Settle(debit=Decimal(1), credit=Decimal(0)), "settle"),
    ],
)
def test_what_cannot_be_said_is_named_as_the_dialect_declares_it(act: Any, words: str) -> None:
    """The same words as those of `Dialect.unspoken`, which is asked before: a log has one word for one thing."""
    refused = unsaid(replace(BET, act=act))
    assert (refused.reason, refused.field) == (Reason.UNSUPPORTED, words)


def test_what_is_needed_is_missing_where_it_is_blank() -> None:
    """Zero is an amount, a blank is no id."""
    assert (needed("balance", Decimal(0)), amount_of(BET), fitting("id", "abc", 3)) == (
        Decimal(0),
        Decimal("2.50"),
        "abc",
    )
    for asks in (
        lambda: needed("id", ""),
        lambda: needed("id", None),
        lambda: fitting("id", "", 3),
        lambda: amount_of(replace(BET, act=Rollback(reference="t-0"))),
        lambda: unnamed_currency(replace(BET, currency=""), CALL),
    ):
        with pytest.raises(Missing):
            asks()
    with pytest.raises(Refused, match="more than 2 characters"):
        fitting("id", "abc", 2)


def test_a_wallet_is_told_no_other_currency_than_its_own() -> None:
    """Where no call names one it would take 5.00 USD for 5.00 EUR."""
    assert unnamed_currency(replace(BET, currency=""), replace(CALL, currency="EUR")) == "EUR"
    assert unnamed_currency(BET, CALL) == "EUR"
    in_its_currency(replace(BET, currency=""), CALL)
    for asks in (unnamed_currency, in_its_currency):
        with pytest.raises(Refused, match="USD to a wallet of EUR"):
            asks(replace(BET, currency="USD"), replace(CALL, currency="EUR"))


def test_an_answer_is_in_the_currency_that_it_says_or_that_was_asked_in() -> None:
    """Its own word goes first, then the call's, then that of the configuration."""
    euros = replace(CALL, currency="EUR")
    yen = replace(BET, currency="JPY")
    assert currency_of(Accepted(currency="USD"), yen, euros) == "USD"
    assert currency_of(Declined(reason=Reason.LIMIT_EXCEEDED), yen, euros) == "JPY"
    assert currency_of(Accepted(), None, euros) == "EUR"
    assert currency_of(Accepted(), None, CALL) == ""


@pytest.mark.parametrize(
    ("balance", "currency", "said"),
    [("97.50", "EUR", "97.5"), ("20", "EUR", "20"), ("1E+3", "JPY", "1000"), ("0.125", "EUR", "0.12"), ("0.125", "", "0.125")],
)  # fmt: skip
def test_a_balance_is_a_number_without_superfluous_zeros(balance: str, currency: str, said: str) -> None:
    """Rounded down where its currency is known, else as the wallet said it."""
    assert Major().number(Decimal(balance), currency, CALL.currencies) == Number(said)


def test_a_call_that_no_page_has_is_told_so() -> None:
    """Never a bet by default."""
    assert reader_of({"bet": 1}, CALL) == 1
    with pytest.raises(Refused) as refused:
        reader_of({"win": 1}, CALL)
    assert refused.value.flaw is Flaw.UNKNOWN_CALL


def test_what_a_line_leaves_out_is_no_value() -> None:
    """`UNSET` itself must not reach the wire."""
    assert Form(Line("a", write=lambda tx, call: UNSET), Line("b", write=lambda tx, call: "")).write(BET, CALL) == {
        "b": ""
    }
