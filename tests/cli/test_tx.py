"""`gateway tx` on a journal's file, with no gateway beside it; the rest is in tests/end_to_end/test_tx.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.helpers import call
from tests.serve.rows import bet, filled, win

CONFIG = """\
version: 1
server: {listen: "127.0.0.1:8080"}
admin: {listen: "127.0.0.1:9090", keys: [{id: ops, secret: {env: NOT_IN_THIS_SHELL}}]}
journal: {url: "sqlite:///journal.db"}
providers:
  acme:
    id: acme-id
    dialect: native
    keys: [{id: k, secret: {env: NOT_IN_THIS_SHELL}}]
wallets:
  main:
    dialect: native
    url: https://wallet.example/api
    keys: [{id: w, secret: {env: NOT_IN_THIS_SHELL}}]
    repeats: safe
routes: [{wallet: main}]
"""
IN_DOUBT, OWED, PERSON, DECIDED = bet(2).key, win(1).key, win(2).key, bet(1).key
SAID = ("--reason", "it is in their book", "--by", "Ada")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    filled(tmp_path / "journal.db")
    (tmp_path / "gateway.yaml").write_text(CONFIG)
    return tmp_path / "gateway.yaml"


def tx(config: Path, *arguments: str) -> Any:
    """What it says as JSON; nothing may have gone wrong."""
    done = call("tx", arguments[0], "--config", config, "--json", *arguments[1:])
    assert (done.exit_code, done.stderr) == (0, ""), done.stderr
    return json.loads(done.stdout)


def refused(config: Path, *arguments: str) -> str:
    done = call("tx", arguments[0], "--config", config, *arguments[1:])
    assert (done.exit_code, done.stdout) == (1, "")
    return done.stderr


def test_the_key_that_is_listed_is_the_key_that_is_taken(config: Path) -> None:
    table = call("tx", "list", "--config", config).stdout.splitlines()[1:]
    for line in table:
        key = line.split()[0]
        assert tx(config, "show", key)["key"] == key


def test_the_whole_story_is_shown_and_nothing_secret(config: Path) -> None:
    call("tx", "resolve", "--config", config, PERSON, "--as", "accepted", *SAID)
    shown = call("tx", "show", "--config", config, PERSON).stdout
    assert "resolved     accepted by Ada: it is in their book" in shown
    assert "received     credit" in shown
    for key in (IN_DOUBT, OWED, PERSON, DECIDED):
        assert "secret" not in call("tx", "show", "--config", config, key).stdout


@pytest.mark.parametrize("decision", ["accepted", "declined"])
def test_resolve_decides_on_the_file_where_no_gateway_runs(config: Path, decision: str) -> None:
    done = call("tx", "resolve", "--config", config, PERSON, "--as", decision, *SAID)
    assert (done.exit_code, done.stdout) == (0, f"{PERSON}: {decision}\n")
    found = tx(config, "show", PERSON)
    assert found["state"] == decision
    assert [step["detail"] for step in found["story"] if step["what"] == "resolved"] == [
        f"{decision} by Ada: it is in their book"
    ]
    assert PERSON not in [row["key"] for row in tx(config, "list", "--person")]


def test_a_decided_one_is_never_changed(config: Path) -> None:
    for arguments in (("resolve", "--as", "declined", *SAID, "--force"), ("retry",)):
        assert "decision stands" in refused(config, arguments[0], DECIDED, *arguments[1:])


def test_retry_makes_it_due(config: Path) -> None:
    done = call("tx", "retry", "--config", config, PERSON, "--by", "Ada")
    assert (done.exit_code, done.stdout) == (0, f"{PERSON}: owed, due at once\n")
    assert {"what": "retry", "detail": "by Ada"}.items() <= tx(config, "show", PERSON)["story"][-1].items()


def test_what_the_wallet_may_still_apply_wants_force(config: Path) -> None:
    said = ("resolve", OWED, "--as", "accepted", *SAID)
    assert "--force" in refused(config, *said)
    assert tx(config, *said, "--force")["state"] == "accepted"


def test_a_wallets_name_of_what_is_no_hold_is_refused(config: Path) -> None:
    """It comes to where it is decided."""
    assert "leave it out" in refused(config, "resolve", PERSON, "--as", "accepted", *SAID, "--wallet-id", "7")


def test_wrong_calls(config: Path) -> None:
    assert "`gateway tx list` prints keys" in refused(config, "retry", "acme-id/debit/zz")
    for arguments in (
        ("resolve", PERSON),
        ("resolve", PERSON, "--as", "maybe", *SAID),
        ("resolve", PERSON, "--as", "accepted", "--by", "Ada"),
        ("resolve", PERSON, "--as", "accepted", "--by", "Ada", "--reason", " "),
    ):
        assert call("tx", arguments[0], "--config", config, *arguments[1:]).exit_code == 2


def test_no_journal_no_gateway(config: Path) -> None:
    (config.parent / "journal.db").unlink()
    assert "there is no journal at" in refused(config, "retry", PERSON)
    assert not (config.parent / "journal.db").exists()
