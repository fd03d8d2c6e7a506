"""`gateway`, with the names of its threads where the system shows them, as Python 3.14 gives them by itself.

So the benchmark can tell them apart in /proc: `python -m bench.named serve --config FILE`.
"""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

from gateway.cli.main import main

_run = threading.Thread.run


def _named(self: threading.Thread) -> None:
    with contextlib.suppress(OSError):  # no Linux: they stay as they are
        Path("/proc/thread-self/comm").write_text(self.name[:15], encoding="utf-8")
    _run(self)


if __name__ == "__main__":
    threading.Thread.run = _named  # type: ignore[method-assign]  # that is what it is for
    main(prog_name="gateway")
