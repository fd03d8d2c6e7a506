"""Evolution: live casino; the seamless "licensee" API, also called One Wallet. A bet is known by its `refId`.

Source: Valkyrie's Go module for Evolution, its integration tests, public wallets that speak it; the vendor's own pages need
a login. What they leave open is decided in NOTES.md.
"""

from __future__ import annotations

from adapters.evolution.answers import decode_response, encode_response
from adapters.evolution.requests import decode_request, encode_request, ends_its_bet
from adapters.evolution.wire import CALLS, Settings
from gateway.auth import Part, StaticQuery
from gateway.dialect import Dialect, posts
from gateway.ends import AsProvider, AsWallet, Kept
from gateway.model import Kind

DIALECT = Dialect(
    name="evolution",
    title="Evolution (One Wallet): live casino",
    calls=CALLS,
    auth=StaticQuery(Part("api_key", demo="evo-test-key"), "authToken"),
    settings=Settings,
    route=posts({wire.path: wire.name for wire in CALLS}),
    decode_request=decode_request,
    encode_response=encode_response,
    encode_request=encode_request,
    decode_response=decode_response,
    round_refunds=False,  # a cancel means one bet, never a round
    hides=frozenset({"authToken", "sid"}),
    as_provider=AsProvider(
        answer_within={"default": "4s", "debit": "2500ms"},
        spaces={"promo_payout": "promo_payout"},
        replay_balance="current",
        kept_by=lambda settings: Kept.ITS_WIN,
        one_end=True,
        renews=lambda settings: bool(settings.check == "refresh"),
    ),
    as_wallet=AsWallet(
        undoes_whole=True,
        one_win=True,
        ended_by=ends_its_bet,
        sessions=frozenset({Kind.AUTHENTICATE, Kind.CHECK, Kind.BALANCE, Kind.DEBIT, Kind.CREDIT, Kind.ROLLBACK}),
    ),
)
