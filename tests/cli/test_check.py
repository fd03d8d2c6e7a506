"""`gateway check` and `gateway dialects`."""

from __future__ import annotations

import json
from pathlib import Path

from gateway.serve import discover
from tests.cli.helpers import CONFIG, call, folder_with


def test_a_right_configuration(tmp_path: Path) -> None:
    result = call("check", folder_with(tmp_path))
    assert result.exit_code == 0
    assert "right; 3 providers, 2 wallets, 2 routes" in result.stdout
    assert "bacc (kyren) -> live (netgaming), route 1" in result.stdout
    assert "amount from the journal" in result.stdout


def test_the_report_for_programs(tmp_path: Path) -> None:
    report = json.loads(call("check", folder_with(tmp_path), "--json").stdout)
    assert report["ok"]
    way = next(route for route in report["routes"] if route["wallet"] == "live")
    verdicts = {(act["act"], act["verdict"]) for act in way["acts"]}
    assert ("debit", "same") in verdicts
    assert ("rollback of a debit", "bridged") in verdicts
    native = [act for route in report["routes"] if route["wallet"] == "main" for act in route["acts"]]
    assert "refused" not in {act["verdict"] for act in native}


def test_a_rollback_is_judged_for_each_kind_that_it_may_mean(tmp_path: Path) -> None:
    """Its wire does not say which: a wallet that can undo a bet only was said to be told all of it."""
    points = (
        "dialect: gameball\n    currency: EUR\n    keys: [{id: k, api_key: {env: SCORPIO}, secret_key: {env: GUARD}}]\n"
    )
    text = CONFIG.replace("dialect: kyren\n", points)
    report = json.loads(call("check", folder_with(tmp_path, text), "--json").stdout)
    way = next(route for route in report["routes"] if route["wallet"] == "live")
    verdicts = {(act["act"], act["verdict"]) for act in way["acts"]}
    assert {("rollback of a credit", "refused"), ("rollback of a capture", "refused")} <= verdicts


def test_what_waits_for_a_person_is_named_as_such(tmp_path: Path) -> None:
    """What is owed and cannot be told; anything else that is refused is declined."""
    text = CONFIG.replace(
        "dialect: kyren\n", "dialect: native\n    currency: EUR\n    keys: [{id: k, secret: {env: WALLET}}]\n"
    )
    path = folder_with(tmp_path, text)
    report = json.loads(call("check", path, "--json").stdout)
    way = next(route for route in report["routes"] if route["wallet"] == "live")
    refused = {act["act"]: act["person"] for act in way["acts"] if act["verdict"] == "refused"}
    assert refused["rollback of a credit"]
    assert not refused["reserve"]
    rows = [line.split(maxsplit=1) for line in call("check", path).stdout.splitlines()]
    shown = [row[1] for row in rows if row[:1] == ["rollback"]]
    assert any("for a person" in each and "cannot say a rollback of a credit" in each for each in shown)


def test_mistakes_go_to_standard_error_all_at_once(tmp_path: Path) -> None:
    path = folder_with(
        tmp_path, CONFIG.replace("dialect: kyren", "dialect: kyran").replace("wallet: main", "wallet: mian")
    )
    result = call("check", path)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        f"{path}:10:14: unknown dialect 'kyran' (write kyren)",
        f"{path}:31:13: unknown wallet 'mian' (write main)",
    ]
    report = json.loads(call("check", path, "--json").stdout)
    assert not report["ok"]
    assert [problem["line"] for problem in report["problems"]] == [10, 31]


def test_no_way_at_all_fails(tmp_path: Path) -> None:
    path = folder_with(tmp_path, CONFIG.replace("  - wallet: main\n", ""))
    result = call("check", path)
    assert result.exit_code == 1
    assert "the provider scorp has no way at all" in result.stderr


def test_a_wrong_call(tmp_path: Path) -> None:
    assert call("check").exit_code == 2
    assert call("check", tmp_path / "none.yaml").exit_code == 2
    assert call("chekc").exit_code == 2


def test_the_schema() -> None:
    schema = json.loads(call("check", "--schema").stdout)
    assert schema["additionalProperties"] is False


def test_every_dialect_is_described() -> None:
    found = {each["name"]: each for each in json.loads(call("dialects", "--json").stdout)}
    assert list(found) == discover.names()
    native = found["native"]
    assert native["keys"][0]["demo"].startswith("whsec_")
    assert set(native["wallet_end"]) == set(native["provider_end"])
    assert {"name": "wire_scale", "type": "fixed2 | iso4217", "default": "fixed2"} in found["netgaming"]["settings"]
    assert found["netgaming"]["guard"]
    assert found["kyren"]["keys"] == [
        {"part": "secret", "secret": True, "demo": found["kyren"]["keys"][0]["demo"], "with": "family_md5: true"}
    ]


def test_one_dialect_for_people() -> None:
    result = call("dialects", "kyren")
    assert result.exit_code == 0
    assert "kyren: " in result.stdout
    assert "native" not in result.stdout
    assert call("dialects", "kyran").exit_code == 2


def test_completion_and_help() -> None:
    assert "_GATEWAY_COMPLETE" in call("completion", "zsh").stdout
    result = call("--help")
    assert result.exit_code == 0
    assert "translate" in result.stdout
