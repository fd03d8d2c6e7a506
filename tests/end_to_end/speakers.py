"""Six providers written by hand from their pages: bytes, signatures and the words of the answers.

Nothing of `adapters/` is used: what both ends read from one codec could be wrong at both.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Callable, Mapping

import httpx
from msgspec import Struct
from msgspec.structs import replace

from tests.end_to_end import configuration as c

Word = tuple[object, ...]
_NUMBERS = itertools.count(1)


class Body(Struct, frozen=True):
    """A JSON object as pairs of a key and the raw text of its value, so that it can be wrong."""

    pairs: tuple[tuple[str, str], ...]

    def put(self, **raw: str) -> Body:
        """With these raw values, in place or at the end."""
        known = {key for key, _ in self.pairs}
        kept = tuple((key, raw.get(key, value)) for key, value in self.pairs)
        return Body(kept + tuple((key, value) for key, value in raw.items() if key not in known))

    def without(self, *names: str) -> Body:
        return Body(tuple(pair for pair in self.pairs if pair[0] not in names))

    def twice(self, name: str) -> Body:
        return Body((*self.pairs, *(pair for pair in self.pairs if pair[0] == name)))

    def bytes(self) -> bytes:
        return ("{" + ", ".join(f"{json.dumps(key)}: {value}" for key, value in self.pairs) + "}").encode()


def body(**values: object) -> Body:
    return Body(tuple((key, json.dumps(value)) for key, value in values.items()))


class Sent(Struct, frozen=True, kw_only=True):
    """One request as it leaves."""

    method: str = "POST"
    target: str
    headers: Mapping[str, str] = {}
    body: bytes = b""

    def but(self, **headers: str | None) -> Sent:
        """With other headers; None takes one away. `_` stands for `-`."""
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {name: value for name, value in self.headers.items() if name not in changed}
        return replace(self, headers=kept | {name: value for name, value in changed.items() if value is not None})


class Speaker(Struct, frozen=True, kw_only=True):
    """One provider of the configuration. `prove` adds what signature and guard want, for these secrets."""

    dialect: str
    prefix: str  # the provider's segments
    paths: Mapping[str, str]  # bet, win, undo
    say: Callable[[str, str, str, str], Body]
    """(bet | win | undo, id, player, reference) -> body"""
    prove: Callable[[Sent, Mapping[str, str]], Sent]
    secrets: Mapping[str, str]
    word: Callable[[httpx.Response], Word]
    """What an answer says, in the dialect's own words: (status, code, ...) or (status, "yes")."""
    doubt: Word
    id_field: str = ""

    def sent(self, call: str, said: Body | bytes, secrets: Mapping[str, str] | None = None) -> Sent:
        raw = said.bytes() if isinstance(said, Body) else said
        headers = {"content-type": "application/json"}
        return self.prove(
            Sent(target=self.prefix + self.paths[call], headers=headers, body=raw), secrets or self.secrets
        )

    def good(self, call: str, tx_id: str, player: str, reference: str = "") -> Sent:
        return self.sent(call, self.say(call, tx_id, player, reference))


def new_id() -> str:
    """An id that nobody used yet, digits only."""
    return f"7{next(_NUMBERS):09d}"


async def speak(client: httpx.AsyncClient, sent: Sent, seconds: float = 10.0) -> httpx.Response:
    return await client.request(
        sent.method, sent.target, headers=dict(sent.headers), content=sent.body, timeout=seconds
    )


# ---------------------------------------------------------------- NetGaming and Dragon Gaming


def _cents(player_field: str) -> Callable[[str, str, str, str], Body]:
    def say(call: str, tx_id: str, player: str, reference: str) -> Body:
        said = {
            "token": f"sess-{player}", player_field: player, "amount": {"win": 1000}.get(call, 250), "amount_type": "real",
            "currency": "EUR", "game_id": 42, "round_id": 880011, "game_type": "slots", "game_name": "polarfox",
        }  # fmt: skip
        if call == "undo":
            said["original_transaction_id"] = reference
        return body(**said, transaction_id=tx_id)

    return say


def _api_key(sent: Sent, secrets: Mapping[str, str]) -> Sent:
    return sent.but(x_api_key=secrets["api_key"])


def _gw_hmac(sent: Sent, secrets: Mapping[str, str]) -> Sent:
    stamp = str(int(time.time()))
    covered = stamp.encode() + b"." + (sent.body or sent.target.encode())
    made = hmac.new(secrets["hmac"].encode(), covered, hashlib.sha256).hexdigest()
    return sent.but(x_gw_timestamp=stamp, x_gw_signature=made)


def _net_word(answer: httpx.Response) -> Word:
    said = json.loads(answer.content)
    if said["status"] == 1:
        assert "error" not in said
        return answer.status_code, "yes"
    assert (said["status"], said["error"]) == (0, 1)
    return answer.status_code, said["error_id"], said["error_code"]


def _dragon_word(answer: httpx.Response) -> Word:
    said = json.loads(answer.content)
    if said["status"] == 0:
        assert "error_id" not in said
        return answer.status_code, "yes"
    assert said["status"] == 1
    return answer.status_code, said["error_id"], said["error_code"]


# ---------------------------------------------------------------- Kyren


def _say_kyren(call: str, tx_id: str, player: str, reference: str) -> Body:
    said = body(
        providerId="Kyren", userId=player, sessionId=f"sess-{player}", currency="EUR", gameId="9_speed_baccarat4",
        gameName="SPEED BACCARAT4", roundId=f"r-{(reference or tx_id)[:32]}",
        reference=reference if call == "undo" else tx_id, uuid=f"u-{tx_id}",
    )  # fmt: skip
    if call == "undo":
        return said
    return said.put(
        amount={"bet": '"2.50"', "win": '"10.00"'}[call], roundDetails='"spin"', timestamp='"1767225600000"'
    )


def _kyren_word(answer: httpx.Response) -> Word:
    said = json.loads(answer.content)
    if said["error"] == 0:
        return answer.status_code, "yes"
    assert set(said) == {"error", "description"}
    return answer.status_code, said["error"]


# ---------------------------------------------------------------- Scorpio Play


def _say_scorpio(call: str, tx_id: str, player: str, reference: str) -> Body:
    said = body(
        command={"bet": "bet", "win": "win", "undo": "cancel"}[call], transactionId=tx_id, playerId=player,
        roundId="77000123456789012", providerId=14, providerName="Nordlicht Studio", gameCode="nl_aurora",
        gameName="Aurora", currency="EUR",
    )  # fmt: skip
    said = said.put(amount="10" if call == "win" else "2.5", timestamp="1767225601456")
    if call == "undo":
        return said.put(referenceId=json.dumps(reference))
    return said.put(isRoundFinished="false", isCall="false")


def scorpio_message(raw: bytes) -> str:
    """The values in the keys' order; a number is the text that stands in the body."""

    def text(value: object) -> str:
        if value is None:
            return ""
        return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)

    values = json.loads(raw, parse_int=str, parse_float=str)
    return ",".join(text(values[key]) for key in sorted(values))


def _prove_scorpio(sent: Sent, secrets: Mapping[str, str]) -> Sent:
    try:
        message = scorpio_message(sent.body)
    except (ValueError, TypeError, RecursionError):
        message = "what cannot be read cannot be signed either"
    digest = hmac.new(secrets["secret"].encode(), message.encode(), hashlib.sha512).digest()
    return sent.but(x_request_signature=base64.b64encode(digest).decode())


def _scorpio_word(answer: httpx.Response) -> Word:
    said = json.loads(answer.content)
    if said["statusCode"] == "OK":
        return answer.status_code, "yes"
    return answer.status_code, said["statusCode"]


# ---------------------------------------------------------------- Gameball

GAMEBALL_PATH = "/api/v4.0/integrations"


def _say_gameball(call: str, tx_id: str, player: str, reference: str) -> Body:
    said = body(customerId=player)
    if call == "undo":
        said = said.put(refundTransactionId=json.dumps(tx_id), reverseTransactionId=json.dumps(reference))
    else:
        said = said.put(transactionId=json.dumps(tx_id))
    said = said.put(transactionTime='"2026-01-01T00:00:00.000Z"')
    if call == "win":
        return said.put(username='"ops.anna"', reason='"goodwill"', amount="10")
    return said.put(amount="2.5") if call == "bet" else said


def _prove_gameball(sent: Sent, secrets: Mapping[str, str]) -> Sent:
    return sent.but(apikey=secrets["api_key"], secretkey=secrets["secret_key"])


def _gameball_word(answer: httpx.Response) -> Word:
    said = json.loads(answer.content)
    if answer.status_code == 200:
        assert "code" not in said
        return 200, "yes"
    if set(said) == {"error", "message"}:
        return answer.status_code, said["error"], said["message"]
    assert said["message"]
    return answer.status_code, said["code"], said["type"]


# ---------------------------------------------------------------- Native


def _say_native(call: str, tx_id: str, player: str, reference: str) -> Body:
    kind = {"bet": "debit", "win": "credit", "undo": "rollback"}[call]
    said = body(kind=kind, provider="na", transaction_id=tx_id, player=player, currency="EUR", round_id="6200100300")
    if call == "undo":
        return said.put(reference_transaction_id=json.dumps(reference))
    return said.put(amount='"10.00"' if call == "win" else '"2.50"', game_id='"9_speed"')


def _prove_native(sent: Sent, secrets: Mapping[str, str]) -> Sent:
    stamp, name = str(int(time.time())), f"na/{next(_NUMBERS)}"
    key = base64.b64decode(secrets["secret"].removeprefix("whsec_"))
    digest = hmac.new(key, f"{name}.{stamp}.".encode() + sent.body, hashlib.sha256).digest()
    made = "v1," + base64.b64encode(digest).decode()
    return sent.but(webhook_id=name, webhook_timestamp=stamp, webhook_signature=made)


def _native_word(answer: httpx.Response) -> Word:
    said = json.loads(answer.content)
    if said.get("outcome") == "accepted":
        return answer.status_code, "yes"
    return answer.status_code, said.get("reason", "no decision")


# ----------------------------------------------------------------

SPEAKERS: Mapping[str, Speaker] = {
    "ng": Speaker(
        dialect="netgaming",
        prefix="/ng",
        paths={"bet": "/debit", "win": "/credit", "undo": "/refund"},
        say=_cents("player_id"),
        prove=_api_key,
        secrets={"api_key": c.API_KEY},
        word=_net_word,
        doubt=(200, 104, "SERVER_NOT_READY"),
        id_field="transaction_id",
    ),
    "dg": Speaker(
        dialect="dragon_gaming",
        prefix="/dg",
        paths={"bet": "/debit", "win": "/credit", "undo": "/refund"},
        say=_cents("account_id"),
        prove=_gw_hmac,
        secrets={"hmac": c.HMAC_SECRET},
        word=_dragon_word,
        doubt=(200, 104, "SERVER_NOT_READY"),
        id_field="transaction_id",
    ),
    "ky": Speaker(
        dialect="kyren",
        prefix=f"/ky/{c.PATH_TOKEN}",
        paths={"bet": "/v1/Bet", "win": "/V4/Result", "undo": "/v1/Cancel"},
        say=_say_kyren,
        prove=_api_key,
        secrets={"api_key": c.API_KEY},
        word=_kyren_word,
        doubt=(200, 100),
        id_field="reference",
    ),
    "sp": Speaker(
        dialect="scorpio_play",
        prefix="/sp",
        paths={"bet": "", "win": "", "undo": ""},
        say=_say_scorpio,
        prove=_prove_scorpio,
        secrets={"secret": c.SCORPIO_SECRET},
        word=_scorpio_word,
        doubt=(200, "ERR_UNKNOWN"),
        id_field="transactionId",
    ),
    "gb": Speaker(
        dialect="gameball",
        prefix="/gb",
        paths={
            "bet": f"{GAMEBALL_PATH}/transactions/redeem",
            "win": f"{GAMEBALL_PATH}/transactions/manual",
            "undo": f"{GAMEBALL_PATH}/transactions/refund",
        },
        say=_say_gameball,
        prove=_prove_gameball,
        secrets=c.GAMEBALL_KEY,
        word=_gameball_word,
        doubt=(503, 5003, "SERVER_ERROR"),
        id_field="transactionId",
    ),
    "na": Speaker(
        dialect="native",
        prefix="/na",
        paths={"bet": "/debit", "win": "/credit", "undo": "/rollback"},
        say=_say_native,
        prove=_prove_native,
        secrets={"secret": c.NATIVE_SECRET},
        word=_native_word,
        doubt=(503, "no decision"),
        id_field="transaction_id",
    ),
}
YES: Word = (200, "yes")
