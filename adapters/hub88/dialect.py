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
from gateway.ends import AsProvider, AsWallet, Kept, Owed, Word
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
    hides=frozenset({"token", "x-hub88-signature", "x-auth-signature"}),
    as_provider=AsProvider(
        answer_within={"default": "3s"},
        # `transaction_uuid` names one movement of money, whatever its call.
        spaces={"transaction/bet": "movement", "transaction/win": "movement", "transaction/rollback": "movement"},
        values_max=300,  # a refusal echoes the request's own name
        replay_balance="request",
        content=lambda tx: (tx.game_id,),
        rollback_kinds={Kind.DEBIT.value: (Kind.DEBIT, Kind.CREDIT)},
        final_noes={Owed.NAMED_WIN: frozenset({Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK})},
        # Caleta gives a bet up when it cannot deliver its win: paid all the same, the win stands for it.
        kept_by=lambda settings: Kept.ITS_WIN if is_caleta(settings) else Kept.NOTHING,
        else_player=else_player,
    ),
    as_wallet=AsWallet(
        tells=frozenset({Word.FREE_DEBIT}),
        undoes=frozenset({Kind.DEBIT, Kind.CREDIT}),
        separates=False,
        ids=UuidIds(),
        yes_to_unknown=True,  # Caleta's are asked to; what Hub88's answer is not documented
        sessions=frozenset({Kind.BALANCE, Kind.DEBIT, Kind.CREDIT, Kind.ROLLBACK}),
    ),
)
