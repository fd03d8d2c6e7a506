"""BetGames: live lotteries, dice, wheel and card draws; XML by POST, answers signed, too. A bet is known by its `bet_id`.

Source: public wallets that speak it, and the vendor's signature vectors as a public test quotes them; its manual needs a
login. What they leave open is decided in NOTES.md.
"""

from __future__ import annotations

from adapters.betgames.answers import decode_response, encode_response
from adapters.betgames.requests import decode_request, encode_request
from adapters.betgames.wire import AUTH, CALLS, DIGITS, Settings, route
from gateway.dialect import Dialect
from gateway.ends import AsProvider, AsWallet, Owed
from gateway.ids import IntegerIds
from gateway.model import Kind, Reason

DIALECT = Dialect(
    name="betgames",
    title="BetGames: XML by POST, answers signed, too; bets known by bet_id, no cancel",
    calls=CALLS,
    auth=AUTH,
    settings=Settings,
    route=route,
    decode_request=decode_request,
    encode_response=encode_response,
    encode_request=encode_request,
    decode_response=decode_response,
    round_refunds=False,
    digits=DIGITS,
    hides=frozenset({"token", "new_token", "signature"}),
    as_provider=AsProvider(
        answer_within={"default": "3s"},
        replay_balance="current",
        content=lambda tx: (tx.extra.get("transaction_id", ""),),
        # A payout names its bet, so that there is none ends it.
        final_noes={Owed.NAMED_WIN: frozenset({Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK})},
        refused_unpaid=True,
        first_stands=frozenset({Kind.CREDIT}),  # one payout for each bet
    ),
    as_wallet=AsWallet(
        ids=IntegerIds(),  # digits in every sample
        one_win=True,
        undoes_whole=True,
        undoes_blindly=True,
        sessions=frozenset({Kind.AUTHENTICATE, Kind.CHECK, Kind.BALANCE, Kind.DEBIT}),
    ),
)
