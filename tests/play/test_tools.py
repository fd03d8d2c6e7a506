"""The commands and their small parts: what is wrong is said clearly, and with exit status 2."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli.provider import command as provider
from gateway.cli.wallet import command as wallet
from gateway.currency import Currencies
from gateway.model import Accepted, Credit, Debit, Rollback, Round, Transaction, Unknown
from gateway.play.book import Rules
from gateway.play.choose import dialect_named
from gateway.play.faults import BadFault, parse_fault
from gateway.play.ledger import Ledger
from gateway.play.mask import HIDDEN, Mask
from gateway.play.players import BadPlayers, open_players
from gateway.play.purse import Purse
from gateway.play.show import spaced


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--dialect", "netgamming"], "did you mean netgaming?"),
        (["--dialect", "kyren", "--setting", "family=1"], "did you mean family_md5?"),
        (["--dialect", "kyren", "--setting", "family_md5=perhaps"], "family_md5"),
        (["--dialect", "native", "--setting", "a=b"], "it has none"),
        (["--dialect", "native", "--key", "secrets=x"], "did you mean secret?"),
        (["--dialect", "native", "--key", "secret"], "NAME=VALUE"),
        (["--dialect", "native", "--key", "secret=@/nowhere/at/all"], "No such file"),
        (["--dialect", "native", "--fault", "drop-later:0.1"], "unknown fault 'drop-later'"),
        (["--dialect", "native", "--fault", "delay"], "write delay:0.1"),
        (["--dialect", "native", "--listen", "nowhere"], "is no address"),
        (["--dialect", "native", "--listen", "192.0.2.1:1"], "cannot listen on 192.0.2.1:1"),
        (["--dialect", "native", "--currency", "EURO"], "unknown currency"),
        (["--dialect", "native", "--players", "/nowhere/at/all"], "No such file"),
    ],
)
def test_wallet_says_what_is_wrong(arguments: list[str], says: str) -> None:
    result = CliRunner().invoke(wallet, arguments)
    assert (result.exit_code, says in result.output) == (2, True), result.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--dialect", "nothing", "--url", "http://127.0.0.1:1"], "unknown dialect"),
        (["--dialect", "native", "--url", "127.0.0.1:1"], "is no address"),
        (["--dialect", "native", "--url", "http://127.0.0.1:1", "--header", "X-Api-Key"], "write X-Api-Key=VALUE"),
        (["--dialect", "native", "--url", "http://127.0.0.1:1", "--currency", "X"], "unknown currency"),
        (["--dialect", "native", "--url", "http://127.0.0.1:1", "--players", "0"], "--players"),
    ],
)
def test_provider_says_what_is_wrong(arguments: list[str], says: str) -> None:
    result = CliRunner().invoke(provider, arguments)
    assert (result.exit_code, says in result.output) == (2, True), result.output


def test_faults_have_a_rate() -> None:
    assert (parse_fault("drop-after:0.25").rate, parse_fault("delay:1:0.5").seconds) == (0.25, 0.5)
    for text in ("drop-after:2", "drop-after:-1", "drop-after:much", "nothing:0.1", "delay:0.1:x"):
        with pytest.raises(BadFault):
            parse_fault(text)


@pytest.mark.parametrize(
    "text",
    [
        "player,currency,balance,blocked\nanna,EUR,250.00,\nbert,JPY,150,yes\n",
        '[{"player": "anna", "currency": "EUR", "balance": "250.00"},'
        ' {"player": "bert", "currency": "JPY", "balance": 150, "blocked": true}]',
    ],
)
def test_players_come_from_csv_and_json(tmp_path: Path, text: str) -> None:
    file, purse = tmp_path / "players", Purse(Rules(), opening=None)
    file.write_text(text, encoding="utf-8")
    assert open_players(purse, file, Currencies()) == 2
    assert purse.cash == {("anna", "EUR"): Decimal("250.00"), ("bert", "JPY"): Decimal(150)}
    assert purse.blocked == {"bert"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("player,currency\nanna,EUR\n", ":1: has no column balance"),
        ("player,currency,balance\nanna,EUR,\n", ":2: balance is missing"),
        ("player,currency,balance\nanna,EUR,much\n", ":2: 'much' is no amount"),
        ("player,currency,balance\nanna,EUR,1.001\n", ":2: balance has more digits than EUR"),
        ("player,currency,balance\nanna,EURO,1\n", ":2: unknown currency"),
        ("player,currency,balance\n", "names no player"),
        ("[1]", "is no list of players"),
        ("[{", "is not JSON"),
    ],
)
def test_a_wrong_players_file_is_told_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "players"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadPlayers, match=str(file)) as caught:
        open_players(Purse(Rules(), opening=None), file, Currencies())
    assert says in str(caught.value)


def test_wallet_and_provider_as_processes(tmp_path: Path) -> None:
    log = tmp_path / "calls.jsonl"
    command = [sys.executable, "-m", "gateway", "wallet", "--dialect", "kyren", "--listen", "127.0.0.1:0"]
    process = subprocess.Popen([*command, "--log", str(log)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        with process.stdout:
            ready = process.stdout.readline().split()
            assert ready[0] == "ready"
            arguments = ["--dialect", "kyren", "--url", ready[1], "--players", "2", "--rounds", "3", "--seed", "1"]
            result = CliRunner().invoke(provider, [*arguments, "--json"])
            table = CliRunner().invoke(provider, arguments)
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
    book = json.loads(result.output)
    assert (result.exit_code, book["in_doubt"], [row["rounds"] for row in book["players"]]) == (0, [], [3, 3])
    assert "nothing in doubt" in table.output
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert {line["outcome"] for line in lines} == {"accepted"}


def test_provider_without_anybody_there() -> None:
    arguments = ["--dialect", "native", "--url", "http://127.0.0.1:9", "--players", "1", "--rounds", "0"]
    result = CliRunner().invoke(provider, arguments)
    assert (result.exit_code, "nobody answers" in result.output) == (1, True)


def test_masks_hide_sessions_in_every_form() -> None:
    mask = Mask(dialect_named("native"), ["a-long-secret-value"])
    assert (
        mask.text('{"token":"abc", "n":{"sessionId": 12}}')
        == f'{{"token":"{HIDDEN}", "n":{{"sessionId": "{HIDDEN}"}}}}'
    )
    assert mask.text("/p?session=abc&x=1") == f"/p?session={HIDDEN}&x=1"
    assert mask.text("<TOKEN>abc</TOKEN>") == f"<TOKEN>{HIDDEN}</TOKEN>"
    assert mask.text("/acme/a-long-secret-value/v1") == f"/acme/{HIDDEN}/v1"
    assert mask.headers({"x-request-signature": "s", "accept": "a"}) == {"x-request-signature": HIDDEN, "accept": "a"}


def test_json_is_spaced_outside_of_its_texts() -> None:
    assert spaced('{"a":"x,y:\\"z,","b":[1,2]}') == '{"a": "x,y:\\"z,", "b": [1, 2]}'
    assert spaced("a=1,2") == "a=1,2"


def test_the_ledger_books_every_answer_once() -> None:
    def tx(act: Debit | Credit | Rollback, tx_id: str) -> Transaction:
        return Transaction(act=act, id=tx_id, player="anna", currency="EUR", round=Round("r"))

    ledger, yes = Ledger(), Accepted()
    ledger.open("anna", "EUR", Decimal(100))
    for _ in range(2):
        ledger.hear("p", tx(Debit(amount=Decimal(10)), "1"), yes)
        ledger.hear("p", tx(Debit(amount=Decimal(5)), "2"), yes)
    ledger.hear("p", tx(Debit(amount=Decimal(50)), "3"), Unknown())
    ledger.hear("p", tx(Credit(amount=Decimal(7)), "1"), yes)
    ledger.hear("p", tx(Rollback(reference="1", amount=Decimal(4)), "u1"), yes)
    ledger.hear("p", tx(Rollback(reference="x", scope="round"), "u2"), yes)
    purse = ledger.purses["anna"]
    assert (purse.bets, purse.wins, purse.refunds, purse.expected) == (15, 7, 15, 107)


def test_the_demo_adds_up_and_leaves_nothing_behind(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-m", "gateway", "demo"],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    assert run.stdout.rstrip().endswith("7 purses add up")
    assert ("sess-" in run.stdout, "\x1b" in run.stdout) == (False, False)
    assert list(tmp_path.iterdir()) == []


def test_the_demo_can_be_kept_and_ended(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "gateway", "demo", "--keep"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                if "wallet scorpio" in line:
                    break
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
    assert list(tmp_path.iterdir()) == []
