"""`gateway serve` and `gateway tx` as processes: start, reload, end."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from .helpers import KEY
from .rows import bet, filled

COMMAND = "from gateway.cli.{0} import command; command()"
SECRET = KEY.part("secret")
ENVIRON = {**os.environ, "SECRET": SECRET}

CONFIG = """
version: 1
server: {listen: "127.0.0.1:0"}
admin: {listen: "127.0.0.1:0"}
journal: {url: "sqlite:///journal.db"}
providers:
  acme: {id: acme-id, dialect: native, keys: [{id: a, secret: {env: SECRET}}]}
wallets:
  main: {dialect: native, url: "http://127.0.0.1:1/api", repeats: safe, keys: [{id: w, secret: {env: SECRET}}]}
  other: {dialect: native, url: "http://127.0.0.1:2/api", repeats: safe, keys: [{id: w, secret: {env: SECRET}}]}
routes: [{wallet: main}]
"""


class Running:
    """A gateway of its own, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "gateway.yaml"
        self.config.write_text(CONFIG)
        self._errors = (folder / "errors").open("w+")
        self._process: subprocess.Popen[str] | None = None
        self.provider_url = self.admin_url = ""

    def start(self) -> None:
        arguments = [sys.executable, "-c", COMMAND.format("serve"), "--config", str(self.config)]
        self._process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=self._errors, env=ENVIRON, text=True)
        assert self._process.stdout is not None
        found = re.fullmatch(r"ready (http://\S+:\d+) admin (http://\S+:\d+)\n", self._process.stdout.readline())
        assert found, self.errors()
        self.provider_url, self.admin_url = found[1], found[2]

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def ended(self) -> int:
        assert self._process is not None
        return self._process.wait(10)

    def errors(self) -> str:
        return Path(self._errors.name).read_text()

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.admin_url + path, trust_env=False)

    def generation(self) -> int:
        return int(self.get("/api/config").json()["generation"])

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
        self._errors.close()


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Running]:
    found = Running(tmp_path)
    yield found
    found.close()


def until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.01)


def ran(name: str, *arguments: str, cwd: Path, environ: dict[str, str] = ENVIRON) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", COMMAND.format(name), *arguments],
        cwd=cwd, env=environ, capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip


def test_it_serves_reloads_and_ends(gateway: Running) -> None:
    gateway.start()
    assert gateway.get("/readyz").status_code == 200
    assert httpx.get(gateway.provider_url + "/nobody", trust_env=False).status_code == 404

    gateway.config.write_text(CONFIG.replace("repeats: safe", "repeats: always"))
    gateway.signal(signal.SIGHUP)
    until(lambda: "the configuration in use stays" in gateway.errors())
    assert re.search(r"gateway\.yaml:\d+:\d+: ", gateway.errors())
    assert gateway.generation() == 1

    changed = CONFIG.replace("  acme:", "  renamed:").replace('"127.0.0.1:0"', '"127.0.0.2:0"', 1)
    gateway.config.write_text(changed)
    gateway.signal(signal.SIGHUP)
    until(lambda: "generation 2 is in use" in gateway.errors())
    assert list(gateway.get("/api/config").json()["providers"]) == ["renamed"]
    assert "server.listen changed, which needs a restart" in gateway.errors()
    assert "gateway_config_generation 2.0" in gateway.get("/metrics").text

    gateway.signal(signal.SIGTERM)
    assert gateway.ended() == 0
    assert SECRET not in gateway.errors()


WITHOUT = [
    ("main: {dialect", "gone: {dialect", "wallet main is removed, and 4 of its movements are unresolved"),
    ("acme-id", "new-id", "no provider has the id acme-id any more, and 4 of its movements are unresolved"),
]


def without(old: str, new: str) -> str:
    """The configuration without what unresolved movements need."""
    route = f"wallet: {new.partition(':')[0]}" if ":" in new else "wallet: main"
    return CONFIG.replace(old, new).replace("wallet: main", route)


@pytest.mark.parametrize(("old", "new", "sentence"), WITHOUT)
def test_a_reload_that_leaves_movements_behind_is_refused(gateway: Running, old: str, new: str, sentence: str) -> None:
    """What is owed could be brought to no wallet any more, or for no provider; the old configuration stays."""
    filled(gateway.config.parent / "journal.db", asking=True)
    gateway.start()
    text = gateway.get("/metrics").text
    assert 'gateway_unresolved{kind="debit",wallet="main"} 2.0' in text
    gateway.config.write_text(without(old, new))
    gateway.signal(signal.SIGHUP)
    until(lambda: "refused" in gateway.errors())
    assert re.search(rf"gateway\.yaml:\d+:\d+: {re.escape(sentence)} \(put it back", gateway.errors())
    assert gateway.generation() == 1
    gateway.config.write_text(CONFIG.replace(":2/api", ":3/api"))
    gateway.signal(signal.SIGHUP)
    until(lambda: "generation 2 is in use" in gateway.errors())


@pytest.mark.parametrize(("old", "new", "sentence"), WITHOUT)
def test_a_start_that_leaves_movements_behind_is_refused(gateway: Running, old: str, new: str, sentence: str) -> None:
    """*A restart with another configuration paid an owed win at the new wallet, too.*"""
    folder = gateway.config.parent
    filled(folder / "journal.db", asking=True)
    gateway.config.write_text(without(old, new))
    refused = ran("serve", "--config", "gateway.yaml", cwd=folder)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert re.search(rf"^gateway\.yaml:\d+:\d+: {re.escape(sentence)} \(put it back", refused.stderr, re.MULTILINE)
    assert "Traceback" not in refused.stderr
    gateway.config.write_text(CONFIG)
    gateway.start()


def test_a_second_gateway_on_one_journal_is_refused(gateway: Running) -> None:
    gateway.start()
    found = ran("serve", "--config", "gateway.yaml", cwd=gateway.config.parent)
    assert (found.returncode, found.stdout) == (1, "")
    assert "Traceback" not in found.stderr
    assert "journal" in found.stderr


def test_an_address_in_use_is_said(gateway: Running) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        gateway.config.write_text(CONFIG.replace("127.0.0.1:0", f"127.0.0.1:{port}", 1))
        found = ran("serve", "--config", "gateway.yaml", cwd=gateway.config.parent)
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr == f"cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_wrong_calls(gateway: Running) -> None:
    folder = gateway.config.parent
    two = ran("serve", "--config", "gateway.yaml", "--workers", "2", cwd=folder)
    assert (two.returncode, "--workers" in two.stderr) == (2, True)
    assert ran("serve", "--config", "missing.yaml", cwd=folder).returncode == 2
    gateway.config.write_text("version: 2\n")
    wrong = ran("serve", "--config", "gateway.yaml", cwd=folder)
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("gateway.yaml:1:")


def test_tx_reads_the_journal_beside_a_gateway_and_without(gateway: Running) -> None:
    folder = gateway.config.parent
    filled(folder / "journal.db", asking=True)
    bare = {name: value for name, value in ENVIRON.items() if name != "SECRET"}

    def keys(*arguments: str) -> list[str]:
        found = ran("tx", "list", "--json", *arguments, cwd=folder, environ=bare)
        assert found.returncode == 0, found.stderr
        assert "secret" not in found.stdout
        return [row["key"].rpartition("/")[2] for row in json.loads(found.stdout)]

    assert keys() == ["b%2F3", "w2", "w1", "b%2F2", "b%2F1"]
    assert keys("--in-doubt") == ["b%2F3", "w2", "w1", "b%2F2"]  # the process that asked for b/3 is gone
    assert keys("--in-doubt", "--older-than", "5m") == ["b%2F2"]
    assert keys("--owed", "--person", "--provider", "acme") == ["w2", "w1"]
    gateway.start()
    assert keys("--in-doubt", "--player", "anna") == ["b%2F3", "b%2F2"]
    table = ran("tx", "list", "--config", str(gateway.config), cwd=folder).stdout.splitlines()
    assert table[0].split() == ["KEY", "STATE", "KIND", "PLAYER", "AMOUNT", "WALLET", "CREATED", "NOTE"]
    assert table[-1].startswith("acme-id/debit/b%2F1  accepted  debit   anna    12.50 EUR  main")


def test_tx_show(gateway: Running) -> None:
    folder = gateway.config.parent
    filled(folder / "journal.db")
    shown = ran("tx", "show", bet(1).key, cwd=folder)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "state: accepted\n" in shown.stdout
    assert "  balance: 87.50\n" in shown.stdout
    assert json.loads(ran("tx", "show", bet(2).key, "--json", cwd=folder).stdout)["note"] == "no answer"
    unknown = ran("tx", "show", "no/such/key", cwd=folder)
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "no/such/key" in unknown.stderr


def test_tx_without_a_journal(gateway: Running) -> None:
    found = ran("tx", "list", cwd=gateway.config.parent)
    assert found.returncode == 1
    assert "cannot open the journal" in found.stderr
    assert ran("tx", "list", "--older-than", "soon", cwd=gateway.config.parent).returncode == 2
