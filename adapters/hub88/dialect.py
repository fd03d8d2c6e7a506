"""Hub88: an aggregator's wallet API, and its sibling Caleta (`variant`). RSA over the raw body, statuses in words.

Source: docs.hub88.io (operator API: wallet, signing, statuses) and Caleta's public OpenAPI 1.5, a near copy of the same
protocol. What they leave open is decided in NOTES.md.
"""

from __future__ import annotations

from typing import Any

from adapters.hub88.answers import decode_response, encode_response
from adapters.hub88.demo import DEMO
from adapters.hub88.requests import decode_request, else_player, encode_request
from adapters.hub88.wire import CALLS, Settings, is_caleta, route
from gateway.auth import InHeader, RsaSigned, base64_text, raw_body
from gateway.dialect import Dialect
from gateway.ids import UuidIds
from gateway.model import Kind, Reason

HEADERS = {"hub88": InHeader("x-hub88-signature", base64_text), "caleta": InHeader("x-auth-signature", base64_text)}


def carried(settings: Any) -> InHeader:
    return HEADERS[settings.variant]


DIALECT = Dialect(
    name="hub88",
    title="Hub88, and Caleta: an aggregator of studios",
    calls=CALLS,
    auth=RsaSigned(covers=raw_body, carried=carried, demo=DEMO),
    settings=Settings,
    route=route,
    decode_request=decode_request,
    encode_response=encode_response,
    encode_request=encode_request,
    decode_response=decode_response,
    answer_within={"default": "3s"},
    # `transaction_uuid` names one movement of money, whatever its call.
    spaces={"transaction/bet": "movement", "transaction/win": "movement", "transaction/rollback": "movement"},
    separates=False,
    values_max=300,  # a refusal echoes the request's own name
    ids=UuidIds(),
    replay_balance="request",
    same_game=True,
    rollback_kinds={Kind.DEBIT.value: (Kind.DEBIT, Kind.CREDIT)},
    credit_noes=frozenset({Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK}),
    # Caleta gives a bet up when it cannot deliver its win: paid all the same, the win stands for it.
    won_stays=is_caleta,
    else_player=else_player,
    sessions=frozenset({Kind.BALANCE, Kind.DEBIT, Kind.CREDIT, Kind.ROLLBACK}),
    hides=frozenset({"token", "x-hub88-signature", "x-auth-signature"}),
)
