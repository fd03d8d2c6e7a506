"""NeverEnding: JSON lists of bets and wins, an HMAC over the body, and the wallet's own token as bearer.

Source: docs.neverending.tech, API v1.3.2 (authenticate, balance, transaction without its answer, cancel, payout, errors).
What it leaves open is decided in NOTES.md.
`wire.py` holds money, errors and the names of a session; `requests.py` is what is read, `told.py` what a wallet is told,
`answers.py` both ways of an answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adapters.neverending.answers import decode_response, encode_response
from adapters.neverending.requests import decode_request
from adapters.neverending.told import encode_request
from adapters.neverending.wire import CALLS, IDS, Settings, bearer
from gateway.auth import InHeader, Signed, Steps, compacted, hmac_of, told
from gateway.dialect import Dialect, posts
from gateway.ends import AsProvider, AsWallet, Word
from gateway.http import Request
from gateway.model import Kind, Reason


@told(
    Steps(
        selected="the body",
        form="its bytes as they were sent, else without the blanks between its tokens (those within texts stay)",
    )
)
def covered(request: Request, settings: Any) -> Iterator[bytes]:
    """The body as it stands; else without the blanks between its tokens. "Without whitespace", says the page, and links a tool
    that takes those inside of texts, too, which nobody's body survives."""
    yield request.body
    compact = compacted(request.body)
    if compact != request.body:
        yield compact


DIALECT = Dialect(
    name="neverending",
    title="NeverEnding: lists of bets and wins, an HMAC over the body, the wallet's token as bearer",
    calls=CALLS,
    auth=Signed(
        covers=covered, digest=hmac_of("sha256"), carried=InHeader("x-server-authorization"), demo="ne-test-secret"
    ),
    settings=Settings,
    route=posts({wire.path: wire.name for wire in CALLS}),
    decode_request=decode_request,
    encode_response=encode_response,
    encode_request=encode_request,
    decode_response=decode_response,
    round_refunds=False,
    hides=frozenset({"key", "x-server-authorization"}),
    as_provider=AsProvider(
        token=bearer,
        answer_within={"default": "5s"},
        # One id names one movement of money, whatever its type: under another one it is another movement.
        spaces={"transaction": "movement", "payout": "movement"},
        values_max=2000,  # whether a list that nobody has read holds a bet is told in doubt
        replay_balance="current",
        won_stays=lambda settings: True,
        won_by_round=True,
        ends_rounds=True,
        misnamed=Reason.INVALID_REQUEST,
    ),
    as_wallet=AsWallet(
        tells=frozenset({Word.FREE_DEBIT}),
        separates=False,
        ids=IDS,
        rounds=IDS,
        sessions=frozenset({Kind.BALANCE, Kind.BATCH, Kind.DEBIT, Kind.CREDIT, Kind.ROLLBACK}),
        wants_game=True,
    ),
)
