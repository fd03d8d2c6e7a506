"""Red Tiger: a slot studio that calls the operator's wallet; a key in the header, money as text, numbered errors.

Source: Valkyrie's public module for Red Tiger, its integration tests, and two public operator wallets. The vendor's own
pages need a login; what is ours is in NOTES.md.
`wire.py` holds money, codes and ids; `requests.py` is what is read, `told.py` what a wallet is told, `answers.py` both
ways of an answer.
"""

from __future__ import annotations

from adapters.red_tiger.answers import decode_response, encode_response
from adapters.red_tiger.requests import decode_request
from adapters.red_tiger.told import encode_request
from adapters.red_tiger.wire import CALLS, DIGITS, ID_MAX, Settings
from gateway.auth import InBody, Part, SharedKey
from gateway.dialect import Dialect, posts
from gateway.ends import AsProvider, AsWallet, Word
from gateway.ids import TextIds
from gateway.model import Debit, Kind

# ---------------------------------------------------------------- signature

# Nothing is signed: the key says who calls, over TLS and beside a guard of networks.
KEY = SharedKey(
    Part("api_key", demo="rt-test-key"),
    "authorization",
    "Basic",
    stand_in=Part("recon_token", demo="rt-recon-5d0c1f8e2b7a46939a31c07e", needed=False),
    instead_of=InBody("token"),
)

# ---------------------------------------------------------------- the whole

DIALECT = Dialect(
    name="red_tiger",
    title="Red Tiger: JSON, a key in the header, money as text with two digits",
    calls=CALLS,
    auth=KEY,
    route=posts({wire.path: wire.name for wire in CALLS}),
    decode_request=decode_request,
    encode_response=encode_response,
    encode_request=encode_request,
    decode_response=decode_response,
    settings=Settings,
    round_refunds=False,
    digits=DIGITS,
    hides=frozenset({"token"}),
    decides=frozenset({"promo.campaignCode"}),  # whose free rounds they are, where only an odd vector says it
    as_provider=AsProvider(
        answer_within={"default": "4s", "debit": "2500ms"},
        values_max=300,  # the proof looks where the session's token stands
        replay_balance="stored",
        closed_to=lambda tx: isinstance(tx.act, Debit),  # "a stake after the end: 200 (invalid input)"
    ),
    as_wallet=AsWallet(
        tells=frozenset({Word.FREE_DEBIT}),
        ids=TextIds(ID_MAX),
        rounds=TextIds(ID_MAX),
        # "transaction.id alone: unique per provider": a wallet may keep one space for stakes and payouts.
        separates=False,
        # The amount of a refund is not looked at: all of its stake comes back, and no other bet of the round.
        undoes_whole=True,
        one_word=True,
        sessions=frozenset({Kind.AUTHENTICATE, Kind.BALANCE, Kind.DEBIT}),
    ),
)
