"""The gateway beside a hand-written adapter, on the same work, in the same run.

One worker each, 32 keep-alive connections, Scorpio Play's cancel of some 230 bytes to a NetGaming
wallet that answers at once. The gateway journals with two durable commits a call; the hand-written
Starlette + httpx adapter (bench/peer.py) keeps nothing. Needs `wrk`.

    make bench                        or: python -m bench.run --seconds 10
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import hmac
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
TOKEN = "bench-token-7f3a"
CONNECTIONS = 32
START_SECONDS = 20


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=8, help="of each measurement (%(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="of the pair, in turn (%(default)s)")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        print("wrk is not here: install it (Debian: apt-get install wrk)", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        return measure(Path(name), options.seconds, options.runs)


def measure(folder: Path, seconds: int, runs: int) -> int:
    wallet, server, admin, peer = ports(4)
    bodies = folder / "bodies.txt"
    bodies.write_text(signed_bodies(12_000 * seconds))
    environ = {**os.environ, "BENCH_TOKEN": TOKEN, "BENCH_WALLET": f"http://127.0.0.1:{wallet}"}
    rates: dict[str, list[float]] = {"gateway": [], "peer": []}
    with started([sys.executable, "-m", "bench.wallet", str(wallet)], environ, "ready"):
        for run in range(runs):
            config = configuration(folder / f"run-{run}", wallet, server, admin)
            with started([sys.executable, "-m", "gateway", "serve", "--config", str(config)], environ, "ready"):
                rates["gateway"].append(load(f"http://127.0.0.1:{server}/scorpio", bodies, seconds, "gateway"))
            command = [sys.executable, "-m", "uvicorn", "bench.peer:app", "--port", str(peer), "--no-access-log"]
            with started(command, environ, "Uvicorn running"):
                rates["peer"].append(load(f"http://127.0.0.1:{peer}/scorpio", bodies, seconds, "by hand"))
    ours, theirs = sorted(rates["gateway"])[runs // 2], sorted(rates["peer"])[runs // 2]
    ratios = sorted(a / b for a, b in zip(rates["gateway"], rates["peer"], strict=True))
    print(f"\ngateway, journal on          {ours:8.0f} requests/s (median of {runs})")
    print(f"Starlette + httpx, stateless {theirs:8.0f} requests/s (median of {runs})")
    print(f"ratio                        {ratios[runs // 2]:8.1f} (median; {ratios[0]:.1f} to {ratios[-1]:.1f})")
    return 0


def load(url: str, bodies: Path, seconds: int, name: str) -> float:
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(HERE / "load.lua"), url, "--"]
    done = subprocess.run([*command, str(bodies)], capture_output=True, text=True, check=True)
    found = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    latency = re.findall(r"^\s+(50|99)%\s+(\S+)", done.stdout, re.M)
    errors = re.search(r"Socket errors.*|Non-2xx.*", done.stdout)
    assert found, done.stdout
    print(
        f"{name:10} {found[1]:>9} requests/s  {' '.join(f'p{p} {t}' for p, t in latency)}  {errors[0] if errors else ''}"
    )
    if done.stderr:
        print(done.stderr.strip(), file=sys.stderr)
    return float(found[1])


def signed_bodies(number: int) -> str:
    lines = []
    for n in range(number):
        body = {
            "command": "cancel", "transactionId": f"C{n}", "referenceId": f"B{n}", "playerId": "plr-8821",
            "roundId": str(77000123456780000 + n), "providerId": 14, "providerName": "Nordlicht Studio",
            "gameCode": "nl_aurora", "gameName": "Aurora", "currency": "EUR", "amount": 12.5, "timestamp": 1767225604000,
        }  # fmt: skip
        message = ",".join(str(body[key]) for key in sorted(body)).encode()
        signature = base64.b64encode(hmac.new(TOKEN.encode(), message, hashlib.sha512).digest()).decode()
        lines.append(f"{signature} {json.dumps(body, separators=(',', ':'))}")
    return "\n".join(lines) + "\n"


def configuration(folder: Path, wallet: int, server: int, admin: int) -> Path:
    folder.mkdir()
    path = folder / "gateway.yaml"
    path.write_text(f"""version: 1
server: {{listen: "127.0.0.1:{server}"}}
admin: {{listen: "127.0.0.1:{admin}"}}
journal: {{url: "sqlite:///journal.db"}}
providers:
  scorpio: {{dialect: scorpio_play, keys: [{{id: k1, secret: {{env: BENCH_TOKEN}}}}]}}
wallets:
  main: {{dialect: netgaming, url: "http://127.0.0.1:{wallet}", repeats: safe, send: {{headers: {{X-Bench: "1"}}}}}}
routes:
  - wallet: main
    sessions: {{to_wallet: "{{player}}"}}
""")
    return path


@contextlib.contextmanager
def started(command: list[str], environ: dict[str, str], word: str) -> Iterator[None]:
    """A process that has said `word`; ended politely when the block ends."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=environ, cwd=HERE.parent, stdout=said, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + START_SECONDS
            while word.encode() not in os.pread(said.fileno(), 1 << 20, 0):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{' '.join(command)} did not start")
                time.sleep(0.05)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    found = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return found


if __name__ == "__main__":
    sys.exit(main())
