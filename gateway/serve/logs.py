"""Logs: one JSON line a call, and a line for what went wrong. No body, no secret, no session.

Lines are handed to a thread that writes them in batches: a slow terminal or a full pipe never
stops the event loop. What does not fit is dropped, and the number of dropped lines is said.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from traceback import walk_tb
from typing import Any

import msgspec
import structlog

from gateway.engine.pipeline import Answer

LINES_MAX = 20_000
PAUSE_SECONDS = 0.02  # how long lines gather before they are written together
STDERR = 2
_ENCODER = msgspec.json.Encoder()


class Writer:
    """Writes lines to a file descriptor from a thread of its own."""

    def __init__(self, descriptor: int = STDERR, lines_max: int = LINES_MAX) -> None:
        self._descriptor, self._lines_max = descriptor, lines_max
        self._lines: deque[bytes] = deque()
        self._dropped = 0
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def write(self, line: bytes) -> None:
        if len(self._lines) >= self._lines_max:
            self._dropped += 1
            return
        self._lines.append(line)
        if not self._wake.is_set():
            self._wake.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="logs", daemon=True)
                self._thread.start()

    def close(self, seconds: float = 2.0) -> None:
        """Writes what is waiting; gives up after `seconds` where nobody reads."""
        self._closing.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(seconds)

    # -- in the thread

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._closing.wait(PAUSE_SECONDS)
            self._wake.clear()
            self._flush()
            if self._closing.is_set() and not self._lines:
                return

    def _flush(self) -> None:
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            lines.append(msgspec.json.encode({"level": "error", "event": "lines dropped", "number": dropped}))
        if not lines:
            return
        left = memoryview(b"\n".join(lines) + b"\n")
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError:
            return  # nobody reads any more: there is no other place to say so


class _Lines:
    """What structlog calls with the finished line."""

    def __init__(self, writer: Writer) -> None:
        self.msg = self.info = self.warning = self.error = writer.write


def _render(logger: object, level: str, event: Mapping[str, Any]) -> bytes:
    return _ENCODER.encode({"at": datetime.now(UTC), "level": level, "event": "", **event})


class Log:
    """The process's log."""

    def __init__(self, writer: Writer | None = None) -> None:
        self._writer = writer or Writer()
        self._log = structlog.BoundLogger(_Lines(self._writer), [_render], {})

    def call(self, event: dict[str, Any]) -> None:
        """The line of one call. It is rendered as structlog would, without its chain: this is the hot path."""
        self._writer.write(_render(None, "info", {"event": "call", **event}))

    def say(self, text: str) -> None:
        """A line for a person, between those for machines."""
        self._writer.write(text.encode("utf-8", "backslashreplace"))

    def info(self, event: str, **facts: Any) -> None:
        self._log.info(event, **facts)

    def warning(self, event: str, **facts: Any) -> None:
        self._log.warning(event, **facts)

    def bug(self, event: str, error: BaseException, **facts: Any) -> None:
        """An exception that is our bug: its type and frames. Never its text: that may quote a body."""
        self._log.error(event, error=type(error).__name__, frames=frames(error), **facts)

    def our_fault(self, wallet: str, kind: str, reason: str) -> None:
        """A wallet refused our key or our form: nothing moved, and somebody must act."""
        self._log.error("wallet refused us", wallet=wallet, kind=kind, reason=reason)

    def breaker(self, wallet: str, is_open: bool) -> None:
        """A wallet is left alone from now on, or answers again."""
        if is_open:
            self._log.warning("wallet does not answer: it is left alone", wallet=wallet)
        else:
            self._log.info("wallet answers again", wallet=wallet)

    def turned_away(self, provider: str, number: int) -> None:
        """So many of its calls heard doubt lately because more came than can be carried."""
        self._log.warning("too many calls: some were turned away", provider=provider, number=number)

    def close(self) -> None:
        self._writer.close()


def call_event(provider: str, answer: Answer, request_id: str, seconds: float) -> dict[str, Any]:
    """The line of one call. The message and the detail of an outcome stay out: a wallet wrote them. `spelling`: which one
    the caller signed (`gateway sign --explain` numbers them), where it is not the first."""
    spelled = {"spelling": answer.spelling} if answer.spelling != 1 else {}
    return {
        "provider": provider,
        "kind": answer.kind,
        "transaction": answer.transaction_id,
        "outcome": answer.outcome,
        "reason": answer.reason,
        "status": answer.response.status,
        "ms": round(seconds * 1000, 2),
        "wallet_ms": round(answer.wallet_seconds * 1000, 2),
        "request_id": request_id,
        **spelled,
    }


def frames(error: BaseException) -> list[str]:
    """Where it happened, the innermost last: `file:line function`. Causes come first."""
    chain: list[str] = []
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and cause is not error:
        chain = [*frames(cause), type(cause).__name__]
    codes = ((frame.f_code, line) for frame, line in walk_tb(error.__traceback__))  # no source is read for it
    return chain + [f"{_short(code.co_filename)}:{line} {code.co_name}" for code, line in codes]


def _short(filename: str) -> str:
    return "/".join(filename.replace("\\", "/").split("/")[-3:])
