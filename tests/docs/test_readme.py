"""README's first provider, played as it is written: its files, its commands, real processes."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from docs.generate import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
PLAY = README.split("## A first provider in five minutes")[1].split("\n## ")[0]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILES = {"yaml": "gateway.yaml", "http": "bet.http"}
SECONDS_MAX = 60
CURL = """#!{python}
# What README asks of curl, for a machine that has none.
import sys, urllib.request
words, headers, body, url = sys.argv[1:], {{}}, None, ""
while words:
    word = words.pop(0)
    if word == "-H":
        name, _, value = words.pop(0).partition(":")
        headers[name] = value.strip()
    elif word == "--data-binary":
        body = words.pop(0).encode()
    elif not word.startswith("-"):
        url = word
opener = urllib.request.build_opener(urllib.request.ProxyHandler({{}}))
sys.stdout.buffer.write(opener.open(urllib.request.Request(url, body, headers)).read())
"""


def free_ports(number: int) -> list[str]:
    with socket.socket() as first, socket.socket() as second, socket.socket() as third:
        held = (first, second, third)[:number]
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [str(one.getsockname()[1]) for one in held]


def script(folder: Path) -> str:
    """The shell blocks in order, the others as files; with ports of our own, and without `make venv`, which
    whoever runs this has done."""
    text = PLAY
    for port, free in zip(("9100", "8080", "9090"), free_ports(3), strict=True):
        text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{free}")
    lines = ["set -eum"]
    for kind, block in BLOCK.findall(text):
        if kind == "sh":
            lines.append(block.replace("make venv\n", "").replace("$PWD/.venv/bin", str(Path(sys.executable).parent)))
        else:
            (folder / "var" / "first").mkdir(parents=True, exist_ok=True)
            (folder / "var" / "first" / FILES[kind]).write_text(block, encoding="utf-8")
    return "\n".join([*lines, "wait"])


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the commands print. Whatever they started is gone afterwards, how ever they ended."""
    folder = tmp_path_factory.mktemp("readme")
    stand_ins = tmp_path_factory.mktemp("bin")
    if shutil.which("curl") is None:
        (stand_ins / "curl").write_text(CURL.format(python=sys.executable), encoding="utf-8")
        (stand_ins / "curl").chmod(0o755)
    said = folder / "output"  # a file: what is left running after a failure would hold a pipe open
    with said.open("wb") as output:
        process = subprocess.Popen(
            ["bash", "-c", script(folder)],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "LC_ALL": "C.UTF-8", "PATH": f"{os.environ['PATH']}:{stand_ins}"},
        )
        try:
            status = process.wait(SECONDS_MAX)
        finally:
            end_session(process.pid)
    text = said.read_text(encoding="utf-8")
    assert status == 0, text
    return text


def end_session(leader: int) -> None:
    """Ends what is left of our session: with job control each background command has a group of its own."""
    for each in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(each.name)) == leader:
                os.kill(int(each.name), signal.SIGKILL)
        except ProcessLookupError:
            continue


def test_the_configuration_is_right(played: str) -> None:
    assert "gateway.yaml: right; 1 provider, 1 wallet, 1 route" in played


def test_both_processes_came_up(played: str) -> None:
    assert re.search(r"^ready http://127\.0\.0\.1:\d+$", played, re.MULTILINE)
    assert re.search(r"^ready http://127\.0\.0\.1:\d+ admin http://127\.0\.0\.1:\d+$", played, re.MULTILINE)


def test_the_bet_was_translated(played: str) -> None:
    assert '"amount": "12.50"' in played
    assert "/debit" in played


def test_both_attempts_heard_the_same_yes(played: str) -> None:
    answers = re.findall(
        r'\{[^{}]*"statusCode": ?"OK"[^{}]*\}', played
    )  # a line of the log may come before its newline
    assert len(answers) == 2
    assert answers[0] == answers[1]
    assert "987.5" in answers[0]


def test_the_purse_moved_once(played: str) -> None:
    assert re.search(r"^acme/debit/B-1 +accepted +debit +anna +12\.50 EUR", played, re.MULTILINE)
    assert '"player":"anna","currency":"EUR","balance":"987.50"' in played


def test_the_provider_played_without_doubt(played: str) -> None:
    assert "nothing in doubt" in played
    assert re.search(r'gateway_calls_total\{.*kind="debit",outcome="accepted"', played)


def test_the_two_commands_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for command in ("make demo", "make test"):
        assert command in README
        assert f"\n{command.removeprefix('make ')}: " in makefile
