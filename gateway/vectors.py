"""Vectors: one exchange in one text file, and the laws that every dialect obeys on it.

    source: netgaming, Debit [seed]             where it comes from (adapters/README.md); always there
    currency: USD                               optional: the integration's currency
    settings: {"wire_scale": "iso4217"}         optional: the dialect's settings, JSON
    direction: in                               `both` (default), `in`: provider's end only, `out`: wallet's end only
    verify_only: yes                            the signature is not ours to make
    now: 2026-01-01T00:00:00Z                   this is the default
    nonce: 6b1f0d5e-3f0b-4a53-9a51-0e2f4f3b7a10 the id that the house makes, where one is needed
    keys: {"secret": "x"}                       optional: instead of the dialect's demo keys
    prefix: /acme                               optional: what stands before the dialect's own path, for proofs that cover it

    == request
    POST /debit?a=b
    content-type: application/json

    {"token": "sess-51c0"}
    == transaction                              native JSON (the canonical meaning), of a rollback also `reference_type`;
                                                missing: the request is refused
    {"kind": "debit"}
    == outcome                                  native JSON; for a refusal also `field` and `flaw`, for a list `meant`
    {"outcome": "accepted"}
    == heard                                    optional: what the other end makes of the answer
    {"outcome": "unknown"}
    == response
    HTTP 200
    content-type: application/json

    {"status": 1}

A line that begins with `#` before the first section is a comment. Bodies are compared as JSON
with the exact text of numbers, the order of keys aside; anything else byte for byte.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from gateway.auth.keys import Key
from gateway.codec.fields import Fields, moment, read_json
from gateway.codec.plain import outcome_from_plain, outcome_to_plain, transaction_from_plain, transaction_to_plain
from gateway.currency import Currencies
from gateway.dialect import Call, Dialect
from gateway.http import Request, Response
from gateway.model import Accepted, Declined, Flaw, Outcome, Refused, Rollback, Transaction, Unknown


class AsSaid(Currencies, frozen=True):
    """What a wire says is kept exact, also where its currency has no such amount (6.125 EUR)."""

    def exact(self, amount: Decimal, code: str, field: str = "amount") -> Decimal:
        shown = self.shown(amount, code)
        return shown if shown == amount else amount


CURRENCIES = Currencies({"BTC": 8, "PTS": 0})
AS_SAID = AsSaid(CURRENCIES.configured)
DEFAULT_NOW = datetime(2026, 1, 1, tzinfo=UTC)
DEFAULT_NONCE = "6b1f0d5e-3f0b-4a53-9a51-0e2f4f3b7a10"
_DIRECTIONS = {"both": ("in", "out"), "in": ("in",), "out": ("out",)}


class Vector(Struct, frozen=True, kw_only=True):
    """One exchange. `transaction` None: the request is refused, and `outcome` says how."""

    name: str
    source: str
    ends: tuple[str, ...]
    verify_only: bool
    call: Call
    keys: tuple[Key, ...]
    prefix: str
    request: Request
    transaction: Transaction | None
    outcome: Outcome
    heard: Outcome
    response: Response


class Broken(ValueError):
    """A vector file that cannot be read, with its name and why."""


def demo_key(dialect: Dialect, settings: Any) -> Key:
    """The key that the demo, the simulators and the vectors use."""
    return Key(id="demo", parts={part.name: part.demo for part in dialect.auth.parts(settings)})


def load_all(dialect: Dialect, folder: Path) -> list[Vector]:
    return [load(dialect, path) for path in sorted(folder.glob("*.txt"))]


def load(dialect: Dialect, path: Path) -> Vector:
    try:
        return parse(dialect, path.stem, path.read_text(encoding="utf-8"))
    except (Refused, ValueError, KeyError) as error:
        raise Broken(f"{path.name}: {error!r}") from error


def parse(dialect: Dialect, name: str, text: str) -> Vector:
    head, *rest = text.split("\n== ")
    facts: dict[str, str] = {}
    for line in head.splitlines():
        if line.strip() and not line.startswith("#"):
            fact, _, value = line.partition(":")
            facts[fact.strip()] = value.strip()
    sections = {title.strip(): body for title, _, body in (part.partition("\n") for part in rest)}
    settings = msgspec.convert(read_plain(facts.get("settings", "{}")), dialect.settings)
    key = Key(id="demo", parts=read_plain(facts["keys"])) if "keys" in facts else demo_key(dialect, settings)
    prefix = facts.get("prefix", "")
    request = _request(sections["request"], prefix)
    plain = read_json(sections["transaction"].encode()) if "transaction" in sections else None
    transaction = transaction_from_plain(Lenient(plain), AS_SAID)[0] if plain is not None else None
    if transaction is not None and isinstance(transaction.act, Rollback):  # the one word that native does not have
        meant = msgspec.structs.replace(transaction.act, reference_type=str((plain or {}).get("reference_type", "")))
        transaction = msgspec.structs.replace(transaction, act=meant)
    outcome = _outcome(sections["outcome"])
    if not facts["source"]:
        raise Broken(f"{name}: no source")
    return Vector(
        name=name,
        source=facts["source"],
        ends=_DIRECTIONS[facts.get("direction", "both")],
        verify_only=facts.get("verify_only", "no") == "yes",
        call=Call(
            settings=settings,
            now=moment(facts["now"], "now") if "now" in facts else DEFAULT_NOW,
            nonce=facts.get("nonce", DEFAULT_NONCE),
            request=request,
            provider=str((plain or {}).get("provider", "acme")),
            currency=facts.get("currency", ""),
            currencies=CURRENCIES,
            stand_in=dialect.auth.holds_stand_in((key,)),
        ),
        keys=(key,),
        prefix=prefix,
        request=request,
        transaction=transaction,
        outcome=outcome,
        heard=_outcome(sections["heard"]) if "heard" in sections else outcome,
        response=_response(sections["response"]),
    )


def read_plain(text: str) -> Any:
    return msgspec.json.decode(text)


class Lenient(Fields):
    """Reads what a transaction says although it is not complete yet: ids may be missing."""

    __slots__ = ()

    def value(self, name: str, default: Any = None) -> Any:
        return super().value(name, default)

    def id(self, name: str, default: Any = "", *, length_max: int = 1024) -> str:
        return super().id(name, default, length_max=length_max)

    def text(self, name: str, default: Any = "", *, length_max: int = 8192) -> str:
        return super().text(name, default, length_max=length_max)


def _outcome(text: str) -> Outcome:
    fields = Lenient(read_json(text.encode()))
    outcome = outcome_from_plain(fields, CURRENCIES)
    if isinstance(outcome, Accepted) and "meant" in fields:  # what only a list of movements tells: no native answer
        meant = [transaction_from_plain(Lenient(each), CURRENCIES)[0] for each in fields.value("meant")]
        outcome = msgspec.structs.replace(outcome, meant=tuple(meant))
    if isinstance(outcome, Declined):
        flaw = Flaw(fields.text("flaw"))
        return msgspec.structs.replace(outcome, field=fields.text("field"), flaw=flaw)
    return outcome


def _request(text: str, prefix: str) -> Request:
    first, headers, body = _message(text)
    method, target = first.split(" ", 1)
    path, _, query = target.strip().removeprefix(prefix).partition("?")
    return Request(method=method, path=path, query=query, headers=headers, body=body, target=target.strip())


def _response(text: str) -> Response:
    first, headers, body = _message(text)
    return Response(status=int(first.split()[1]), headers=headers, body=body)


def _message(text: str) -> tuple[str, dict[str, str], bytes]:
    head, _, body = text.partition("\n\n")
    first, *lines = head.strip().splitlines()
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return first, headers, body.strip("\n").encode()


# ---------------------------------------------------------------- the laws on one vector


def check(dialect: Dialect, vector: Vector) -> list[str]:
    """What this vector breaks of the laws 1 to 6 and 11; empty = it holds."""
    problems: list[str] = []
    if "in" in vector.ends:
        problems += _provider_end(dialect, vector)
    if "out" in vector.ends and vector.transaction is not None:
        problems += _wallet_end(dialect, vector, vector.transaction)
    return problems


def named(dialect: Dialect, vector: Vector) -> Call:
    """The call, with the name that the dialect's `route` gives it, and what its request shows for a session."""
    name = dialect.route(vector.request, vector.call.settings)
    shown = dialect.auth.shows_stand_in(vector.request, vector.keys)
    return msgspec.structs.replace(vector.call, name=name, stand_in=shown)


def _provider_end(dialect: Dialect, vector: Vector) -> list[str]:
    problems: list[str] = []
    call = named(dialect, vector)
    tx, refused = None, None
    try:
        dialect.auth.verify(vector.request, vector.keys, call.settings, call.now)  # law 6
        tx = dialect.decode_request(vector.request, call)
        again = dialect.decode_request(vector.request, call)
        if tx != again:
            problems.append("law 11: decode_request is not pure")
    except Refused as error:
        refused = error.outcome()
    if vector.transaction is None:
        if refused is None:
            problems.append(f"law 1: decode_request: expected a refusal, got {shown(tx)}")
        else:
            problems += _differ("law 1: refusal", _essence(vector.outcome), _essence(refused))
    elif refused is not None:
        problems.append(f"law 1: decode_request: expected a transaction, it was refused: {refused}")
    elif tx != vector.transaction:
        problems += _differ("law 1: transaction", shown(vector.transaction), shown(tx))
        problems = problems or [f"law 1: transaction: expected {vector.transaction}, got {tx}"]
    response = dialect.encode_response(vector.outcome, vector.transaction, call)
    problems += same_response("law 3: encode_response", vector.response, response)
    if dialect.encode_response(vector.outcome, vector.transaction, call) != response:
        problems.append("law 11: encode_response is not pure")
    return problems


def _wallet_end(dialect: Dialect, vector: Vector, tx: Transaction) -> list[str]:
    problems: list[str] = []
    call = msgspec.structs.replace(vector.call, name="", request=None)
    request = dialect.encode_request(tx, call)
    if request != dialect.encode_request(tx, call):
        problems.append("law 11: encode_request is not pure")
    if not vector.verify_only:
        request = msgspec.structs.replace(request, target=vector.prefix + request.url)
        request = dialect.auth.sign(request, vector.keys, call.settings, call.now)
    problems += same_request("law 2: encode_request", vector.request, request, signed=not vector.verify_only)
    call = msgspec.structs.replace(call, request=request, name=dialect.route(request, call.settings))
    heard = dialect.decode_response(vector.response, tx, call)
    if _essence(heard) != _essence(vector.heard):
        problems.append(f"law 4: decode_response: expected {vector.heard}, got {heard}")
    return problems


def shown(tx: Transaction | None) -> object:
    return None if tx is None else transaction_to_plain(tx, "", CURRENCIES)


def _essence(outcome: Outcome) -> object:
    """An outcome without the texts for people."""
    if isinstance(outcome, Unknown):
        return "unknown"
    plain = _wordless(outcome_to_plain(outcome, CURRENCIES))
    if isinstance(outcome, Declined):
        plain |= {"field": outcome.field, "flaw": outcome.flaw.value}
    assert isinstance(outcome, Accepted | Declined)
    return plain


def _wordless(plain: dict[str, Any]) -> dict[str, Any]:
    plain.pop("message", None)
    for item in plain.get("items", ()):
        _wordless(item)
    return plain


def same_request(what: str, want: Request, got: Request, *, signed: bool = True) -> list[str]:
    problems = _differ(f"{what}: method and target", f"{want.method} {want.url}", f"{got.method} {got.url}")
    for name, value in want.headers.items():
        if signed or name in got.headers:
            problems += _differ(f"{what}: header {name}", value, got.headers.get(name))
    return problems + same_body(what, want.body, got.body)


def same_response(what: str, want: Response, got: Response) -> list[str]:
    problems = _differ(f"{what}: status", want.status, got.status)
    for name, value in want.headers.items():
        problems += _differ(f"{what}: header {name}", value, got.headers.get(name))
    return problems + same_body(what, want.body, got.body)


def same_body(what: str, want: bytes, got: bytes) -> list[str]:
    try:
        return _differ(f"{what}: body", read_json(want), read_json(got))
    except Refused:
        return _differ(f"{what}: body", want, got)


def _differ(what: str, want: object, got: object) -> list[str]:
    if want == got:
        return []
    if isinstance(want, dict) and isinstance(got, dict):
        keys = sorted(k for k in want.keys() | got.keys() if want.get(k, "∅") != got.get(k, "∅"))
        return [f"{what}: {k}: expected {want.get(k, 'nothing')!r}, got {got.get(k, 'nothing')!r}" for k in keys]
    return [f"{what}: expected {want!r}, got {got!r}"]
