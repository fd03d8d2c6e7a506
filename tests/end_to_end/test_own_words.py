"""Cancels in every order, bad input of the other calls, and what an answer must carry: as each page says."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.end_to_end.speakers import GAMEBALL_PATH, SPEAKERS, YES, Body, Sent, Word, body, new_id, speak
from tests.end_to_end.stages import Stage, in_book, staged

pytestmark = pytest.mark.asyncio(loop_scope="module")
PROVIDERS = pytest.mark.parametrize("name", SPEAKERS)
NOT_FOUND: dict[str, Word] = {
    "ng": (200, 107, "TRANSACTION_NOT_FOUND"),
    "dg": (200, 107, "ROUND_NOT_FOUND"),
    "ky": YES,  # nothing may happen, and success is said
    "sp": (200, "ERR_TRANSACTION_DOES_NOT_EXIST"),
    "gb": (404, 9005, "TRANSACTIONS_ERROR"),
    "na": (200, "transaction_not_found"),
}
TOO_LATE: dict[str, Word] = {
    "ng": (200, 112, "ALREADY_REFUNDED"),
    "dg": (200, 112, "ALREADY_REFUNDED"),
    "ky": (200, 120),
    "sp": (200, "ERR_UNKNOWN"),
    "gb": (422, 9001, "TRANSACTIONS_ERROR"),
    "na": (200, "already_rolled_back"),
}
SECOND: dict[str, Word] = TOO_LATE | {"ky": YES, "sp": (200, "ERR_TRANSACTION_ROLLED_BACK")}
POOR: dict[str, Word] = {
    "ng": (200, 105, "INSUFFICIENT_FUNDS"),
    "dg": (200, 105, "INSUFFICIENT_FUNDS"),
    "ky": (200, 1),
    "sp": (200, "ERR_NOT_ENOUGH_MONEY"),
    "gb": (422, 9008, "TRANSACTIONS_ERROR"),
    "na": (200, "insufficient_funds"),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with staged(tmp_path_factory.mktemp("own_words")) as running:
        yield running


async def heard(stage: Stage, name: str, call: str, tx_id: str, reference: str = "") -> httpx.Response:
    return await speak(stage.client, SPEAKERS[name].good(call, tx_id, f"{name}-anna", reference))


async def word(stage: Stage, name: str, call: str, tx_id: str, reference: str = "") -> Word:
    return SPEAKERS[name].word(await heard(stage, name, call, tx_id, reference))


@PROVIDERS
async def test_a_cancel_before_its_bet(stage: Stage, name: str) -> None:
    bet, undo = new_id(), new_id()
    assert await word(stage, name, "undo", undo, bet) == NOT_FOUND[name]
    assert await word(stage, name, "bet", bet) == TOO_LATE[name]
    assert await word(stage, name, "bet", bet) in (TOO_LATE[name], (422, 9004, "TRANSACTIONS_ERROR"))
    assert bet not in in_book(stage.wallet)
    assert await word(stage, name, "bet", new_id()) == YES


@PROVIDERS
async def test_a_cancel_and_another_one(stage: Stage, name: str) -> None:
    bet, undo = new_id(), new_id()
    assert await word(stage, name, "bet", bet) == YES
    first = await heard(stage, name, "undo", undo, bet)
    assert SPEAKERS[name].word(first) == YES
    again = await heard(stage, name, "undo", undo, bet)
    if name == "gb":
        assert SPEAKERS[name].word(again) == (422, 9004, "TRANSACTIONS_ERROR")
    else:
        assert SPEAKERS[name].word(again) == YES
    assert await word(stage, name, "undo", new_id(), bet) == SECOND[name]
    assert sum(entry.id == bet for entry in stage.wallet.teller.purse.book) == 1
    assert stage.wallet.teller.purse.cash[f"{name}-anna", "EUR"] == 1000 + sum(
        entry.delta for entry in stage.wallet.teller.purse.book if entry.player == f"{name}-anna"
    )


@PROVIDERS
async def test_an_empty_purse(stage: Stage, name: str) -> None:
    speaker, tx_id = SPEAKERS[name], new_id()
    much = {"ng": "500000", "dg": "500000", "ky": '"5000.00"', "na": '"5000.00"'}.get(name, "5000")
    said = speaker.say("bet", tx_id, f"{name}-poor", "").put(amount=much)
    for _ in range(2):  # a repeat hears the same
        answer = await speak(stage.client, speaker.sent("bet", said))
        assert speaker.word(answer) == POOR[name]
    # the failed bet is cancelled: of a bet that was declined there is nothing to undo
    undo = speaker.good("undo", new_id(), f"{name}-poor", tx_id)
    assert speaker.word(await speak(stage.client, undo)) == NOT_FOUND[name]
    assert [entry for entry in stage.wallet.teller.purse.book if entry.player == f"{name}-poor"] == []


async def test_partial_refunds_of_points(stage: Stage) -> None:
    """Gameball: several are allowed until nothing is left; more than the rest is cut to the rest."""
    speaker, bet = SPEAKERS["gb"], new_id()
    assert await word(stage, "gb", "bet", bet) == YES

    async def refund(amount: str) -> httpx.Response:
        said = speaker.say("undo", new_id(), "gb-anna", bet).put(refundAmount=amount)
        return await speak(stage.client, speaker.sent("undo", said))

    assert (await refund("1")).json()["refundAmount"] == 1
    assert (await refund("5")).json()["refundAmount"] == 1.5
    assert speaker.word(await refund("1")) == (422, 9001, "TRANSACTIONS_ERROR")
    for bad in ("0", "-1", "0.001", "1e400"):
        assert speaker.word(await refund(bad)) == (422, 3003, "PAYLOAD_ERROR")


@pytest.mark.parametrize("name", ["ng", "dg"])
async def test_more_is_given_back_than_was_taken(stage: Stage, name: str) -> None:
    speaker, bet = SPEAKERS[name], new_id()
    assert await word(stage, name, "bet", bet) == YES
    said = speaker.say("undo", new_id(), f"{name}-anna", bet).put(amount="251")
    assert speaker.word(await speak(stage.client, speaker.sent("undo", said))) == (200, 2009, "INVALID_AMOUNT")
    part = speaker.say("undo", new_id(), f"{name}-anna", bet).put(amount="100")
    assert speaker.word(await speak(stage.client, speaker.sent("undo", part))) == YES
    assert f"{stage.wallet.teller.purse.book[-1].delta:f}" == "1.00"


# ---------------------------------------------------------------- the other calls


def other(name: str, path: str, said: Body | bytes, method: str = "POST") -> Sent:
    speaker = SPEAKERS[name]
    raw = said.bytes() if isinstance(said, Body) else said
    sent = Sent(method=method, target=speaker.prefix + path, headers={"content-type": "application/json"}, body=raw)
    return speaker.prove(sent, speaker.secrets)


_NET = body(token="sess-ng-anna", game_id=42, player_id="ng-anna")
_DRAGON = body(token="sess-dg-anna", account_id="dg-anna")
_CHECK = body(providerId="Kyren", userId="ky-anna", currency="EUR", sessionId="sess-ky-anna", uuid="c0ffee01")
_SCORPIO = body(command="balance", playerId="sp-anna", currency="EUR", timestamp=1767225600123)
_READ = body(kind="balance", provider="na", player="na-anna", currency="EUR")
READS: list[tuple[str, Sent, Word]] = [
    ("ng", other("ng", "/get-session", body(token="sess-ng-anna")), YES),
    ("ng", other("ng", "/get-session", body()), (200, 2001, "INVALID_TOKEN")),
    ("ng", other("ng", "/get-session", b"{"), (200, 2006, "INVALID_REQUEST_BODY")),
    ("ng", other("ng", "/get-balance", _NET), YES),
    ("ng", other("ng", "/get-balance", _NET.without("game_id")), (200, 2001, "INVALID_GAME_ID")),
    ("ng", other("ng", "/get-balance", _NET.put(player_id="null")), (200, 2002, "INVALID_PLAYER_ID")),
    ("dg", other("dg", "/get_session", body(token="sess-dg-anna")), YES),
    ("dg", other("dg", "/get-session", body(token="")), (200, 2003, "INVALID_TOKEN")),
    ("dg", other("dg", "/get_balance", _DRAGON), YES),
    ("dg", other("dg", "/get_balance", _DRAGON.without("account_id")), (200, 2001, "INVALID_ACCOUNT_ID")),
    ("ky", other("ky", "/v1/Check", _CHECK), YES),
    ("ky", other("ky", "/v1/Check", _CHECK.without("userId")), (200, 7)),
    ("ky", other("ky", "/v1/Balance", _CHECK), YES),
    ("ky", other("ky", "/V7/bALANCE", _CHECK), YES),
    ("ky", other("ky", "/v1/Balance", _CHECK.put(currency='"QQQ"')), (200, 7)),
    ("ky", other("ky", "/v1/Balance", _CHECK.put(USERID='"x"')), (200, 7)),
    ("sp", other("sp", "", _SCORPIO), YES),
    ("sp", other("sp", "", _SCORPIO.put(currency='"QQQ"')), (200, "ERR_INVALID_ACCOUNT")),
    ("sp", other("sp", "", _SCORPIO.put(currency='"JPY"')), (200, "ERR_INVALID_ACCOUNT")),
    ("sp", other("sp", "", _SCORPIO.without("playerId")), (200, "ERR_UNKNOWN")),
    ("gb", other("gb", f"{GAMEBALL_PATH}/customers/gb-anna/balance", b"", "GET"), YES),
    ("gb", other("gb", f"{GAMEBALL_PATH}/customers/gb%2Fanna/balance", b"", "GET"), YES),
    ("gb", other("gb", f"{GAMEBALL_PATH}/customers/%FF/balance", b"", "GET"), (422, 3003, "PAYLOAD_ERROR")),
    ("gb", other("gb", f"{GAMEBALL_PATH}/transactions/hold/h-none", b"", "GET"), (404, 9006, "TRANSACTIONS_ERROR")),
    ("gb", other("gb", f"{GAMEBALL_PATH}/transactions/hold/h-none", b"", "DELETE"), (404, 9006, "TRANSACTIONS_ERROR")),
    ("na", other("na", "/balance", _READ), YES),
    ("na", other("na", "/balance", _READ.without("player")), (400, "invalid_request")),
    ("na", other("na", "/transactions/na/debit/none", b"", "GET"), (404, "transaction_not_found")),
    ("na", other("na", "/transactions/na/dance/none", b"", "GET"), (400, "invalid_request")),
]


@pytest.mark.parametrize(("name", "sent", "expected"), READS, ids=lambda part: getattr(part, "target", None))
async def test_reads(stage: Stage, name: str, sent: Sent, expected: Word) -> None:
    for header in ("x-gw-timestamp", "webhook-timestamp"):
        if header in sent.headers:  # signed when this file was read, which is some time ago
            sent = SPEAKERS[name].prove(sent, SPEAKERS[name].secrets)
    assert SPEAKERS[name].word(await speak(stage.client, sent)) == expected


# ---------------------------------------------------------------- what an answer carries


async def test_scorpios_balance_stands_where_the_pages_want_it(stage: Stage) -> None:
    """Errors of `balance` carry none; those of bet, win and cancel must: the wallet's, or 0."""
    speaker = SPEAKERS["sp"]
    said = (await speak(stage.client, other("sp", "", _SCORPIO.without("playerId")))).json()
    assert said == {"statusCode": "ERR_UNKNOWN"}
    broken = (await speak(stage.client, speaker.sent("bet", b"{"))).json()
    assert broken == {"balance": 0, "statusCode": "ERR_UNKNOWN"}
    poor = speaker.say("bet", new_id(), "sp-rich", "").put(amount="5000")
    assert (await speak(stage.client, speaker.sent("bet", poor))).json() == {
        "balance": 1000,
        "statusCode": "ERR_NOT_ENOUGH_MONEY",
    }


ANSWER_FIELDS: dict[str, dict[str, Any]] = {
    "ng": {"status": 1, "player_id": "x", "token": "sess-x", "currency": "EUR", "balance": 99750, "bonus_amount": 0, "bonus_bet": 0},
    "dg": {"status": 0, "account_id": "x", "token": "sess-x", "currency": "EUR", "balance": 99750, "bonus_amount": 0},
    "ky": {"currency": "EUR", "cash": "997.50", "error": 0, "description": "Success"},
    "sp": {"balance": 997.5, "statusCode": "OK"},
    "gb": {"customerId": "x", "redeemAmount": 2.5, "redeemEquivalentPoints": 25},
    "na": {"outcome": "accepted", "balance": "997.50", "currency": "EUR"},
}  # fmt: skip


@PROVIDERS
async def test_the_answer_to_a_first_bet(stage: Stage, name: str) -> None:
    who = f"{name}-first"
    speaker, tx_id = SPEAKERS[name], new_id()
    said = (await speak(stage.client, speaker.good("bet", tx_id, who))).json()
    wanted = json.loads(json.dumps(ANSWER_FIELDS[name]).replace('"x"', f'"{who}"').replace("sess-x", f"sess-{who}"))
    assert {key: value for key, value in said.items() if key in wanted} == wanted
    own = {"ng": "transaction_id", "dg": "transaction_id", "ky": "transactionId", "na": "wallet_transaction_id"}
    if name in own:
        assert isinstance(said[own[name]], str)
        assert said[own[name]]
    if name == "gb":
        assert isinstance(said["gameballTransactionId"], str)
        assert said["transactionId"] == tx_id


async def test_gameball_errors_carry_the_request_id(stage: Stage) -> None:
    sent = SPEAKERS["gb"].sent("bet", b"{")
    said = (await speak(stage.client, sent)).json()
    assert set(said) == {"code", "type", "message", "requestId"}
    assert isinstance(said["requestId"], str)


@pytest.mark.parametrize(("given", "kept"), [("req-77", True), ("no good\tone", False), ("x" * 500, False)])
async def test_the_request_id_is_answered(stage: Stage, given: str, kept: bool) -> None:
    sent = SPEAKERS["na"].good("bet", new_id(), "na-anna").but(x_request_id=given)
    said = (await speak(stage.client, sent)).headers["x-request-id"]
    assert (said == given) is kept
    assert said
