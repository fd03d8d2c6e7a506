"""Groove's requests, field by field: read at the provider's end, written at the wallet's."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from msgspec import UNSET

from gateway.codec import form
from gateway.codec.fields import Fields, write_query
from gateway.codec.form import Draft, Line
from gateway.codec.frame import amount_of, fitting, in_its_currency, unsaid
from gateway.codec.ids import told_id
from gateway.codec.units import Major, bounded, plain
from gateway.dialect import Call
from gateway.http import Request
from gateway.model import (
    Authenticate,
    Balance,
    Credit,
    Debit,
    Flaw,
    Kind,
    Reason,
    Refused,
    Rollback,
    Settle,
    Transaction,
    owes,
    reference_of,
    unsupported,
)

# ---------------------------------------------------------------- calls

BATCH = "WagerByBatch"  # the only POST; its layout is not known
UNDONE_BY = {Kind.DEBIT: "rollback", Kind.CREDIT: "reversewin", Kind.ROLLBACK: "rollbackrollback"}
REVERSALS = frozenset(UNDONE_BY.values())
OWED = REVERSALS | {"result", "jackpot"}  # not refused for what only describes it
UNOWED = frozenset({"getaccount", "getbalance", "wager", "wagerAndResult"})

# ---------------------------------------------------------------- ids

# A rollback carries the wager's transactionid, a jackpot may carry a result's: towards a wallet each has an id of its own.
# A result whose own id begins like one of ours has a word before it, too, so that no two ever meet.
JACKPOT, RESULT, REFUND, PART, REVERSE, RESTORE = (
    "jackpot:", "result:", "refund:", "refund=", "reversewin:", "rollbackrollback:",
)  # fmt: skip


def result_id(said: str) -> str:
    return RESULT + said if said.startswith((JACKPOT, RESULT)) else said


def refund_id(said: str, amount: Decimal | None) -> str:
    """A part of a wager is given back under the same transactionid as the next part: its amount tells them apart."""
    return REFUND + said if amount is None else f"{PART}{text_of(amount)}:{said}"


def also_named(tx: Transaction) -> tuple[str, ...]:
    """What the transactionid of a reversal may stand for, the likeliest first: as it is, or without the `re` that the page's
    own examples put behind it; a win may be a jackpot, a refund one of a part."""
    act = tx.act
    if not isinstance(act, Rollback):
        return ()
    match act.reference_kind:
        case Kind.CREDIT:
            ids = _with_and_without_re(tx.id.removeprefix(REVERSE))
            return tuple(name for id in ids for name in (result_id(id), JACKPOT + id))
        case Kind.ROLLBACK:
            ids = _with_and_without_re(tx.id.removeprefix(RESTORE))
            parts = [refund_id(id, act.amount) for id in ids if act.amount is not None]
            return (*parts, *(REFUND + id for id in ids))
        case _:
            ids = _with_and_without_re(act.reference)
            return ids if len(ids) > 1 else ()


def _with_and_without_re(id: str) -> tuple[str, ...]:
    return (id, id.removesuffix("re")) if id.endswith("re") and len(id) > len("re") else (id,)


# ---------------------------------------------------------------- money

UNIT = Major()
_AMOUNT = re.compile(r"[0-9]{1,22}(\.[0-9]{1,10})?")  # Decimal(32,10), main units; no sign, no exponent, never a float
DIGITS_MAX = 10


def read_amount(fields: Fields, name: str) -> Decimal:
    """Exact. No call names a currency: whether it has such an amount is checked once it is known."""
    text = fields.text(name)
    if not _AMOUNT.fullmatch(text):
        raise fields.wrong(name, Flaw.INVALID, "is no decimal text such as 2.50")
    return bounded(Decimal(text), name)


def text_of(amount: Decimal) -> str:
    return f"{plain(amount):f}"


def amount_text(amount: Decimal, tx: Transaction, call: Call) -> str:
    """The wallet takes it in its player's own currency, which no call names."""
    in_its_currency(tx, call)
    text = text_of(UNIT.write(amount, tx.currency, call.currencies) if tx.currency else amount)
    if not _AMOUNT.fullmatch(text):
        raise unsupported(f"an amount of more than {DIGITS_MAX} digits behind the point")
    return text


# ---------------------------------------------------------------- the calls, field by field

OLD_GAME = "nogsgameid"  # an older edition's name of gameid
SESSION_MAX, PLAYER_MAX, GAME_MAX, ID_MAX = 64, 60, 100, 255
VERSION = "1.2"  # what we say, and answer to who says none
DEVICES = ("desktop", "mobile")
CLOSED = {"completed": True, "pending": False}  # gamestatus -> whether the round is over
NOTHING = ("", "null")  # how a field is written that is none
FREE = "0"  # betamount of a free round


def _device(tx: Transaction, call: Call) -> str:
    return tx.channel if tx.channel in DEVICES else DEVICES[0]


def _read_game(fields: Fields, draft: Draft, call: Call) -> None:
    name = "gameid" if fields.raw.get("gameid") or not fields.raw.get(OLD_GAME) else OLD_GAME
    read_id = fields.id if call.name in ("wager", "wagerAndResult") else fields.id_if_any
    draft[form.GAME] = read_id(name, length_max=GAME_MAX)


def _game(tx: Transaction, call: Call) -> str:
    """Of what is owed it only describes: it is cut where a wager of it was refused."""
    return fitting("game", tx.game_id[:GAME_MAX] if owes(tx.act) else tx.game_id, GAME_MAX)


def _named(tx: Transaction) -> str:
    """What an undoing names: a wager, a win or, of a rollback, the wager that it gave back."""
    assert isinstance(tx.act, Rollback)
    again = tx.act.reference_kind is Kind.ROLLBACK
    return fitting("beyond" if again else "reference", tx.act.beyond if again else tx.act.reference, ID_MAX)


def _round(tx: Transaction, call: Call) -> str:
    """A movement of no round is one by itself, and what undoes it, or the win of it, names the same."""
    alone = _named(tx) if isinstance(tx.act, Rollback) else reference_of(tx.act)
    return fitting("round", tx.round_id or alone or tx.id, ID_MAX)


def _id(tx: Transaction, call: Call) -> str:
    match tx.act:
        case Rollback(reference_kind=Kind.CREDIT):
            said = told_id(told_id(_named(tx), JACKPOT), RESULT)
        case Rollback():
            said = _named(tx)
        case Credit(type=type_):
            said = told_id(tx.id, JACKPOT if type_ == "jackpot" else RESULT)
        case _:
            said = tx.id
    return fitting("id", said, ID_MAX)


def _read_amount(name: str) -> form.Read:
    def read(fields: Fields, draft: Draft, call: Call) -> None:
        draft.amount_if_any = read_amount(fields, name)

    return read


def _amount(tx: Transaction, call: Call) -> str:
    return amount_text(amount_of(tx), tx, call)


def _stake(tx: Transaction, call: Call) -> str:
    """Of a free one nothing is taken, and only its campaign tells that it is free."""
    act = tx.act
    assert isinstance(act, Debit | Settle)
    if act.free_round and not tx.free_round_id:
        raise unsupported("a free debit without a campaign")
    return FREE if act.free_round else amount_text(act.debit if isinstance(act, Settle) else act.amount, tx, call)


def _read_campaign(fields: Fields, draft: Draft, call: Call) -> None:
    """Of a wager it decides whether a stake is taken, so it is read strictly. "Then betamount is 0": of a free round with a
    stake nobody knows which of the two is wrong."""
    won = call.name == "result"
    found = fields.id_if_any("frbid", length_max=ID_MAX) if won else fields.id("frbid", "", length_max=ID_MAX)
    draft[form.FREE_ROUND] = "" if found in NOTHING else found
    if draft[form.FREE_ROUND] and draft.amount_if_any:
        raise fields.wrong("betamount", Flaw.INVALID, "is not 0 in a free round")


def _campaign(tx: Transaction, call: Call) -> Any:
    """A paid one never carries one."""
    assert isinstance(tx.act, Debit | Credit | Settle)
    said = tx.free_round_id if isinstance(tx.act, Credit) else tx.free_round_id[:ID_MAX]
    return (said if tx.act.free_round else "") or UNSET


def _read_won(fields: Fields, draft: Draft, call: Call) -> None:
    draft.won_if_any = read_amount(fields, "result")


def _won(tx: Transaction, call: Call) -> str:
    return amount_text(tx.act.credit, tx, call) if isinstance(tx.act, Settle) else _amount(tx, call)


def _read_status(fields: Fields, draft: Draft, call: Call) -> None:
    found = fields.raw.get("gamestatus")
    draft.closed = CLOSED.get(found) if isinstance(found, str) else None


def _status(tx: Transaction, call: Call) -> str:
    return "completed" if tx.round is not None and tx.round.closed else "pending"


def _read_part(fields: Fields, draft: Draft, call: Call) -> None:
    """ "Optional, may be null". A rollback of nothing is none: 0 says as little as null."""
    if str(fields.value("rollbackamount", "")).strip() not in NOTHING:
        draft.amount_if_any = read_amount(fields, "rollbackamount") or None


def _part(tx: Transaction, call: Call) -> Any:
    if isinstance(tx.act, Rollback) and tx.act.amount is None and tx.act.reference_kind is Kind.DEBIT:
        return UNSET
    if not amount_of(tx):
        raise unsupported("a rollback of nothing")  # 0 is read as all of it
    return _amount(tx, call)


SESSION = form.SESSION.described("gamesessionid", length_max=SESSION_MAX, strict_in=UNOWED)
HEAD = (  # in the order of the card's examples
    Line("request"), form.fitted(form.PLAYER.id("accountid", length_max=PLAYER_MAX), "player", PLAYER_MAX),
    form.fitted(SESSION, "session", SESSION_MAX),
    Line("device", form.CHANNEL.words("device", length_max=64).read, _device),
    Line("apiversion", write=lambda tx, call: VERSION), Line(OLD_GAME),
)  # fmt: skip
GAME = Line("gameid", _read_game, _game)
PLAY = (*HEAD, GAME, Line("roundid", form.ROUND.id("roundid", length_max=ID_MAX).read, _round))
OWED_PLAY = (*HEAD, GAME, Line("roundid", form.ROUND.id_if_any("roundid", length_max=ID_MAX).read, _round))
CAMPAIGN, STATUS = Line("frbid", _read_campaign, _campaign), Line("gamestatus", _read_status, _status)
STAKE, WON = (Line("betamount", _read_amount("betamount"), _stake), CAMPAIGN), (Line("result", _read_won, _won), STATUS)
AMOUNT = Line("amount", _read_amount("amount"), _amount)
ID = Line("transactionid", form.ID.id("transactionid", length_max=ID_MAX).read, _id)
FORMS = form.of_page(
    {
        "getaccount": (*HEAD, Line("gameid", _read_game)),
        "getbalance": (*HEAD, Line("gameid", _read_game, lambda tx, call: tx.game_id or UNSET)),
        "wager": (*PLAY, *STAKE, ID),
        "result": (*PLAY, *WON, CAMPAIGN, ID),
        "wagerAndResult": (*PLAY, *STAKE, *WON, ID),
        "jackpot": (*OWED_PLAY, AMOUNT, STATUS, ID),
        "rollback": (*OWED_PLAY, Line("rollbackamount", _read_part, _part), ID),
        "reversewin": (*OWED_PLAY, AMOUNT, ID),
        "rollbackrollback": (*OWED_PLAY, Line("rollbackAmount", _read_part, _part), ID),
    }
)
SPELLED = {name.lower(): name.lower() for name in FORMS["wager"].names}  # in any case: `rollbackAmount`, `frbId`

# ---------------------------------------------------------------- provider's end


def decode_request(request: Request, call: Call) -> Transaction:
    fields = Fields.of_query(request, SPELLED)
    if call.name == BATCH:
        raise Refused(
            Reason.UNSUPPORTED, f"the layout of {BATCH} is not known", field="request", flaw=Flaw.UNKNOWN_CALL
        )
    if call.name not in FORMS:
        raise fields.wrong("request", Flaw.UNKNOWN_CALL, "is no call of this dialect")
    said = FORMS[call.name].read(fields, call)
    id, free = said[form.ID], bool(said[form.FREE_ROUND])
    match call.name:
        case "getaccount":
            return said.transaction(Authenticate())
        case "getbalance":
            return said.transaction(Balance())
        case "wager":
            return said.transaction(Debit(amount=said.amount, free_round=free))
        case "wagerAndResult":
            return said.transaction(Settle(debit=said.amount, credit=said.won, free_round=free))
        case "result":
            said[form.ID] = result_id(id)
            return said.transaction(Credit(amount=said.won, free_round=free))
        case "jackpot":
            said[form.ID], said.closed = JACKPOT + id, said.closed if said[form.ROUND] else None
            return said.transaction(Credit(amount=said.amount, type="jackpot"))
        case "rollback":  # it carries the wager's transactionid; without an amount, or with 0, all of it is meant
            said[form.ID] = refund_id(id, said.amount_if_any)
            return said.transaction(Rollback(reference=id, amount=said.amount_if_any))
        case "reversewin":  # the amount only proves that the win is the one that was meant
            said[form.ID] = REVERSE + id
            undone = Rollback(reference=result_id(id), reference_kind=Kind.CREDIT, amount=said.amount)
            return said.transaction(undone)
        case _:
            said[form.ID], part = RESTORE + id, said.amount_if_any
            undone = Rollback(reference=REFUND + id, reference_kind=Kind.ROLLBACK, amount=part, beyond=id)
            return said.transaction(undone)


# ---------------------------------------------------------------- wallet's end


def encode_request(tx: Transaction, call: Call) -> Request:
    """A wager that was one with its result stays; a rollback is known by the wager that it gave back."""
    name = call_of(tx)
    return Request(method="GET", path="/", query=write_query({"request": name} | FORMS[name].write(tx, call)))


def call_of(tx: Transaction) -> str:
    """Raises `unsupported` where no call says it."""
    match tx.act:
        case Authenticate():
            return "getaccount"
        case Balance():
            return "getbalance"
        case Debit(tracking_only=False):
            return "wager"
        case Credit(tracking_only=False, type=type_):
            return "jackpot" if type_ == "jackpot" else "result"
        case Settle():
            return "wagerAndResult"
        case Rollback(reference_kind=kind) if kind in UNDONE_BY:
            return UNDONE_BY[kind]
        case _:
            raise unsaid(tx)
