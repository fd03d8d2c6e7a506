"""Gameball v4.0: a loyalty platform, spoken as a wallet that moves points.

The merchant's backend calls; Gameball calls nobody. So a client that was written for Gameball can
call the gateway (provider's end), and Gameball can be the wallet (wallet's end).
Source: https://docs.gameball.co/api-reference and its OpenAPI file; see NOTES.md for what is ours.

`wire.py` holds paths, points and errors, `requests.py` and `answers.py` the four functions.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from msgspec import Struct

from adapters.gameball import wire
from adapters.gameball.answers import decode_response, encode_response
from adapters.gameball.requests import decode_request, encode_request
from gateway.auth import Part, StaticHeaders
from gateway.codec.times import parse_duration
from gateway.dialect import Dialect, Wire
from gateway.ends import AsProvider, AsWallet, Owed
from gateway.model import Kind, Reason

# ---------------------------------------------------------------- signature


def _optional(settings: Settings) -> frozenset[str]:
    return frozenset() if settings.require_secret else frozenset({"secret_key"})


KEYS = StaticHeaders(
    ((Part("api_key", demo="gb-api-test-1"), "APIKey"), (Part("secret_key", demo="gb-sec-test-1"), "SecretKey")),
    optional=_optional,
)

# ---------------------------------------------------------------- settings

_LIFE_MIN, _LIFE_MAX = timedelta(minutes=1), timedelta(days=15)


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """`redemption_factor`: money for one point. `require_secret` false: the seed's older page."""

    redemption_factor: Decimal = Decimal("0.1")
    points_name: str = "Points"
    require_secret: bool = True
    hold_life: str = "10m"

    def __post_init__(self) -> None:
        factor = self.redemption_factor
        # Nine digits times 10^18 points still fit into Decimal's 28: the product stays exact.
        if not factor.is_finite() or not 0 < factor <= 10**6 or len(factor.as_tuple().digits) > 9:
            raise ValueError(
                "redemption_factor is no factor (write money for one point, such as 0.1, at most 9 digits)"
            )
        if not _LIFE_MIN <= parse_duration(self.hold_life) <= _LIFE_MAX:
            raise ValueError(f"hold_life {self.hold_life} is out of bounds (write 1m to 15d)")


# ---------------------------------------------------------------- the dialect


def _call(name: str, method: str, path: str, *kinds: Kind) -> Wire:
    return Wire(name=name, method=method, path=wire.PREFIX + path, kinds=kinds)


CALLS = (
    _call("redeem", "POST", wire.REDEEM, Kind.DEBIT, Kind.CAPTURE),
    _call("refund", "POST", wire.REFUND, Kind.ROLLBACK),
    _call("hold", "POST", wire.HOLD, Kind.RESERVE),
    _call("get_hold", "GET", f"{wire.HOLD}/{{holdReferenceId}}", Kind.STATUS),
    _call("release_hold", "DELETE", f"{wire.HOLD}/{{holdReferenceId}}", Kind.RELEASE),
    _call("manual", "POST", wire.MANUAL, Kind.CREDIT, Kind.DEBIT),
    _call("balance", "GET", "/customers/{customerId}/balance", Kind.BALANCE),
    _call("cashback", "POST", wire.CASHBACK),  # these four are always refused
    _call("payments", "POST", wire.PAYMENTS),
    _call("orders", "POST", wire.ORDERS),
    _call("otp", "POST", wire.OTP),
)

DIALECT = Dialect(
    name="gameball",
    title="Gameball v4.0: loyalty points as a wallet, REST with two static keys",
    calls=CALLS,
    auth=KEYS,
    route=wire.route,
    decode_request=decode_request,
    encode_response=encode_response,
    encode_request=encode_request,
    decode_response=decode_response,
    settings=Settings,
    hides=frozenset({"apikey", "secretkey", "hash", "otp", "player_proof"}),
    decides=frozenset({"expiryAfter"}),  # when points end, with errors of its own, for which the model has no words
    as_provider=AsProvider(
        answer_within={"default": "4s"},
        spaces={"redeem": "movement", "manual": "movement"},
        partial=True,
        excess="pass",
        final_noes={Owed.STRANGER: frozenset({Reason.PLAYER_NOT_FOUND})},  # "unknown customer: 7000", of a refund, too
        rollback_kinds={"debit": (Kind.DEBIT, Kind.CAPTURE, Kind.CREDIT)},
    ),
    as_wallet=AsWallet(
        undoes=frozenset({Kind.DEBIT, Kind.CREDIT, Kind.CAPTURE, Kind.ADJUST}),
        separates=False,  # redeem and manual share one key space
        makes_hold_ids=True,
    ),
)
