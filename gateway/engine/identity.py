"""Who is who: the key of a movement, what makes two the same, and what a wallet is told as id.

rules 1 to 3.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from decimal import Decimal
from urllib.parse import quote

from gateway.dialect import Dialect
from gateway.ends import AsProvider
from gateway.model import ID_LENGTH_MAX, Kind, Transaction, amounts, reference_of

AS_EVERYWHERE = AsProvider()
PLAIN = re.compile(r"[A-Za-z0-9_.~:-]*")  # what percent-encoding leaves as it is


def key_of(dialect: Dialect, provider_id: str, space: str, tx: Transaction) -> str:
    """`provider/space/id`, each part percent-encoded, with the player or round where the scope says so."""
    parts = [provider_id, space, tx.id]
    if dialect.as_provider.scope == "player":
        parts.append(tx.player)
    elif dialect.as_provider.scope == "round":
        parts.append(tx.round_id)
    return "/".join([part if PLAIN.fullmatch(part) else quote(part, safe=":") for part in parts])


def space_of(dialect: Dialect, kind: Kind) -> str:
    """The key space in which this dialect's movements of `kind` live."""
    for wire in dialect.calls:
        if kind in wire.kinds:
            return dialect.as_provider.space(wire.name, kind)
    return kind.value


def kinds_beside(dialect: Dialect, kind: Kind) -> tuple[Kind, ...]:
    """All kinds of movements that live in the key space of `kind`."""
    space, said = space_of(dialect, kind), dialect.as_provider.space
    kinds = [each for wire in dialect.calls for each in wire.kinds if said(wire.name, each) == space]
    return tuple(dict.fromkeys(kinds)) or (kind,)


def fingerprint(tx: Transaction, dialect: Dialect | None = None) -> str:
    """The content that makes a repeat the same movement, as the wire said it (rule 2), with what the provider's
    page compares besides, and without the round where that leaves it out.

    The player is compared beside it (`same_player`), because a session may stand for it.
    """
    said = ":".join("" if amount is None else _number(amount) for amount in amounts(tx.act))
    page = AS_EVERYWHERE if dialect is None else dialect.as_provider
    in_round = tx.round_id if page.rounds_compared else ""
    return "\x1f".join((tx.kind.value, tx.currency, said, reference_of(tx.act), in_round, *page.content(tx)))


def names_none(fingerprint: str) -> bool:
    """Whether the wire named no other movement, whatever was found out since."""
    said = fingerprint.split("\x1f")
    return len(said) > 3 and not said[3]


def said_currency(fingerprint: str) -> str:
    """The currency that the wire named; blank: none."""
    return fingerprint.split("\x1f")[1]


def same_player(one: str, other: str) -> bool:
    """A player nobody could name (a session that is gone) contradicts nobody."""
    return one == other or not one or not other


def _number(amount: Decimal) -> str:
    """12.5, 12.50 and 1250e-2 are one amount."""
    return f"{amount.normalize():f}"


def alias(
    dialect: Dialect, wallet: Dialect, as_is: bool, provider_id: str, space: str, tx: Transaction, *, made: bool = False,
    turn: int = 0,
) -> str:  # fmt: skip
    """What a wallet is told as id: injective, and stable for ever (rule 3).

    Readable where it fits: `acme-kyren:debit:ky-1`, with the player or the round behind it where the
    provider's ids are unique only with them. A provider's id and a key space hold no colon, so two
    movements never share it; what is too long, or where the wallet takes no text, is told as a digest of it, in a
    form that is never told as it is (`gateway/ids.py`). So is what no provider named (`made`: the gateway's own, a part)
    at a wallet that takes ids as they are: a provider's own may look like any that we could spell.

    `turn`: the next ones, for a movement whose first is another's already, where a domain is so small that this happens.
    """
    if not tx.id or (as_is and not made and wallet.as_wallet.ids.keeps(tx.id)):
        return tx.id
    plain = f"{provider_id}:{space}:{tx.id}"
    if dialect.as_provider.scope != "provider":  # one of them holds a colon perhaps: lengths keep it injective
        scope = tx.player if dialect.as_provider.scope == "player" else tx.round_id
        plain = f"{provider_id}:{space}:{len(tx.id)}:{tx.id}:{scope}"
    return wallet.as_wallet.ids.made(f"{turn}\x00{plain}" if turn else plain, bare=not as_is)


def own_id(key: str) -> str:
    """The journal's own id of a movement, for a provider that wants one where the wallet gave none."""
    return "gw-" + hashlib.sha256(key.encode()).hexdigest()[:24]


def cancel_id_of(player: str, currency: str, reference: str) -> str:
    """That of a further cancel whose id is made of what it names, which nobody here knows (rule 15): injective, and none that
    `cancel_id` makes."""
    plain = f"refund={quote(player, safe='')},{quote(currency, safe='')}:{reference}"
    return plain if len(plain) <= ID_LENGTH_MAX else "refund=" + hashlib.sha256(plain.encode()).hexdigest()


def own_rollback_id(space: str, id: str) -> str:
    """The id of the gateway's own rollback of a movement: one for each key space and id (rule 12)."""
    plain = f"gw:{space}:{id}"
    return plain if len(plain) <= ID_LENGTH_MAX else "gw:" + hashlib.sha256(plain.encode()).hexdigest()


def batch_id(keys: Sequence[str]) -> str:
    """What makes the items of one batch siblings: a batch has no key of its own (rule 19)."""
    return hashlib.sha256("\x1f".join(sorted(keys)).encode()).hexdigest()[:24]
