"""The admin side: metrics, health, the API. Never on the providers' port."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec import Meta, Struct
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gateway.auth.compare import same
from gateway.auth.keys import Key, live
from gateway.codec.times import parse_duration
from gateway.engine.journal import Journal, JournalLost
from gateway.engine.movement import Listing, Movement, Session
from gateway.engine.person import NotDone, Unfound, Verdict, resolve, retry
from gateway.engine.setup import Provider, Setup
from gateway.engine.states import State
from gateway.serve.app import Current
from gateway.serve.live import clock
from gateway.serve.metrics import Metrics, Snapshot
from gateway.serve.shown import movement_to_plain, movement_told, setup_to_plain, states

T = TypeVar("T")
Others = Callable[[], Awaitable[Sequence[Snapshot]]]

BODY_BYTES_MAX = 4 << 20
HANDOVERS_MAX = 1000
LISTED_MAX = 1000
PIECE = 10  # movements that are written down at a stretch: a millisecond
_AT = re.compile(r" - at `\$(.*)`$")
_NAMED = re.compile(r"field `([^`]*)`")

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Token = Annotated[str, Meta(min_length=1, max_length=8192)]
Word = Annotated[str, Meta(max_length=128)]
Text = Annotated[str, Meta(max_length=8192)]


class Handover(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A game launch, told by the operator's platform (rule 22)."""

    provider: Id
    player: Id
    session: Token
    currency: Id
    game: Word = ""
    brand: Word = ""
    wallet: Word = ""
    wallet_session: Text = ""
    launch_token: Text = ""
    expires_at: Annotated[datetime, Meta(tz=True)] | None = None


class Retry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST /api/transactions/KEY/retry`; the body may be empty."""

    by: Word = ""


class Resolve(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST /api/transactions/KEY/resolve`."""

    decision: Literal["accepted", "declined"] = msgspec.field(name="as")
    reason: Annotated[str, Meta(min_length=1, max_length=500)]
    by: Id
    force: bool = False
    wallet_id: Annotated[str, Meta(max_length=256)] = ""


class Wrong(Exception):
    """A request that is answered with an error: its status, what is wrong, and in which field."""

    def __init__(self, status: int, message: str, field: str = "") -> None:
        super().__init__(message)
        self.status, self.message, self.field = status, message, field


class Admin:
    """What the admin side knows. `open_to_all`: the listener is loopback, so no key is asked for."""

    def __init__(
        self,
        *,
        current: Current,
        journal: Journal,
        metrics: Metrics,
        keys: Sequence[Key],
        open_to_all: bool,
        demo: bool = False,
        others: Others | None = None,
    ) -> None:
        """`demo`: moving money needs no key where nothing else does. `others`: what the other workers count."""
        self._others = others
        self.keys, self.open_to_all, self.demo = tuple(keys), open_to_all, demo
        self._current, self._journal, self._metrics = current, journal, metrics

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/livez", self._livez),
                Route("/readyz", self._readyz),
                Route("/metrics", self._expose),
                Route("/api/sessions", self._kept(self._sessions), methods=["POST"]),
                Route("/api/transactions", self._kept(self._transactions)),
                Route("/api/transactions/{key:path}/retry", self._kept(self._retry, moves=True), methods=["POST"]),
                Route("/api/transactions/{key:path}/resolve", self._kept(self._resolve, moves=True), methods=["POST"]),
                Route("/api/transactions/{key:path}", self._kept(self._transaction)),
                Route("/api/config", self._kept(self._config)),
            ]
        )

    # -- open to everybody

    async def _livez(self, request: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def _readyz(self, request: Request) -> Response:
        if self._current.draining:
            return PlainTextResponse("draining\n", status_code=503)
        if not self._journal.writable():
            return PlainTextResponse("the journal cannot be written\n", status_code=503)
        return PlainTextResponse("ready\n")

    async def _expose(self, request: Request) -> Response:
        with contextlib.suppress(JournalLost):  # the last ones known: the rest must be seen now more than ever
            self._metrics.counts = await self._journal.counts()
        shown = self._metrics if self._others is None else self._metrics.together(await self._others())
        body, content_type = shown.expose(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": content_type})

    # -- for key holders

    def _kept(self, answer: Callable[[Request], Any], *, moves: bool = False) -> Callable[[Request], Any]:
        """`answer` behind the key; what is wrong with a request becomes JSON in one place.

        `moves`: it moves money, so a key is asked for on loopback, too.
        """

        async def endpoint(request: Request) -> Response:
            try:
                request.state.key = self._authorize(request, moves=moves)
                return as_json(await answer(request), 201 if request.method == "POST" and not moves else 200)
            except Unfound as unfound:
                return as_json({"error": str(unfound)}, 404)
            except NotDone as not_done:
                return as_json({"error": str(not_done)}, 409)
            except JournalLost as lost:
                return as_json({"error": f"the journal does not answer: {lost}"}, 503)
            except Wrong as wrong:
                plain = {"error": wrong.message} | ({"field": wrong.field} if wrong.field else {})
                response = as_json(plain, wrong.status)
                if wrong.status == 401:
                    response.headers["www-authenticate"] = "Bearer"
                return response

        return endpoint

    def _authorize(self, request: Request, *, moves: bool) -> str:
        """The id of the key that was shown, or blank where none is needed. Raises `Wrong`."""
        origin = request.headers.get("origin", "")
        if origin and urlsplit(origin).netloc != request.headers.get("host", ""):
            raise Wrong(403, "this API is not for other sites' pages")  # a browser beside the loopback listener
        if self.open_to_all and (self.demo or not moves):
            return ""
        if not self.keys:
            raise Wrong(403, "moving money needs an admin key, and none is configured: admin.keys")
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        held = [key for key in live(self.keys, clock()) if same(given.strip(), key.part("secret"))]
        if scheme.lower() != "bearer" or not held:
            raise Wrong(401, "an admin key is needed: Authorization: Bearer KEY")
        return held[0].id

    async def _sessions(self, request: Request) -> Any:
        setup, now = self._current.setup, clock()
        handovers = read_handovers(await _body(request))
        found = [_session(handover, place, setup, now) for place, handover in handovers]
        for session in found:
            await self._journal.learn(session, handed_over=True)
        return {"sessions": len(found)}

    async def _transactions(self, request: Request) -> Any:
        setup = self._current.setup
        listing = read_listing(request.query_params.multi_items(), setup, clock())
        shown = []
        for number, movement in enumerate(await self._journal.listed(listing), 1):
            shown.append(movement_to_plain(movement, setup))
            if number % PIECE == 0:
                await asyncio.sleep(0)  # calls go on in between
        return {"transactions": shown}

    async def _transaction(self, request: Request) -> Any:
        return await movement_told(self._journal, await self._named(request, ""), self._current.setup)

    async def _retry(self, request: Request) -> Any:
        said = _read(Retry, await _body(request) or b"{}")
        setup, movement = self._current.setup, await self._named(request, "/retry")
        changed = await retry(self._journal, setup, movement.key, _who(request, said.by), clock())
        return await movement_told(self._journal, changed, setup)

    async def _resolve(self, request: Request) -> Any:
        said = _read(Resolve, await _body(request))
        setup, movement = self._current.setup, await self._named(request, "/resolve")
        by = _who(request, said.by)
        verdict = Verdict(
            accepted=said.decision == "accepted", reason=said.reason, by=by, force=said.force, wallet_id=said.wallet_id
        )
        decided = await resolve(self._journal, setup, movement.key, verdict, clock())
        self._metrics.recovered(decided.wallet, decided.kind.value, decided.state.value)
        return await movement_told(self._journal, decided, setup)

    async def _named(self, request: Request, action: str) -> Movement:
        """The movement of the path. The key's own parts are percent-encoded, so a caller may send it
        as it is or encoded once more."""
        path = request.scope["raw_path"].decode("latin-1")
        sent = path.removeprefix("/api/transactions/").removesuffix(action)
        found: Movement | None = await self._journal.get(unquote(sent)) or await self._journal.get(sent)
        if found is None:
            raise Wrong(404, "no movement has this key")
        return found

    async def _config(self, request: Request) -> Any:
        return setup_to_plain(self._current.setup)


def _read(shape: type[T], body: bytes) -> T:
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        raise Wrong(422, *_placed(error)) from None
    except msgspec.DecodeError:
        raise Wrong(400, "the body is not a JSON object") from None


def _placed(error: msgspec.ValidationError) -> tuple[str, str]:
    """(what is wrong, in which field)."""
    text = str(error)
    at, named = _AT.search(text), _NAMED.search(text)
    return _AT.sub("", text), at[1].lstrip(".") if at else (named[1] if named else "")


def _who(request: Request, name: str) -> str:
    """The person, and the key that was shown: both are recorded."""
    key = f"key {request.state.key}" if request.state.key else ""
    return f"{name} ({key})" if name and key else name or key


def as_json(plain: object, status: int) -> Response:
    return Response(msgspec.json.encode(plain) + b"\n", status_code=status, media_type="application/json")


async def _body(request: Request) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_BYTES_MAX:
            raise Wrong(413, f"the body is larger than {BODY_BYTES_MAX} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


# ---------------------------------------------------------------- handovers


def read_handovers(body: bytes) -> list[tuple[str, Handover]]:
    """(place for messages, handover), one or a list of them. Raises `Wrong`."""
    try:
        plain = json.loads(body, object_pairs_hook=_no_twins)
    except (ValueError, RecursionError):
        raise Wrong(400, "the body is not JSON (an object, or a list of objects, every key once)") from None
    if isinstance(plain, list):
        if not 1 <= len(plain) <= HANDOVERS_MAX:
            raise Wrong(422, f"a list holds 1 to {HANDOVERS_MAX} handovers")
        return [(f"[{number}].", _handover(item, f"[{number}].")) for number, item in enumerate(plain)]
    return [("", _handover(plain, ""))]


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _handover(plain: Any, place: str) -> Handover:
    try:
        return msgspec.convert(plain, Handover)
    except msgspec.ValidationError as error:
        text, field = _placed(error)
        raise Wrong(422, text, (place + field).rstrip(".")) from None


def _session(handover: Handover, place: str, setup: Setup, now: datetime) -> Session:
    provider = named_provider(setup, handover.provider)
    if provider is None:
        raise Wrong(422, "no such provider is configured", f"{place}provider")
    if handover.wallet and handover.wallet not in setup.wallets:
        raise Wrong(422, "no such wallet is configured", f"{place}wallet")
    if not setup.currencies.knows(handover.currency):
        raise Wrong(422, "no currency we know", f"{place}currency")
    return Session(
        provider=provider.id,
        session=handover.session,
        player=handover.player,
        currency=handover.currency,
        game=handover.game,
        brand=handover.brand,
        wallet=handover.wallet,
        wallet_session=handover.wallet_session,
        launch_token=handover.launch_token,
        expires_at=handover.expires_at,
        seen_at=now,
    )


def named_provider(setup: Setup, name: str) -> Provider | None:
    """By the name that the configuration gives it, else by its immutable id."""
    return setup.providers.get(name) or setup.provider_by_id(name)


# ---------------------------------------------------------------- listings


def read_listing(parameters: Sequence[tuple[str, str]], setup: Setup, now: datetime) -> Listing:
    """The filters of `tx list` as query parameters: `?in_doubt=1&older_than=5m&provider=acme`."""
    said: Mapping[str, str] = {name.replace("-", "_"): value for name, value in parameters}
    known = {"in_doubt", "owed", "person", "older_than", "provider", "player", "limit"}
    for name in said:
        if name not in known:
            raise Wrong(422, f"no such filter (one of {', '.join(sorted(known))})", name)
    limit = said.get("limit", "100")
    if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit) <= LISTED_MAX:
        raise Wrong(422, f"a number from 1 to {LISTED_MAX}", "limit")
    found: tuple[State, ...] = states(
        in_doubt=_on(said, "in_doubt"), owed=_on(said, "owed"), person=_on(said, "person")
    )
    try:
        before = now - parse_duration(said["older_than"]) if "older_than" in said else None
    except (ValueError, OverflowError) as error:
        raise Wrong(422, str(error), "older_than") from None
    return Listing(
        states=found,
        provider=provider_id(setup, said.get("provider", "")),
        player=said.get("player", ""),
        before=before,
        limit=int(limit),
    )


def provider_id(setup: Setup, name: str) -> str:
    """What the journal calls it; a provider that is configured no more is named by its id."""
    provider = named_provider(setup, name)
    return provider.id if provider else name


def _on(said: Mapping[str, str], name: str) -> bool:
    word = said.get(name, "no").lower()
    if word not in ("", "1", "true", "yes", "0", "false", "no"):
        raise Wrong(422, "true or false", name)
    return word not in ("0", "false", "no")
