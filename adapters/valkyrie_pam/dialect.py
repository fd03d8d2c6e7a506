"""Valkyrie's PAM API: an open-source aggregator's view of an operator. Bearer key, REST, JSON numbers with six digits.

The operator implements it and Valkyrie calls: so a running Valkyrie reaches our wallets (provider's end), and an operator
that has a PAM for it can be our wallet (wallet's end).
Source: the OpenAPI file of the generic PAM 0.7.0 (github.com/valkyrie-fnd/valkyrie, pam/pam_api.yml), its Go client and
provider modules, its test PAM (valkyrie-stubs); see NOTES.md for what is ours.

`wire.py` holds money, ids, paths and errors, `requests.py` and `answers.py` the four functions.
"""

from __future__ import annotations

from adapters.valkyrie_pam import wire
from adapters.valkyrie_pam.answers import decode_response, encode_response
from adapters.valkyrie_pam.requests import decode_request, encode_request
from gateway.auth import InHeader, Part, SharedKey
from gateway.dialect import Dialect
from gateway.ends import AsProvider, AsWallet, Kept, StatusBy, Word
from gateway.ids import TextIds
from gateway.model import Kind, reference_of

BEARER = SharedKey(
    Part("api_key", demo="vk-test-key"),
    "authorization",
    "Bearer",
    bare=False,
    # Of a wallet's key: what a PAM takes as X-Player-Token where no session is there any more.
    stand_in=Part("late_token", demo="vk-late-token-0123456789abcdef012345", end="wallet", needed=False),
    instead_of=InHeader(wire.TOKEN),
)

DIALECT = Dialect(
    name="valkyrie_pam",
    title="Valkyrie PAM: REST, a bearer key, JSON numbers with six digits, PAM_ERR_ codes",
    calls=wire.CALLS,
    auth=BEARER,
    route=wire.route,
    decode_request=decode_request,
    encode_response=encode_response,
    encode_request=encode_request,
    decode_response=decode_response,
    settings=wire.Settings,
    round_refunds=False,
    hides=frozenset({"authorization", wire.TOKEN, "token"}),
    decides=frozenset({"isGameOver"}),  # not said where nobody can read it
    as_provider=AsProvider(
        values_max=300,  # a refusal is told by the type that the body names
        answer_within={"default": "4s"},
        replay_balance="current",
        also_named=lambda tx: (reference_of(tx.act), tx.id),
        content=lambda tx: (tx.game_id,),
        kept_by=lambda settings: Kept.ITS_WIN,
        status_by=StatusBy.ALL,
    ),
    as_wallet=AsWallet(
        tells=frozenset({Word.FREE_DEBIT}),
        ids=TextIds(wire.ID_MAX),
        rounds=TextIds(wire.ID_MAX),
        # A PAM gives back what it stored, whatever amount a cancel says; and knows no refund of a round.
        undoes_whole=True,
        wants_game=True,
        sessions=frozenset({Kind.CHECK, Kind.BALANCE, Kind.DEBIT, Kind.CLOSE_ROUND}),
    ),
)  # fmt: skip
