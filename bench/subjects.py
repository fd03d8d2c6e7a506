"""Who plays: the gateway in its ways, and what a user could run instead. Each as a process on loopback."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from msgspec import Struct

from bench.bets import TOKEN, WALLET_ANSWER
from bench.figures import DATABASE
from bench.full import fill
from bench.processes import ROOT, cpu, ports, started
from tests import postgres

PEERS = ROOT / "bench" / "peers"
MODULES = ROOT / "var" / "bench" / "peers"  # ignored: where npm puts what the Node peers are made of
INSTALL_SECONDS = 900  # better-sqlite3 is compiled where nobody has it ready
PROVIDER = "scorpio"

Cpu = Callable[[], dict[str, float]]


class Missing(Exception):
    """This subject cannot be had here; why."""


class Target(Struct, frozen=True):
    """Where it listens, and what its threads have used."""

    port: int
    cpu: Cpu


class Place(Struct, frozen=True):
    """What all subjects of a run share."""

    folder: Path
    wallet: int
    rows: int
    stack: contextlib.ExitStack  # what was begun for one subject, and is kept for its other rounds
    kept: dict[str, object] = {}

    @property
    def environ(self) -> dict[str, str]:
        return {**os.environ, "BENCH_TOKEN": TOKEN, "BENCH_WALLET": f"http://127.0.0.1:{self.wallet}"}

    def path(self, number: int, name: str) -> Path:
        """A folder for one subject in one round."""
        path = self.folder / f"{number}-{name}"
        path.mkdir()
        return path


class Subject(Struct, frozen=True):
    name: str
    title: str
    running: Callable[[Place, int], AbstractContextManager[Target]]
    ours: bool = False
    stateless: bool = False  # keeps nothing, so that a bet may come again when the bets have ended


# ---------------------------------------------------------------- ours


@contextlib.contextmanager
def _gateway(place: Place, folder: Path, journal: str, workers: int, database: Cpu = dict) -> Iterator[Target]:
    port, admin = ports(2)
    config = folder / "gateway.yaml"
    config.write_text(configuration(place.wallet, port, admin, journal), encoding="utf-8")
    command = [sys.executable, "-m", "bench.named", "serve", "--config", str(config), "--workers", str(workers)]
    with started(command, place.environ, port) as pid:
        yield Target(port, lambda: cpu(pid) | database())


def configuration(wallet: int, port: int, admin: int, journal: str) -> str:
    return f"""version: 1
server: {{listen: "127.0.0.1:{port}"}}
admin: {{listen: "127.0.0.1:{admin}"}}
journal: {{url: "{journal}"}}
providers:
  {PROVIDER}: {{dialect: scorpio_play, keys: [{{id: k1, secret: {{env: BENCH_TOKEN}}}}]}}
wallets:
  main: {{dialect: netgaming, url: "http://127.0.0.1:{wallet}", repeats: safe, send: {{headers: {{X-Bench: "1"}}}}}}
routes:
  - wallet: main
    sessions: {{to_wallet: "{{player}}"}}
"""


@contextlib.contextmanager
def on_sqlite(place: Place, number: int) -> Iterator[Target]:
    with _gateway(place, place.path(number, "sqlite"), "sqlite:///journal.db", 1) as target:
        yield target


@contextlib.contextmanager
def on_full_sqlite(place: Place, number: int) -> Iterator[Target]:
    """Built once; the rounds go on in it, and each has bets that were in none before."""
    folder = place.folder / "full"
    if not folder.exists():
        folder.mkdir()
        fill(folder / "journal.db", place.rows, PROVIDER)
    with _gateway(place, folder, "sqlite:///journal.db", 1) as target:
        yield target


def on_postgres(workers: int) -> Callable[[Place, int], AbstractContextManager[Target]]:
    @contextlib.contextmanager
    def running(place: Place, number: int) -> Iterator[Target]:
        server = _server(place)
        main = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
        url = server.create(f"round_{number}_{workers}")
        folder = place.path(number, f"postgres-{workers}")
        with _gateway(place, folder, url, workers, lambda: cpu(main, DATABASE)) as target:
            yield target

    return running


def _server(place: Place) -> postgres.Postgres:
    found = place.kept.get("postgres")
    if found is None:
        try:
            found = place.stack.enter_context(postgres.running(fsync=True))
        except ImportError as error:
            raise Missing(f"the wheel of PostgreSQL is not here ({error})") from None
        place.kept["postgres"] = found
    assert isinstance(found, postgres.Postgres)
    return found


# ---------------------------------------------------------------- peers


@contextlib.contextmanager
def starlette(place: Place, number: int) -> Iterator[Target]:
    (port,) = ports(1)
    app = "bench.peers.starlette_httpx:app"
    command = [sys.executable, "-m", "uvicorn", app, "--port", str(port), "--no-access-log", "--log-level", "warning"]
    with started(command, place.environ, port) as pid:
        yield Target(port, lambda: cpu(pid, "all"))


def node(
    script: str, *, journal: bool = False, **environ: str
) -> Callable[[Place, int], AbstractContextManager[Target]]:
    @contextlib.contextmanager
    def running(place: Place, number: int) -> Iterator[Target]:
        modules = _modules(place)
        (port,) = ports(1)
        command = ["node", script, str(port)]
        if journal:
            command.append(str(place.path(number, f"{script}{len(environ)}") / "journal.db"))
        with started(command, {**place.environ, "NODE_ENV": "production", **environ}, port, modules) as pid:
            yield Target(port, lambda: cpu(pid, "all"))

    return running


def _modules(place: Place) -> Path:
    """Where the Node peers run: their files beside what npm installed for exactly their package.json."""
    if "node" not in place.kept:
        for tool in ("node", "npm"):
            if shutil.which(tool) is None:
                raise Missing(f"{tool} is not here")
        wanted, had = (PEERS / "package.json").read_text(), MODULES / "installed.json"
        MODULES.mkdir(parents=True, exist_ok=True)
        for each in PEERS.glob("*.mjs"):
            shutil.copy(each, MODULES)
        if not had.exists() or had.read_text() != wanted:
            _install(wanted)
            had.write_text(wanted)
        place.kept["node"] = MODULES
    return MODULES


def _install(wanted: str) -> None:
    (MODULES / "package.json").write_text(wanted)
    print("installing what the Node peers are made of (npm install)", flush=True)
    command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(
            command, cwd=MODULES, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise Missing(f"npm install took more than {INSTALL_SECONDS} s") from None
    if done.returncode:
        raise Missing(f"npm install failed: {_last(done.stderr)}")


def _last(said: str) -> str:
    return next((line for line in reversed(said.splitlines()) if line.strip() and "log" not in line), "")[:200]


@contextlib.contextmanager
def proxy(place: Place, number: int) -> Iterator[Target]:
    (port,) = ports(1)
    answer = "proxy_pass http://wallet; proxy_http_version 1.1; proxy_set_header Connection '';"
    with nginx(place.path(number, "nginx"), port, place.wallet, answer) as pid:
        yield Target(port, lambda: cpu(pid, "all"))


@contextlib.contextmanager
def nginx(folder: Path, port: int, wallet: int, answer: str) -> Iterator[int]:
    if shutil.which("nginx") is None:
        raise Missing("nginx is not here (Debian: apt-get install nginx-light)")
    filled = {"folder": str(folder), "port": str(port), "wallet": str(wallet), "answer": answer}
    config = folder / "nginx.conf"
    config.write_text(replaced((PEERS / "nginx.conf").read_text(), filled), encoding="utf-8")
    with started(["nginx", "-e", "stderr", "-p", str(folder), "-c", str(config)], os.environ, port) as pid:
        yield pid


def replaced(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"%{name}%", value)
    return text


@contextlib.contextmanager
def wallet(folder: Path) -> Iterator[tuple[int, int, str]]:
    """(port, pid, what it is) of the wallet that all ask: nginx where it is here, else Python."""
    (port,) = ports(1)
    if shutil.which("nginx") is not None:
        answer = f"default_type application/json; return 200 '{WALLET_ANSWER}';"
        with nginx(folder, port, port, answer) as pid:
            yield port, pid, "nginx"
    else:
        with started([sys.executable, "-m", "bench.wallet", str(port)], os.environ, port) as pid:
            yield port, pid, "asyncio with httptools"


SUBJECTS = (
    Subject("sqlite", "ours, SQLite, 1 worker", on_sqlite, ours=True),
    Subject("rows", "ours, SQLite with rows", on_full_sqlite, ours=True),
    Subject("postgres", "ours, PostgreSQL, 1 worker", on_postgres(1), ours=True),
    Subject("postgres_2", "ours, PostgreSQL, 2 workers", on_postgres(2), ours=True),
    Subject("starlette", "Starlette + httpx, stateless", starlette, stateless=True),
    Subject("journal", "Fastify + undici, 2 commits a call", node("fastify_journal.mjs", journal=True)),
    Subject(
        "grouped",
        "the same, commits grouped by turn of the loop",
        node("fastify_journal.mjs", journal=True, GROUPED="1"),
    ),
    Subject("fastify", "Fastify + undici, stateless", node("fastify_stateless.mjs"), stateless=True),
    Subject("nginx", "nginx, a bare proxy", proxy, stateless=True),
)
