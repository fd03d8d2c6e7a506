"""NeverEnding: JSON lists of bets and wins, an HMAC over the body, and the wallet's own token as bearer.

Source: docs.neverending.tech, API v1.3.2 (authenticate, balance, transaction without its answer, cancel, payout, errors).
What it leaves open is decided in NOTES.md.
`wire.py` holds money, errors and the names of a session; `requests.py` is what is read, `told.py` what a wallet is told,
`answers.py` both ways of an answer.
"""

from __future__ import annotations

from adapters.neverending.answers import decode_response, encode_response
from adapters.neverending.requests import decode_request
from adapters.neverending.told import encode_request
from adapters.neverending.wire import CALLS, IDS, Settings, bearer
from gateway.auth import InHeader, Signed, hmac_of, spaced_body
from gateway.dialect import Dialect, posts
from gateway.ends import AsProvider, AsWallet, Kept, Word
from gateway.model import Debit, Kind, Reason

DIALECT = Dialect(
    name="neverending",
    title="NeverEnding: lists of bets and wins, an HMAC over the body, the wallet's token as bearer",
    calls=CALLS,
    # "Without whitespace", says the page, and links a tool that takes the blanks inside of texts, too, which nobody's body
    # survives: those stay.
    auth=Signed(
        covers=spaced_body(),
        digest=hmac_of("sha256"),
        carried=InHeader("x-server-authorization"),
        demo="ne-test-secret",
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
        session_token=bearer,
        answer_within={"default": "5s"},
        # One id names one movement of money, whatever its type: under another one it is another movement.
        spaces={"transaction": "movement", "payout": "movement"},
        values_max=2000,  # whether a list that nobody has read holds a bet is told in doubt
        replay_balance="current",
        kept_by=lambda settings: Kept.ROUND_WIN,
        closed_to=lambda tx: isinstance(tx.act, Debit),
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
