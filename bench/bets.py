"""The work: signed bets of Scorpio Play, every id new, and the answer of the NetGaming wallet.

Ids and rounds are spread, as they are where many games are played at once: ids in their order
would always touch the same end of a journal's indexes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TOKEN = "bench-token-7f3a"
PLAYER = "plr-8821"
WALLET_ANSWER = (
    '{"status":1,"player_id":"plr-8821","token":"plr-8821","currency":"EUR",'
    '"bonus_amount":0,"balance":24075,"transaction_id":"w-10003"}'
)

_SPREAD = 0x9E3779B97F4A7C15  # odd, so that no two numbers meet
_ROUNDS = 10**15


def spread(number: int) -> int:
    """Another 64-bit number for each, far from its neighbours'."""
    return number * _SPREAD % 2**64


def bet(number: int) -> dict[str, Any]:
    return {
        "command": "bet", "transactionId": f"SPX-{spread(number):016x}", "playerId": PLAYER,
        "roundId": str(77 * _ROUNDS + spread(number) % _ROUNDS), "providerId": 14, "providerName": "Nordlicht Studio",
        "gameCode": "nl_aurora", "gameName": "Aurora", "currency": "EUR", "amount": 12.5, "isRoundFinished": False,
        "isCall": False, "timestamp": 1767225600123,
    }  # fmt: skip


def win(number: int) -> dict[str, Any]:
    """The win in that bet's round."""
    return bet(number) | {"command": "win", "transactionId": f"SPX-W{spread(number):016x}", "amount": 25}


def cancel(number: int) -> dict[str, Any]:
    """The cancel of that bet."""
    said = bet(number)
    left = {name: said[name] for name in said if name not in ("isRoundFinished", "isCall")}
    reference = said["transactionId"]
    return left | {"command": "cancel", "transactionId": f"SPX-C{spread(number):016x}", "referenceId": reference}


def signature(body: dict[str, Any]) -> str:
    """HMAC-SHA512 over the values in the order of their names."""
    message = ",".join(_text(body[key]) for key in sorted(body)).encode()
    return base64.b64encode(hmac.new(TOKEN.encode(), message, hashlib.sha512).digest()).decode()


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def signed(first: int, number: int) -> Iterator[tuple[str, bytes]]:
    """(signature, body) of so many bets."""
    for n in range(first, first + number):
        body = bet(n)
        yield signature(body), text(body)


def text(body: dict[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


class Bets:
    """Files of bets for one run: none is in two of them."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._made = folder, 0

    def file(self, number: int) -> Path:
        path = self._folder / f"bets-{self._made}.txt"
        with path.open("wb") as lines:
            for proof, body in signed(self._made, number):
                lines.write(proof.encode() + b" " + body + b"\n")
        self._made += number
        return path


def read(path: Path) -> list[tuple[str, bytes]]:
    pairs = (line.split(b" ", 1) for line in path.read_bytes().splitlines())
    return [(proof.decode(), body) for proof, body in pairs]
