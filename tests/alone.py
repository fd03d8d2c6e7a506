"""A long run of the tests' own tools, in a process of its own: measuring coverage would take longer than the run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def run_alone(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m module arguments`, without the measuring of coverage, and behind what is timed beside it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    command = ["nice", "-n", "10", sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, check=False)
