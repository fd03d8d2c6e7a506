"""Slotegrator GIS: an aggregator of games. One URL, an `action` in a form; HMAC-SHA1 over its fields and three headers.

Source: typed callback models and further public integrations in Python, Node and PHP; the vendor's own manual was read
through them only. What they leave open is decided in NOTES.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.slotegrator.answers import decode_response, encode_response
from adapters.slotegrator.requests import decode_request, encode_request, is_repeated, without_count
from adapters.slotegrator.wire import ACTIONS, CALLS, MOMENT, NO_ACTION, NONCE, SENDER, Settings
from gateway.auth import InHeader, Part, Stamp, Stamped, hmac_of, sorted_form
from gateway.dialect import Dialect, NoCall
from gateway.ends import AsProvider, AsWallet, Owed, Word
from gateway.http import Request
from gateway.model import Kind, Reason

# ---------------------------------------------------------------- signature

# Weak: SHA-1. The time and the nonce are signed, so who cannot sign cannot send a call again with another body.
SIGNED = Stamped(
    stamp=Stamp(who=Part("merchant_id", secret=False, demo="m-demo-1"), sender=SENDER, moment=MOMENT, nonce=NONCE),
    covers=sorted_form(headers=(SENDER, MOMENT, NONCE)),
    digest=hmac_of("sha1"),
    carried=InHeader("x-sign"),
    demo="slot-test-key",
    weak=True,
    late=is_repeated,
    content=without_count,
)

# ---------------------------------------------------------------- which call it is


def route(request: Request, settings: Any) -> str:
    if request.path.strip("/"):
        raise NoCall
    if request.method != "POST":
        raise NoCall(("POST",))
    said = request.form
    word = said.get("action", "") if isinstance(said, Mapping) else ""
    return word if isinstance(word, str) and word in ACTIONS else NO_ACTION


# ---------------------------------------------------------------- the whole

DIALECT = Dialect(
    name="slotegrator",
    title="Slotegrator GIS: an aggregator, forms over one URL",
    calls=CALLS,
    auth=SIGNED,
    settings=Settings,
    route=route,
    decode_request=decode_request,
    encode_response=encode_response,
    encode_request=encode_request,
    decode_response=decode_response,
    hides=frozenset({"x-sign", "session_id"}),
    as_provider=AsProvider(
        values_max=600,  # `route` and the proof read the form; a list of 140 elements, each of four fields
        answer_within={"default": "5s"},
        replay_balance="current",
        partial=True,
        excess="cut",
        undoes_rollbacks=True,
        final_noes={Owed.TAKING: frozenset({Reason.INSUFFICIENT_FUNDS})},
        bets_in_own_session=True,
    ),
    as_wallet=AsWallet(
        tells=frozenset({Word.FREE_DEBIT}),
        undoes=frozenset({Kind.DEBIT, Kind.CREDIT, Kind.ROLLBACK}),
        yes_to_unknown=True,  # not documented; one that repeats our ids says it (`echoed_ids`)
        # Many wallets keep one key for all actions.
        separates=False,
        sessions=frozenset({Kind.DEBIT, Kind.CREDIT, Kind.ROLLBACK, Kind.BATCH}),
    ),
)
