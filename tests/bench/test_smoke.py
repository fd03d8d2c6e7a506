"""The benchmark runs where nothing but Python is there: without wrk, without node, without nginx."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.imports import ROOT

CALLS = 10


def test_a_short_run_without_any_tool(tmp_path: Path) -> None:
    """Somebody's first `make bench` must say what is missing, and not break on it. How quick it was is not asked:
    this machine may be busy."""
    found = tmp_path / "bench.json"
    command = [sys.executable, "-m", "bench.run", "--quick", "--only", "sqlite,journal,nginx"]
    command += ["--rates", str(CALLS), "--json", str(found)]
    tools = {**os.environ, "PATH": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=tools, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "wrk is not here" in done.stdout
    assert "left out: node is not here" in done.stdout
    assert "left out: nginx is not here" in done.stdout
    (played,) = json.loads(found.read_bytes())["rounds"]
    assert set(played) == {"sqlite"}
    assert played["sqlite"]["peak"]["requests"] == CALLS
    assert "loop" in played["sqlite"]["cpu"]
    assert "| sqlite: ours, SQLite, 1 worker" in done.stdout
