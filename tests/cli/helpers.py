"""Calls of the command line, in this process, with real files."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from gateway.cli.main import main
from gateway.serve import discover
from gateway.vectors import demo_key, load

SECRETS = {
    "SCORPIO": "scorpio-secret-1",
    "SCORPIO_OLD": "scorpio-secret-2",
    "GUARD": "guard-secret-1",
    "TOKEN": "path-token-1",
    "WALLET": "whsec_bmF0aXZlIHRlc3Qga2V5",
}
CONFIG = """\
version: 1
server: {listen: "127.0.0.1:8080"}
admin: {listen: "127.0.0.1:9090"}
journal: {url: "sqlite:///:memory:"}
providers:
  scorp:
    dialect: scorpio_play
    keys: [{id: new, secret: {env: SCORPIO}}, {id: old, secret: {env: SCORPIO_OLD}}]
  bacc:
    dialect: kyren
    guard:
      networks: [10.0.0.0/8]
      path_token: [{id: p, secret: {env: TOKEN}}]
      api_key: [{id: a, secret: {env: GUARD}}]
  slots:
    dialect: netgaming
    guard: {hmac: [{id: h, secret: {env: GUARD}}]}
wallets:
  main:
    dialect: native
    url: https://wallet.example/api
    keys: [{id: w, secret: {env: WALLET}}]
    repeats: safe
  live:
    dialect: netgaming
    url: https://live.example
    repeats: safe
    send: {api_key: {env: GUARD}}
routes:
  - {wallet: live, when: {provider: bacc}, games: {file: games.csv}, players: {to_wallet: "vip-{player}"}}
  - wallet: main
"""


def folder_with(tmp_path: Path, text: str = CONFIG) -> Path:
    (tmp_path / "gateway.yaml").write_text(text)
    (tmp_path / "games.csv").write_text("9_speed_baccarat4,live-4\n")
    return tmp_path / "gateway.yaml"


def call(*arguments: str | Path, stdin: str | bytes = b"") -> Result:
    """One call; whatever it raises but an exit is a mistake of ours."""
    result = CliRunner(env=SECRETS).invoke(main, list(map(str, arguments)), input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result


def vector_request(
    dialect: str, name: str, *, prefix: str = "", headers: tuple[str, ...] = (), end: str = "\n"
) -> bytes:
    """A vector's request as somebody would paste it."""
    found = discover.find(dialect)
    request = load(found.dialect, found.folder / "vectors" / f"{name}.txt").request
    lines = [f"{request.method} {prefix}{request.url} HTTP/1.1", "Host: gateway.example", *headers]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    lines.append(f"Content-Length: {len(request.body)}")
    return end.join([*lines, "", ""]).encode() + request.body


def demo_secret(dialect: str) -> str:
    found = discover.find(dialect).dialect
    return demo_key(found, found.settings()).part("secret")
