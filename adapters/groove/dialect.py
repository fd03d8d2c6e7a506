"""Groove: an aggregator that calls the casino's wallet; GET with everything in the query, an HMAC, JSON answers with a code.

Source: groove-docs.pages.dev (operator's side) and groove-reverse.pages.dev (the provider's side of the same vendor).
What they leave open, or say in two ways, is decided in NOTES.md.
"""

from __future__ import annotations

from typing import Any

from adapters.groove.answers import decode_response, encode_response
from adapters.groove.requests import also_named, decode_request, encode_request
from adapters.groove.wire import BATCH, BY_WORD, CALLS, NO_CALL, OLD_GAME, Settings
from gateway.auth import InHeader, OneOf, Signed, base64_bytes, base64_text, hmac_of, query_values, raw_target
from gateway.dialect import Dialect, NoCall
from gateway.ends import AsProvider, AsWallet, Kept, Word
from gateway.http import Request
from gateway.model import Credit, Debit, Kind, Settle, Transaction

# ---------------------------------------------------------------- signature

# A covers no names and no borders between values: a session must be its player's, whatever the proof says (`calls_in_own_session`).
FORM_A = Signed(
    covers=query_values(without="request", sorted_as={OLD_GAME: "gameid"}),
    digest=hmac_of("sha256"),
    carried=InHeader("x-groove-signature"),
    demo="groove-test-key",
)
FORM_B = Signed(
    covers=raw_target,
    digest=hmac_of("sha256", key_of=base64_bytes),
    carried=InHeader("authorization", base64_text, before="HMAC-SHA256 Signature="),
    demo="Z3Jvb3ZlLXRlc3Qta2V5",
)


def form(settings: Any) -> str:
    return str(settings.signature_form)


SIGNED = OneOf(form, {"A": FORM_A, "B": FORM_B}, unproved="none")

# ---------------------------------------------------------------- which call it is


def route(request: Request, settings: Any) -> str:
    """One URL, `request` says which call; only the batch is posted. An unknown one is answered in Groove's own words."""
    if request.path.strip("/"):
        raise NoCall
    word = request.asks("request").lower()
    if request.method == "POST" and word in ("", BATCH.lower()):
        return BATCH
    if request.method != "GET":
        raise NoCall(("GET",) if word in BY_WORD else ("GET", "POST"))
    return BATCH if word == BATCH.lower() else BY_WORD.get(word, NO_CALL)


# ---------------------------------------------------------------- the whole


def is_play(tx: Transaction) -> bool:
    """A bet or a result: none comes once a result has said `completed`. A jackpot may."""
    return isinstance(tx.act, Debit | Settle) or (isinstance(tx.act, Credit) and tx.act.type != "jackpot")


DIALECT = Dialect(
    name="groove",
    title="Groove: GET query, JSON answer, HMAC over sorted values",
    calls=CALLS,
    auth=SIGNED,
    settings=Settings,
    route=route,
    decode_request=decode_request,
    encode_response=encode_response,
    encode_request=encode_request,
    decode_response=decode_response,
    round_refunds=False,
    hides=frozenset({"gamesessionid", "x-groove-signature"}),
    as_provider=AsProvider(
        answer_within={"default": "4s"},
        replay_balance="current",
        rounds_compared=False,
        partial=True,
        rollback_kinds={"debit": (Kind.DEBIT, Kind.SETTLE)},
        also_named=also_named,
        kept_by=lambda settings: Kept.LATER,
        whole_only=frozenset({Kind.CREDIT, Kind.ROLLBACK}),
        closed_to=is_play,
        closed_by=is_play,
        calls_in_own_session=True,
        undoes_rollbacks=True,
    ),
    as_wallet=AsWallet(
        tells=frozenset({Word.FREE_DEBIT}),
        undoes=frozenset({Kind.DEBIT, Kind.CREDIT, Kind.ROLLBACK}),
        undoes_whole=True,
        undoes_once=True,
        sessions=frozenset({Kind.AUTHENTICATE, Kind.BALANCE, Kind.DEBIT, Kind.CREDIT, Kind.SETTLE, Kind.ROLLBACK}),
    ),
)
