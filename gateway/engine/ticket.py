"""A movement that is about to be opened: whose it is and where it would go."""

from __future__ import annotations

from msgspec import Struct

from gateway.engine.complete import Completed
from gateway.engine.errand import Errand
from gateway.engine.plan import Way
from gateway.engine.world import Handle
from gateway.model import Outcome


class Ticket(Struct, frozen=True, kw_only=True):
    """What is known of a movement before the journal is asked."""

    errand: Errand
    way: Way | None  # None: no route
    done: Completed
    space: str
    content: str  # fingerprint, by what the wire said
    key: str
    parent: str = ""  # the movement that this one is a part of
    target: str = ""  # the key of the movement meant, where it is known beforehand
    alone: bool = False  # the gateway's own rollback (12)
    in_batch: bool = False  # its provider asks for it as an item
    refusable: bool = False
    id_space: str = ""  # where the alias lives, if not in `space`


class Flight(Struct, frozen=True):
    """A movement that this process carries just now."""

    handle: Handle[Outcome]
    content: str
    player: str
