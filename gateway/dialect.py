"""A dialect: one value that names everything a protocol is.

Four pure functions between HTTP values and the canonical transaction, the signature, the calls,
typed settings. No I/O, no time, no chance: what a pure function may not fetch stands in `Call`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from gateway.auth.keys import Key
from gateway.auth.scheme import Auth
from gateway.call import Call as Call  # dialects take them from here
from gateway.call import NoSettings as NoSettings
from gateway.ends import AsProvider, AsWallet
from gateway.http import Request, Response
from gateway.model import Kind, Outcome, Refused, Transaction, Unknown


class NoCall(Exception):
    """No call of this dialect has this path (404), or not with this method (405, `allow`); or it asks for nothing of
    anybody's: whoever it is hears `answer`, a sign of life that its page wants."""

    def __init__(self, allow: Sequence[str] = (), *, answer: Response | None = None) -> None:
        super().__init__("it asks for nothing" if answer else "method not allowed" if allow else "no such call")
        self.allow, self.answer = tuple(allow), answer


class Wire(Struct, frozen=True, kw_only=True):
    """One documented call: its name on the page, where it is posted, what it can mean."""

    name: str
    method: str
    path: str  # for people and the generated matrix; `route` decides
    kinds: tuple[Kind, ...]


class Dialect(Struct, frozen=True, kw_only=True):
    """Everything a protocol is: what both ends share, and what it is at each (`gateway.ends`)."""

    name: str
    title: str  # one line for people
    calls: tuple[Wire, ...]
    auth: Auth
    route: Callable[[Request, Any], str]
    """(request, settings) -> name of the wire call. Raises `NoCall`."""
    decode_request: Callable[[Request, Call], Transaction]
    encode_response: Callable[[Outcome, Transaction | None, Call], Response]
    """`tx` is None where the request could not be read (then `call.name` may be blank, too). Raises `Missing` for what the
    answer needs; what it can do without it leaves out where `call.unknown` names it."""
    encode_request: Callable[[Transaction, Call], Request]
    """Raises `Missing` (say it and I can) or `unsupported` (I have no words for it)."""
    decode_response: Callable[[Response, Transaction, Call], Outcome]
    settings: type[Struct] = NoSettings
    as_provider: AsProvider = AsProvider()
    as_wallet: AsWallet = AsWallet()
    round_refunds: bool = True
    """Whether a rollback of scope `round` may mean every bet of its round. Not native: there it is a
    word for the record, and exactly the movement named is meant."""
    by_stake: bool = False
    """A cancel names no bet on this wire, only a round and an amount (Vivo). Provider's end: it means the newest open bet of
    its player that has them; where there is none, nothing moves, and the next such bet is declined (rule 16). Wallet's end: it
    is told only of a bet that the journal knows, and not while another open one of that round and amount is to stay."""
    decides: frozenset[str] = frozenset()
    """Fields (`promo.campaignCode`) that decide about money though no two of its vectors show it: no descriptions, which a
    win and a rollback would do without (`gateway laws`)."""
    digits: int | None = None
    """How many digits every amount has on its wire, whatever the currency; a currency with others is refused at load.
    None: each has its own."""
    hides: frozenset[str] = frozenset()
    """Names of headers and fields that hold a secret or a session, beside the usual ones: never
    shown by `sign`, `translate` or a log."""

    @property
    def speaks(self) -> frozenset[Kind]:
        return frozenset(kind for wire in self.calls for kind in wire.kinds)

    def answer(self, outcome: Outcome, tx: Transaction | None, call: Call, keys: Sequence[Key]) -> Response:
        """What is answered, with its proof where answers have one. Raises as `encode_response`."""
        response = self.encode_response(outcome, tx, call)
        return self.auth.seal(response, keys, call.settings) if self.auth.seals else response

    def hear(self, response: Response, tx: Transaction, call: Call, keys: Sequence[Key]) -> Outcome:
        """What an answer to `call.request` says: one whose proof does not hold is nobody's, so doubt."""
        outcome = self.decode_response(response, tx, call)
        if self.auth.seals and call.request is not None and not isinstance(outcome, Unknown):
            try:
                self.auth.check(response, call.request, keys, call.settings)
            except Refused as refused:
                return Unknown(detail=f"the answer is not proved: {refused.message}")
        return outcome


def posts(paths: Mapping[str, str]) -> Callable[[Request, Any], str]:
    """A `route` for a dialect whose calls are all `POST <path>`: path -> name of the call."""
    return table({path: {"POST": name} for path, name in paths.items()})


def table(paths: Mapping[str, Mapping[str, str]]) -> Callable[[Request, Any], str]:
    """A `route` for fixed paths: path -> {method: name of the call}. A trailing slash is ignored."""

    def route(request: Request, settings: Any) -> str:
        methods = paths.get(request.path.rstrip("/") or "/")
        if methods is None:
            raise NoCall
        name = methods.get(request.method)
        if name is None:
            raise NoCall(tuple(methods))
        return name

    return route
