"""Slotegrator's `rollback`: the one call that holds a list, in a form with brackets. Each element takes one movement back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from gateway.codec.fields import Fields
from gateway.codec.frame import needed
from gateway.codec.units import Major, plain
from gateway.dialect import Call
from gateway.model import (
    Accepted,
    Batch,
    Declined,
    Flaw,
    Kind,
    Outcome,
    Reason,
    Refused,
    Rollback,
    Transaction,
    unsupported,
)

UNIT = Major()  # "2.5" is 2.50 EUR
LIST = "rollback_transactions"

# An element's action -> the kind of movement that it takes back, and the reverse
UNDONE: Mapping[str, Kind] = {"bet": Kind.DEBIT, "win": Kind.CREDIT, "refund": Kind.ROLLBACK}
ACTION_OF: Mapping[Kind, str] = {kind: action for action, kind in UNDONE.items()}

# What a refund, or an element of a rollback, finds where there is nothing to give back (any more)
GONE = frozenset({Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK})


def read_amount(fields: Fields, currency: str, call: Call) -> Decimal:
    amount, _ = fields.decimal("amount")
    return UNIT.read(amount, currency, call.currencies, "amount", number=False)


def amount_text(amount: Decimal, currency: str, call: Call) -> str:
    return f"{plain(UNIT.write(amount, currency, call.currencies)):f}"


# ---------------------------------------------------------------- ids


def apart(id: str) -> str:
    """Each half of an element's id (`<rollback>:<reference>`): no colon inside, so none is another."""
    return id.replace("%", "%25").replace(":", "%3A")


def of_refund(id: str) -> str:
    """A refund's id: both are rollbacks to a wallet that takes ids as they are (rule 3), and an element's has one colon."""
    return apart(id) if "%" in id or id.count(":") == 1 else id


def said_by_refund(id: str) -> str:
    """The reverse: as the wire said it."""
    return id.replace("%3A", ":").replace("%25", "%")


# ---------------------------------------------------------------- provider's end


def read(head: Transaction, form: Mapping[str, str | bytes], call: Call) -> Transaction:
    """Not atomic. What was refunded is taken back before its bet is given back, whatever the order of the list.

    *Of a refunded bet the list said bet, then refund: the bet was given back already, and then the refund was taken.*
    """
    items: dict[str, Transaction] = {}
    for element in _elements(form):
        item = _item(element, head, call)
        twin = items.get(item.id)
        if twin is not None and _kind_meant(twin) is not _kind_meant(item):  # a bet and a win of one id
            item = replace(item, id=f"{item.id}%{element.raw['action']}")
            twin = items.get(item.id)
        if twin is not None and twin != item:
            raise element.wrong("amount", Flaw.INVALID, "is another one than before, of one transaction")
        items[item.id] = item
    if not items:
        return head  # a read: an empty list is no field at all in a form
    ordered = sorted(items.values(), key=lambda item: _kind_meant(item) is not Kind.ROLLBACK)
    return replace(head, act=Batch(items=tuple(ordered)))


_ELEMENT = re.compile(rf"{LIST}\[(0|[1-9][0-9]{{0,4}})\]\[([a-z_]{{1,64}})\](.*)", re.DOTALL)


def _elements(form: Mapping[str, str | bytes]) -> list[Fields]:
    """The elements in the order of their indices. The only form is the one with brackets, each index written out."""
    found: dict[int, dict[str, str | bytes]] = {}
    for name, value in form.items():
        if not name.startswith((f"{LIST}[", f"{LIST}.")) and (name != LIST or not value.strip()):
            continue
        said = _ELEMENT.fullmatch(name)
        if said is None:
            raise Fields({}).wrong(LIST, Flaw.INVALID, f"is not written as {LIST}[0][...]")
        if not said[3]:  # what lies deeper is no field that we know
            found.setdefault(int(said[1]), {})[said[2]] = value
    return [Fields(found[index], f"{LIST}[{index}].") for index in sorted(found)]


def _item(element: Fields, head: Transaction, call: Call) -> Transaction:
    kind, said = element.choice("action", UNDONE), element.id("transaction_id")
    act = Rollback(
        reference=of_refund(said) if kind is Kind.ROLLBACK else said,
        reference_kind=kind,
        amount=read_amount(element, head.currency, call),
    )
    # The rest is the batch's.
    return Transaction(act=act, id=f"{apart(head.id)}:{apart(said)}", player=head.player, currency=head.currency)


def _kind_meant(item: Transaction) -> Kind:
    assert isinstance(item.act, Rollback)
    return item.act.reference_kind


def told(outcome: Accepted) -> Outcome:
    """Elements that nobody knows are left out; where nothing was reversed and one was refused, its reason is told."""
    refused = [item for item in outcome.items if isinstance(item, Declined) and item.reason not in GONE]
    return refused[0] if refused and not any(map(_is_reversed, outcome.items)) else outcome


def _is_reversed(item: Outcome) -> bool:
    """By this rollback, or by another one before it."""
    return isinstance(item, Accepted) or (isinstance(item, Declined) and item.reason is Reason.ALREADY_ROLLED_BACK)


def reversed_ids(outcome: Accepted, tx: Transaction) -> list[str]:
    """The movements that are taken back by now, as the wire said them."""
    items = tx.act.items if isinstance(tx.act, Batch) else ()
    done = [item for item, each in zip(items, outcome.items, strict=False) if _is_reversed(each)]
    return [*dict.fromkeys(map(_reference, done))]


def _reference(item: Transaction) -> str:
    assert isinstance(item.act, Rollback)
    reference = item.act.reference
    return said_by_refund(reference) if item.act.reference_kind is Kind.ROLLBACK else reference


# ---------------------------------------------------------------- wallet's end


def elements(tx: Transaction, call: Call) -> list[dict[str, str]]:
    """One for each item, or for the rollback itself; its id is the wallet's to make."""
    items = tx.act.items if isinstance(tx.act, Batch) else (tx,)
    return [_element(item, item.currency or tx.currency, call) for item in items]


def _element(item: Transaction, currency: str, call: Call) -> dict[str, str]:
    act = item.act
    if not isinstance(act, Rollback):
        raise unsupported(f"a {item.kind.value} in a list")
    action = ACTION_OF.get(act.reference_kind)
    if action is None:
        raise unsupported(f"a rollback of a {act.reference_kind.value}")
    return {
        "action": action,
        "amount": amount_text(needed("amount", act.amount), currency, call),
        "transaction_id": needed("reference", act.reference),
        "type": "win" if action == "win" else "bet",
    }


def bracketed(fields: Mapping[str, Any]) -> dict[str, str]:
    """The fields of a form, those of a list's elements with their index."""
    said: dict[str, str] = {}
    for name, value in fields.items():
        if isinstance(value, list):
            said |= {f"{name}[{at}][{inner}]": text for at, each in enumerate(value) for inner, text in each.items()}
        else:
            said[name] = value
    return said


def heard_element(fields: Fields, item: Transaction, yes: Accepted) -> Outcome:
    """An element that is not in the answered list was not known, and moved nothing."""
    done = fields.value(LIST)
    if not isinstance(done, list):
        raise Refused(Reason.INVALID_REQUEST, f"{LIST} is no list")
    reference = item.act.reference if isinstance(item.act, Rollback) else ""
    if reference in map(str, done):
        return yes
    return not_known(yes)


def not_known(yes: Accepted) -> Declined:
    return Declined(reason=Reason.TRANSACTION_NOT_FOUND, balance=yes.balance, currency=yes.currency)
