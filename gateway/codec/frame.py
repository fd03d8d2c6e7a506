"""What the functions of every dialect have around what is theirs alone: a JSON request and its answer, what a wallet must
be told, which call it is, and the doubt that all is which nobody can read or which speaks of somebody else."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from msgspec.structs import replace

from gateway.call import Call
from gateway.codec.fields import Fields, write_json
from gateway.http import JSON_HEADERS, Request, Response
from gateway.model import (
    Accepted,
    Adjust,
    Credit,
    Debit,
    Declined,
    Flaw,
    Kind,
    Missing,
    Outcome,
    Reason,
    Refused,
    Rollback,
    Transaction,
    Unknown,
    of_another_currency,
    unsupported,
)

T = TypeVar("T")

# ---------------------------------------------------------------- requests


def reader_of(readers: Mapping[str, T], call: Call) -> T:
    """What reads this call. Raises `Refused` (unknown_call) where the dialect has none of that name."""
    reader = readers.get(call.name)
    if reader is None:
        raise Refused(Reason.INVALID_REQUEST, "no such call", flaw=Flaw.UNKNOWN_CALL)
    return reader


def post(path: str, fields: Mapping[str, Any]) -> Request:
    """A request in JSON."""
    return Request(method="POST", path=path, headers=JSON_HEADERS, body=write_json(fields))


def needed(what: str, value: T | None) -> T:
    """A value that cannot be left out. Raises `Missing` where it is not known."""
    if value is None or value == "":
        raise Missing(what)
    return value


def fitting(what: str, value: str, length_max: int) -> str:
    """The same of a text of which a wallet takes no more than `length_max` characters. Raises `unsupported`, too."""
    if len(needed(what, value)) > length_max:
        raise unsupported(f"a {what} of more than {length_max} characters")
    return value


def amount_of(tx: Transaction) -> Decimal:
    """What it moves. Raises `Missing` where it is all of what it names."""
    return needed("amount", tx.act.amount if isinstance(tx.act, Debit | Credit | Rollback | Adjust) else None)


def currency_out(tx: Transaction, call: Call) -> str:
    """The currency of a request: the movement's, else that of its wallet's configuration. Raises `Missing`."""
    return needed("currency", tx.currency or call.currency)


def unnamed_currency(tx: Transaction, call: Call) -> str:
    """The currency of an amount where no call names one: the wallet takes it in its session's. Raises `unsupported` for another
    than that of its configuration."""
    in_its_currency(tx, call)
    return currency_out(tx, call)


def in_its_currency(tx: Transaction, call: Call) -> None:
    """The same where an amount may be told without knowing its currency."""
    if tx.currency and call.currency not in ("", tx.currency):
        raise unsupported(f"{tx.currency} to a wallet of {call.currency}")


def unsaid(tx: Transaction) -> Refused:
    """That a dialect has no words for it: what `encode_request` raises where none of its calls can say it."""
    act = tx.act
    if isinstance(act, Rollback):
        return unsupported(f"a rollback of a {act.reference_kind.value}")
    if isinstance(act, Debit | Credit) and (act.tracking_only or act.free_round):
        return unsupported(f"a {'tracking-only' if act.tracking_only else 'free'} {tx.kind.value}")
    return unsupported(tx.kind.value)


# ---------------------------------------------------------------- answers


def currency_of(outcome: Accepted | Declined, tx: Transaction | None, call: Call) -> str:
    """The currency that an answer is in; blank where nobody knows it."""
    return outcome.currency or (tx.currency if tx is not None else "") or call.currency


def answer(fields: Mapping[str, Any], status: int = 200) -> Response:
    """An answer in JSON."""
    return Response(status=status, headers=JSON_HEADERS, body=write_json(fields))


def heard(
    response: Response,
    read: Callable[[Fields, Transaction, Call], Outcome],
    tx: Transaction,
    call: Call,
    *,
    of: Callable[[Response], Fields] = Fields.of,
    statuses: Container[int] = (200,),
) -> Outcome:
    """What an answer says, by `read`. One under another HTTP status, or one that cannot be read, is doubt."""
    if response.status not in statuses:
        return Unknown(detail=f"HTTP {response.status}")
    try:
        return read(of(response), tx, call)
    except Refused as refused:
        return Unknown(detail=refused.message)


def heard_currency(fields: Fields, name: str, tx: Transaction, call: Call) -> str:
    """The currency of an answer that need not name it: else it is the call's. Raises `Refused` where nobody knows it."""
    said = fields.text(name, "", length_max=16)
    return call.currencies.meant(said) if said else tx.currency or call.currency


def with_its_purse(yes: Accepted, tx: Transaction) -> Outcome:
    """A yes as it was heard: one that says no balance says no currency either, and to a balance call it is doubt."""
    if yes.balance is not None:
        return yes
    if tx.kind is Kind.BALANCE:
        return Unknown(detail="a balance call was answered without a balance")
    return replace(yes, currency="")


def of_another(tx: Transaction, *, player: str = "", currency: str = "") -> Declined | Unknown | None:
    """Where a yes names another player or currency than it was asked for, what that means; what either does not say is not
    compared."""
    if player and tx.player and player != tx.player:
        return Unknown(detail="accepted for another player")
    return of_another_currency(tx.act, tx.currency, currency)
