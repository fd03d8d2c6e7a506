"""Kyren: live baccarat; the white label of the Lucky Monaco / Stella API, itself rewritten from
the Pragmatic Play seamless protocol.

Source: the Kyren pages Check, Bet, Cancel Bet, Refund, EndRound, and for the other calls the same
pages of the Lucky Monaco edition. What they leave open is decided in NOTES.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from adapters.kyren.answers import decode_response, encode_response
from adapters.kyren.requests import decode_request, encode_request
from adapters.kyren.wire import CALLS, Settings
from gateway.auth import InBody, Signed, When, digest_of, sorted_pairs
from gateway.dialect import Dialect, NoCall
from gateway.ends import AsProvider, AsWallet, Word
from gateway.http import Request
from gateway.model import Kind

# ---------------------------------------------------------------- signature

# Unsigned, but for editions that still send the parent's `hash`. MD5 only guards against mistakes.
SIGNED = When(
    lambda settings: bool(settings.family_md5),
    Signed(
        covers=sorted_pairs(between="&", without="hash"),
        digest=digest_of("md5"),
        carried=InBody("hash", any_case=True),
        demo="fam-secret-9",
        weak=True,
    ),
)

# ---------------------------------------------------------------- which call it is

BY_WORD: Mapping[str, str] = {wire.name.lower(): wire.name for wire in CALLS}
PATH = re.compile(r"/v\d{1,4}/([a-z]{1,20})/?", re.IGNORECASE | re.ASCII)  # /v1/Bet and /V4/Result are both seen


def route(request: Request, settings: Any) -> str:
    found = PATH.fullmatch(request.path)
    name = BY_WORD.get(found[1].lower()) if found else None
    if name is None:
        raise NoCall
    if request.method != "POST":
        raise NoCall(("POST",))
    return name


# ---------------------------------------------------------------- the whole

DIALECT = Dialect(
    name="kyren",
    title="Kyren (Lucky Monaco, Stella): live baccarat and slots",
    calls=CALLS,
    auth=SIGNED,
    settings=Settings,
    route=route,
    decode_request=decode_request,
    encode_response=encode_response,
    encode_request=encode_request,
    decode_response=decode_response,
    hides=frozenset({"hash", "sessionId", "authToken"}),
    as_provider=AsProvider(
        values_max=300,
        answer_within={"default": "4s"},
        spaces={"Cancel": "rollback", "Refund": "rollback"},
        replay_balance="current",
    ),
    as_wallet=AsWallet(
        tells=frozenset({Word.FREE_DEBIT}),
        yes_to_unknown=True,  # "success or a specific error"; most leave the transactionId empty then
        # Not of a win or a rollback: BonusWin, JackpotWin, PromoWin and Refund do without.
        sessions=frozenset({Kind.CHECK, Kind.BALANCE, Kind.DEBIT, Kind.CLOSE_ROUND, Kind.CLOSE_SESSION}),
    ),
)
