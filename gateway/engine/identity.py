"""Who is who: the key of a movement, what makes two the same, and what a wallet is told as id.

SEMANTICS.md 1 to 3.
"""

from __future__ import annotations

import hashlib
import re
from decimal import Decimal
from urllib.parse import quote

from gateway.dialect import Dialect
from gateway.model import Adjust, Capture, Credit, Debit, Kind, Release, Reserve, Rollback, Settle, Transaction

PLAIN = re.compile(r"[A-Za-z0-9_.~:-]*")  # what percent-encoding leaves as it is


def key_of(dialect: Dialect, provider_id: str, space: str, tx: Transaction) -> str:
    """`provider/space/id`, each part percent-encoded, with the player or round where the scope says so."""
    parts = [provider_id, space, tx.id]
    if dialect.scope == "player":
        parts.append(tx.player)
    elif dialect.scope == "round":
        parts.append(tx.round_id)
    return "/".join([part if PLAIN.fullmatch(part) else quote(part, safe=":") for part in parts])


def space_of(dialect: Dialect, kind: Kind) -> str:
    """The key space in which this dialect's movements of `kind` live."""
    for wire in dialect.calls:
        if kind in wire.kinds:
            return dialect.space(wire.name, kind)
    return kind.value


def fingerprint(tx: Transaction) -> str:
    """The content that makes a repeat the same movement, as the wire said it (rule 2).

    The player is compared beside it (`same_player`), because a session may stand for it.
    """
    act = tx.act
    reference = getattr(act, "reference", "")
    return "\x1f".join((tx.kind.value, tx.currency, _amounts(tx), reference, tx.round_id))


def same_player(one: str, other: str) -> bool:
    """A player nobody could name (a session that is gone) contradicts nobody."""
    return one == other or not one or not other


def _amounts(tx: Transaction) -> str:
    match tx.act:
        case Settle(debit=debit, credit=credit):
            return f"{_number(debit)}:{_number(credit)}"
        case (
            Debit(amount=amount)
            | Credit(amount=amount)
            | Adjust(amount=amount)
            | Reserve(amount=amount)
            | Rollback(amount=amount)
            | Capture(amount=amount)
        ):
            return "" if amount is None else _number(amount)
        case Release():
            return ""
        case _:
            return ""


def _number(amount: Decimal) -> str:
    """12.5, 12.50 and 1250e-2 are one amount."""
    return f"{amount.normalize():f}"


def alias(dialect: Dialect, as_is: bool, provider_id: str, space: str, id: str) -> str:
    """What a wallet of this dialect is told as id: injective, and stable for ever.

    Readable where it fits: `acme-kyren:debit:ky-1`. A provider's id and a key space hold no
    colon, so two movements never share it; what is too long is told as a digest of it, behind a
    sign that no provider's id begins with.
    """
    if as_is or not id:
        return id
    plain = f"{provider_id}:{space}:{id}"
    if len(plain) <= dialect.ids.length_max:
        return plain
    return "~" + hashlib.sha256(plain.encode()).hexdigest()


def own_id(key: str) -> str:
    """The journal's own id of a movement, for a provider that wants one where the wallet gave none."""
    return "gw-" + hashlib.sha256(key.encode()).hexdigest()[:24]
