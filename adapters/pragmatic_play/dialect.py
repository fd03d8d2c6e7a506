"""Pragmatic Play's seamless wallet: a web form per call, an MD5 over its sorted fields, JSON answers with an `error`.

Source: the vendor's API specification v3.85 of 2019 in public copies (only contents and change history could be read), a
public description of the flow of its Asian edition, public integrations. What they leave open is decided in NOTES.md.
"""

from __future__ import annotations

import re
from typing import Any

from adapters.pragmatic_play.answers import decode_response, encode_response
from adapters.pragmatic_play.requests import decode_request, encode_request
from adapters.pragmatic_play.wire import BY_PATH, CALLS, UNKNOWN_CALL, Settings
from gateway.auth import InForm, Signed, digest_of, filled_pairs
from gateway.dialect import Dialect, NoCall
from gateway.ends import AsProvider, AsWallet, Word
from gateway.http import Request

# ---------------------------------------------------------------- signature

# MD5, over texts that are joined without escapes: it only guards against mistakes.
SIGNED = Signed(
    covers=filled_pairs(between="&", without="hash"),
    digest=digest_of("md5"),
    carried=InForm("hash"),
    demo="pp-test-secret",
    weak=True,
)

# ---------------------------------------------------------------- which call it is

PATH = re.compile(r"(/[^/]+)/?")


def route(request: Request, settings: Any) -> str:
    """`/bet.html`, in any case. An unknown method is answered in the studio's own words."""
    found = PATH.fullmatch(request.path)
    if found is None:
        raise NoCall
    if request.method != "POST":
        raise NoCall(("POST",))
    return BY_PATH.get(found[1].lower(), UNKNOWN_CALL)


# ---------------------------------------------------------------- the whole

DIALECT = Dialect(
    name="pragmatic_play",
    title="Pragmatic Play: web form, MD5 over sorted fields, error 0 = success",
    calls=CALLS,
    auth=SIGNED,
    settings=Settings,
    route=route,
    decode_request=decode_request,
    encode_response=encode_response,
    encode_request=encode_request,
    decode_response=decode_response,
    round_refunds=False,  # a refund means the bet that it names, and no other one
    hides=frozenset({"hash", "token"}),
    as_provider=AsProvider(
        values_max=300,  # the proof reads the form
        answer_within={"default": "3s"},
        replay_balance="current",
    ),
    as_wallet=AsWallet(
        tells=frozenset({Word.FREE_DEBIT}),
        separates=False,  # a reference is unique over all calls
        yes_to_unknown=True,  # "success"; that its transactionId is empty then only the field says
    ),
)
