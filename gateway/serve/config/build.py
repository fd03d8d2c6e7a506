"""From sections to the engine's values, one provider, wallet or route at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec.structs import fields

from gateway.auth.guards import Guard
from gateway.auth.keys import Key
from gateway.codec.times import parse_duration, shortly
from gateway.currency import ISO_DIGITS, Currencies
from gateway.dialect import Dialect
from gateway.engine.setup import Breaker, Limits, Provider, Route, Send, Wallet
from gateway.serve.config.dialects import PROVIDER, WALLET, check_ids, find_dialect, read_keys, read_settings
from gateway.serve.config.places import Node, Problem, Reader, nearest
from gateway.serve.config.secrets import Given, file_text, refuse_literal
from gateway.serve.config.sections import Section
from gateway.serve.config.shapes import BAD

Names = dict[str, tuple[Node, Any]]
_OURS = frozenset({"host", "content-length", "content-type", "transfer-encoding", "connection", "upgrade", "expect"})
_SECRET_HEADERS = ("authorization", "proxy-authorization", "cookie", "x-api-key", "x-auth-token")
RESERVE = Decimal("0.2")
_DEFAULTS = {field.name: field.default for field in fields(Wallet)}


def build_currencies(found: Names | None, reader: Reader) -> Currencies:
    configured: dict[str, int] = {}
    for code, (key, digits) in (found or {}).items():
        if code in ISO_DIGITS and digits is not BAD and digits != ISO_DIGITS[code]:
            reader.wrong(key, f"{code} has {ISO_DIGITS[code]} digits in ISO 4217", "leave it out")
        elif digits is not BAD:
            configured[code] = digits
    return Currencies(configured)


def check_currency(code: str | None, node: Node, currencies: Currencies, reader: Reader) -> None:
    if code and not currencies.knows(code):
        known = [*currencies.configured, *ISO_DIGITS]
        near = (
            nearest(code, known) if code in known else f"an ISO 4217 code, or add {code} and its digits to currencies"
        )
        reader.wrong(node, f"unknown currency {code}", near)


def check_digits(dialect: Dialect, code: str | None, node: Node, currencies: Currencies, reader: Reader) -> None:
    """A wire with so many digits would pad or cut the amounts of another currency."""
    wanted = dialect.digits
    if wanted is None or not code or not currencies.knows(code) or currencies.digits(code) == wanted:
        return
    problem = f"{code} has {currencies.digits(code)} digits, and amounts of {dialect.name} have {wanted}"
    reader.wrong(node, problem, f"choose a currency with {wanted} digits, or another dialect")


def shared_keys(sections: Iterable[Section] | None, reader: Reader) -> tuple[Key, ...]:
    """Keys of one part, `secret`."""
    given = list(sections or ())
    check_ids(given, reader)
    good = [each for each in given if each.ok("id", "secret", "until")]
    return tuple(Key(id=each["id"], parts={"secret": each["secret"]}, until=each["until"]) for each in good)


# ---------------------------------------------------------------- providers


def build_provider(name: str, section: Section, currencies: Currencies, reader: Reader) -> Provider | None:
    dialect = find_dialect(section, reader)
    check_currency(section["currency"], section.at("currency"), currencies, reader)
    guard = build_guard(section["guard"], reader)
    if dialect is None:
        return None
    check_digits(dialect, section["currency"], section.at("currency"), currencies, reader)
    settings = read_settings(dialect, section["settings"], reader)
    keys = read_keys(dialect, settings, PROVIDER, section, reader)
    _check_proof(dialect, settings, section, reader)
    return Provider(
        name=name,
        id=section["id"] or name,
        dialect=dialect,
        settings=settings,
        keys=keys,
        guard=guard,
        currency=section["currency"] or "",
        answer_within=_limits(dialect, section["answer_within"]),
        after_doubt=_after_doubt(dialect, section["after_doubt"]),
        brand=section["brand"] or "",
        limits=_load(section["limits"], Provider),
    )


def build_guard(section: Section | None, reader: Reader) -> Guard:
    if section is None:
        return Guard()
    tokens = shared_keys(section["path_token"], reader)
    for token in tokens:
        if any(sign in token.part("secret") for sign in "/?#% ") or not token.part("secret").isascii():
            reader.wrong(
                section.at("path_token"), f"path token {token.id} cannot stand in a path", "letters and digits"
            )
    return Guard(
        networks=tuple(section["networks"] or ()),
        api_key=shared_keys(section["api_key"], reader),
        path_token=tokens,
        hmac=shared_keys(section["hmac"], reader),
        client_cert=tuple(section["client_cert"] or ()),
    )


def _check_proof(dialect: Dialect, settings: Any, section: Section, reader: Reader) -> None:
    """A link that nobody vouches for must not start."""
    weak, allowed = dialect.auth.weak(settings), section["allow_weak"]
    if weak and not allowed and section.ok("allow_weak"):
        problem = f"{dialect.name} signs weakly with these settings: it guards against mistakes, not against people"
        reader.wrong(section.at("dialect"), problem, "write allow_weak: true, and a guard")
    if _guarded(section):
        return
    if weak or allowed:
        reader.wrong(section.at("allow_weak"), "allow_weak needs a guard", "write guard: {networks: [203.0.113.0/24]}")
    elif not dialect.auth.parts(settings):
        problem = f"{dialect.name} does not sign: without a guard anybody may call"
        reader.wrong(section.at("dialect"), problem, "write guard: {api_key: [{id: a, secret: {env: NAME}}]}")


def _guarded(section: Section) -> bool:
    """Whether a guard is named; one that is wrong has been reported, and counts."""
    guard = section["guard"]
    return not section.ok("guard") or (guard is not None and bool(guard.node.pairs))


def _after_doubt(dialect: Dialect, given: Section | None) -> timedelta | None:
    """What is said here, else what the dialect's page says (rule 12)."""
    silent: timedelta | None = given["silent"] if given is not None else None
    return (
        silent
        if given is not None or not dialect.as_provider.after_doubt
        else parse_duration(dialect.as_provider.after_doubt)
    )


def _limits(dialect: Dialect, given: timedelta | Section | None) -> Mapping[str, timedelta]:
    """One value stands for every kind; a section says what differs from the dialect's own."""
    if isinstance(given, timedelta):
        return {"default": given}
    limits = {kind: parse_duration(text) for kind, text in dialect.as_provider.answer_within.items()}
    said = given.values if given is not None else {}
    return limits | {kind: limit for kind, limit in said.items() if limit is not None}


# ---------------------------------------------------------------- wallets


def build_wallet(name: str, section: Section, currencies: Currencies, reader: Reader) -> Wallet | None:
    dialect = find_dialect(section, reader)
    check_currency(section["currency"], section.at("currency"), currencies, reader)
    send = _send(section["send"], reader)
    within, give_up = _or_default(section, "answer_within"), _or_default(section, "give_up_after")
    if within > give_up:
        reader.wrong(section.at("give_up_after"), f"give_up_after is less than answer_within ({within})", "write more")
    if _or_default(section, "in_flight_max") < give_up and section.ok("in_flight_max", "give_up_after"):
        _flight_too_short(section, give_up, reader)
    if dialect is None:
        return None
    check_digits(dialect, section["currency"], section.at("currency"), currencies, reader)
    settings = read_settings(dialect, section["settings"], reader)
    keys = read_keys(dialect, settings, WALLET, section, reader)
    if section["moved_from"] and section["moved_from"] == section["url"]:
        reader.wrong(
            section.at("moved_from"), "moved_from is the wallet's own url", "leave it out, or write the old one"
        )
    if not section.ok("url", "repeats"):
        return None
    return Wallet(
        name=name,
        dialect=dialect,
        settings=settings,
        url=section["url"],
        moved_from=section["moved_from"] or "",
        keys=keys,
        send=send,
        answer_within=within,
        give_up_after=give_up,
        in_flight_max=_or_default(section, "in_flight_max"),
        repeats=_repeats(section["repeats"]),
        remembers=_or_default(section, "remembers"),
        tombstones=dialect.as_wallet.tombstones if section["tombstones"] is None else section["tombstones"],
        ids_as_is=dialect.as_wallet.ids_as_is if section["ids"] is None else section["ids"] == "as_is",
        currency=section["currency"] or "",
        limits=_load(section["limits"], Wallet),
    )


def _flight_too_short(section: Section, give_up: timedelta, reader: Reader) -> None:
    """Until it is given up a request may still arrive, and its yes counts (rules 10, 28): before that "I do not know it"
    proves nothing, and what is declined by it may be taken all the same."""
    given = next(name for name in ("in_flight_max", "give_up_after") if name in section)
    problem = "in_flight_max is less than give_up_after: what may still be answered would be taken for lost"
    reader.wrong(section.at(given), problem, f"write at least {shortly(give_up)} as in_flight_max, or give up earlier")


def _load(section: Section | None, whose: type[Provider | Wallet]) -> Limits:
    """How much at once. A reserve is a share of what is allowed, rounded down."""
    default = next(field.default for field in fields(whose) if field.name == "limits")
    assert isinstance(default, Limits)
    if section is None:
        return default
    in_flight, share = section["in_flight"] or default.in_flight, section["reserve"]
    reserved = int(in_flight * (RESERVE if share is None else share))
    said = section["breaker"].values if section["breaker"] else {}
    breaker = Breaker(**{name: value for name, value in said.items() if value is not None})
    return Limits(in_flight=in_flight, reserved=reserved, breaker=breaker)


def _or_default(section: Section, name: str) -> timedelta:
    found = section[name]
    default = _DEFAULTS[name]
    assert isinstance(default, timedelta)
    return found if isinstance(found, timedelta) else default


def _repeats(given: str | Section) -> dict[str, str]:
    if isinstance(given, str):
        return dict.fromkeys(("debit", "credit", "rollback"), given)
    return {kind: word for kind, word in given.values.items() if word}


def _send(section: Section | None, reader: Reader) -> Send:
    if section is None:
        return Send()
    for one, other in (("client_cert", "client_key"), ("client_key", "client_cert")):
        if one in section and other not in section:
            reader.wrong(section.at(one), f"{one} stands without {other}", f"write {other}: {{file: PATH}}")
    return Send(
        headers=_headers(section["headers"] or {}, reader),
        api_key=section["api_key"] or "",
        hmac=section["hmac"] or "",
        ca=section["ca"] or b"",
        client_cert=section["client_cert"] or b"",
        client_key=section["client_key"] or b"",
        proxy=section["proxy"] or "",
    )


def _headers(found: Names, reader: Reader) -> dict[str, str]:
    headers = {}
    for name, (key, given) in found.items():
        if not isinstance(given, Given):
            continue
        if name.lower() in _OURS:
            reader.wrong(key, f"the header {name} is ours to set", "leave it out")
        elif given.literal and name.lower() in _SECRET_HEADERS and not reader.demo:
            refuse_literal(given.node, reader)
        elif not given.text.isprintable() or not given.text.isascii():
            reader.wrong(given.node, f"the value of {name} cannot be sent", "printable ASCII in one line")
        headers[name] = given.text
    return headers


# ---------------------------------------------------------------- routes


def build_route(section: Section, currencies: Currencies, reader: Reader) -> Route | None:
    when = section["when"]
    for code in (when["currency"] or ()) if when else ():
        check_currency(code, when.at("currency"), currencies, reader)
    games = _games(section["games"], reader)
    if not section.ok("wallet"):
        return None
    said = when.values if when else {}
    return Route(
        wallet=section["wallet"],
        providers=_set(said.get("provider")),
        brands=_set(said.get("brand")),
        currencies=_set(said.get("currency")),
        player=said.get("player"),
        game=said.get("game"),
        players=_template(section["players"]),
        games=games,
        sessions=_template(section["sessions"]),
    )


def _games(found: tuple[Path, Node] | None, reader: Reader) -> Mapping[str, str]:
    return read_games(found[0], found[1], reader) if found else {}


def _set(names: list[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)


def _template(section: Section | None) -> str:
    return (section["to_wallet"] or "") if section else ""


def read_games(path: Path, node: Node, reader: Reader) -> Mapping[str, str]:
    """The provider's id -> the wallet's. Empty lines and lines that begin with # are skipped."""
    text = file_text(path, node, reader)
    games: dict[str, str] = {}
    rows = csv.reader(io.StringIO(text or ""), strict=True)
    try:
        for row in rows:
            ids = [cell.strip() for cell in row]
            if not any(ids) or ids[0].startswith("#"):
                continue
            wrong = _row_fault(ids, games)
            if wrong:
                reader.problems.append(Problem(str(path), rows.line_num, 1, *wrong))
            else:
                games[ids[0]] = ids[1]
    except csv.Error as error:
        reader.problems.append(Problem(str(path), rows.line_num, 1, f"this is not CSV: {error}", "two ids and a comma"))
    return games


def _row_fault(ids: list[str], games: Mapping[str, str]) -> tuple[str, str] | None:
    if len(ids) != 2 or not all(ids):
        return "this line does not hold two ids", "the provider's id, a comma, the wallet's id"
    if ids[0] in games:
        return f"the game {ids[0]} stands twice", "keep one line"
    return None
