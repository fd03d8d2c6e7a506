"""`gateway translate`: the meaning of a request, and what a wallet would be sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cli.helpers import SECRETS, call, folder_with, vector_request

KEY = f"X-Api-Key: {SECRETS['GUARD']}"
PREFIX = f"/bacc/{SECRETS['TOKEN']}"


def translated(tmp_path: Path, provider: str, request: bytes, *options: str) -> dict[str, Any]:
    arguments = ["translate", "--config", str(folder_with(tmp_path)), "--provider", provider, "--json", *options]
    result = call(*arguments, stdin=request)
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_bet_in_the_wallets_terms(tmp_path: Path) -> None:
    bet = vector_request("kyren", "bet_accepted", prefix=PREFIX, headers=(KEY,))
    found = translated(tmp_path, "bacc", bet)
    assert found["signature"] == "verified: path_token p, a"
    assert "not checked offline: networks" in found["notes"]
    assert found["transaction"] | {"extra": {}} == {
        "kind": "debit", "provider": "bacc", "transaction_id": "ky-ref-501", "player": "u-300",
        "session": found["transaction"]["session"], "currency": "USD", "amount": "12.50", "free_round": False,
        "round_id": "6200100300", "round_closed": False, "game_id": "9_speed_baccarat4",
        "game_name": "SPEED BACCARAT4", "occurred_at": "2026-01-01T00:00:00Z", "request_id": "c0ffee03", "extra": {},
    }  # fmt: skip
    assert "ks-1" not in json.dumps(found["transaction"])
    (request,) = found["requests"]
    assert (found["wallet"], found["verdict"]) == ("live", "same")
    assert (request["method"], request["url"]) == ("POST", "https://live.example/debit")
    assert request["headers"]["x-api-key"] == "<secret>"
    body = json.loads(request["body"])
    assert (body["transaction_id"], body["player_id"]) == ("bacc:debit:ky-ref-501", "vip-u-300")
    assert (body["game_id"], body["amount"]) == ("live-4", 1250)


def test_what_only_the_journal_knows_is_a_placeholder(tmp_path: Path) -> None:
    cancel = vector_request("kyren", "cancel_accepted", prefix=PREFIX, headers=(KEY,))
    found = translated(tmp_path, "bacc", cancel)
    assert found["verdict"] == "bridged"
    assert "amount from the journal" in found["bridged_by"]
    (request,) = found["requests"]
    assert '"amount":<amount of the bet>' in request["body"]
    assert '"original_transaction_id":"bacc:debit:ky-ref-501"' in request["body"]


def test_a_payout_of_no_round_is_shown_in_that_which_it_is_told_in(tmp_path: Path) -> None:
    """It is made of its own id, so it can be shown."""
    found = translated(tmp_path, "bacc", vector_request("kyren", "promowin_accepted", prefix=PREFIX, headers=(KEY,)))
    assert found["verdict"] == "bridged"
    assert "round from its own id" in found["bridged_by"]
    assert json.loads(found["requests"][0]["body"])["round_id"].startswith("~")


def test_what_is_not_sent(tmp_path: Path) -> None:
    check = vector_request("kyren", "check_accepted", prefix=PREFIX, headers=(KEY,))
    found = translated(tmp_path, "bacc", check)
    assert found["verdict"] == "bridged"
    assert "requests" not in found


def test_the_proof_is_checked_unless_told_otherwise(tmp_path: Path) -> None:
    config = folder_with(tmp_path)
    bet = vector_request("kyren", "bet_accepted", prefix=PREFIX)
    result = call("translate", "--config", config, "--provider", "bacc", stdin=bet)
    assert result.exit_code == 1
    assert "declined, bad_signature: the shared key is missing or wrong (api_key)" in result.stderr
    assert call("translate", "--config", config, "--provider", "bacc", "--unsigned", stdin=bet).exit_code == 0
    stranger = vector_request("kyren", "bet_accepted", prefix="/bacc/wrong", headers=(KEY,))
    result = call("translate", "--config", config, "--provider", "bacc", stdin=stranger)
    assert result.exit_code == 1
    assert "the path token is nobody's" in result.stderr


def test_the_path_without_the_providers_segments(tmp_path: Path) -> None:
    found = translated(tmp_path, "bacc", vector_request("kyren", "bet_accepted", headers=(KEY,)))
    assert "path_token was not checked: the path has no provider's segments" in found["notes"]


def test_for_people(tmp_path: Path) -> None:
    bet = vector_request("scorpio_play", "bet_accepted", prefix="/scorp")
    result = call("translate", "--config", folder_with(tmp_path), "--provider", "scorp", "--unsigned", stdin=bet)
    assert result.exit_code == 0
    assert "scorp: bet, not checked" in result.stdout
    assert "-> main: same" in result.stdout
    assert "POST https://wallet.example/api/debit" in result.stdout
    assert "webhook-signature: <when sent>" in result.stdout


def test_requests_that_are_refused(tmp_path: Path) -> None:
    config = folder_with(tmp_path)

    def said(request: bytes) -> str:
        result = call("translate", "--config", config, "--provider", "bacc", "--unsigned", stdin=request)
        assert result.exit_code == 1
        assert result.stdout == ""
        return result.stderr

    assert "kyren has no call POST /nothing" in said(b"POST /nothing HTTP/1.1\n\n{}")
    assert "kyren has no call GET /v1/Bet; allowed: POST" in said(b"GET /v1/Bet HTTP/1.1\n\n")
    assert "declined, invalid_request" in said(b"POST /v1/Bet HTTP/1.1\n\n{")
    assert "(amount)" in said(vector_request("kyren", "bet_without_amount"))


def test_a_wrong_name(tmp_path: Path) -> None:
    result = call("translate", "--config", folder_with(tmp_path), "--provider", "bac", stdin=b"")
    assert result.exit_code == 2
    assert "did you mean bacc?" in result.stderr
