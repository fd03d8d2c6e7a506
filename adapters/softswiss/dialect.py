"""SOFTSWISS Game Aggregator, provider API v2: lists of bets and wins, an HMAC over the body.

Source: github.com/beexar-games/public-api, the OpenAPI file of the wallet that the provider Beexar speaks to, the
guides and the conformance fixtures beside it. Free spins and promo wins of the full v2 are not in them. What they
leave open is decided in NOTES.md.

`wire.py` holds money and errors, `requests.py` and `answers.py` the four functions.
"""

from __future__ import annotations

from adapters.softswiss.answers import decode_response, encode_response
from adapters.softswiss.requests import decode_request, encode_request
from adapters.softswiss.wire import CALLS
from gateway.auth import InHeader, Signed, hmac_of, raw_body
from gateway.dialect import Dialect, posts
from gateway.ends import AsProvider, AsWallet
from gateway.model import Kind

DIALECT = Dialect(
    name="softswiss",
    title="SOFTSWISS Game Aggregator, provider API v2 (Beexar, BGaming, Belatra)",
    calls=CALLS,
    auth=Signed(covers=raw_body, digest=hmac_of("sha256"), carried=InHeader("x-request-sign"), demo="ss-test-secret"),
    route=posts({wire.path: wire.name for wire in CALLS}),
    decode_request=decode_request,
    encode_response=encode_response,
    encode_request=encode_request,
    decode_response=decode_response,
    round_refunds=False,  # exactly what is named is undone
    as_provider=AsProvider(
        answer_within={"default": "10s"},  # one attempt is 15 s long
        # A bet and a win are movements of one list, and a rollback names one of them without saying which it is.
        spaces={"betwin": "movement"},
        rollback_kinds={"debit": (Kind.DEBIT, Kind.CREDIT)},
    ),
    as_wallet=AsWallet(undoes=frozenset({Kind.DEBIT, Kind.CREDIT, Kind.SETTLE}), separates=False, tombstones=True),
)
