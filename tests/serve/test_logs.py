"""Logs: fast, never in the way, and without secrets."""

from __future__ import annotations

import importlib
import json
import linecache
import os
import pkgutil
from pathlib import Path

import msgspec
import pytest

import adapters
from gateway.dialect import Dialect
from gateway.engine.pipeline import Answer
from gateway.model import Accepted, Authenticate, Batch, Declined, Transaction
from gateway.serve.logs import Log, Writer, call_event, frames
from gateway.vectors import Vector, load_all

DIALECTS = sorted(module.name for module in pkgutil.iter_modules(adapters.__path__) if module.ispkg)


def lines_of(read: int) -> list[bytes]:
    with os.fdopen(read, "rb") as pipe:
        return pipe.read().splitlines()


def test_lines_are_written_in_order() -> None:
    read, write = os.pipe()
    writer = Writer(write)
    log = Log(writer)
    for number in range(100):
        log.info("tick", number=number)
    log.warning("careful")
    log.our_fault("main", "debit", "bad_signature")
    writer.close()
    os.close(write)
    lines = [json.loads(line) for line in lines_of(read)]
    assert [line["number"] for line in lines[:100]] == list(range(100))
    assert [line["level"] for line in lines[100:]] == ["warning", "error"]
    assert lines[101]["wallet"] == "main"


def test_nobody_reading_never_blocks() -> None:
    """A full pipe stops the writer's thread, not the caller; the number of dropped lines is said."""
    read, write = os.pipe()
    writer = Writer(write, lines_max=500)
    log = Log(writer)
    for _ in range(5000):
        log.info("tick", text="x" * 200)
    writer.close(0.05)
    os.set_blocking(read, False)
    found = b""
    while b"lines dropped" not in found:
        try:
            found += os.read(read, 1 << 16)
        except BlockingIOError:
            continue
    os.close(read)
    os.close(write)


def test_a_closed_pipe_is_survived() -> None:
    read, write = os.pipe()
    os.close(read)
    writer = Writer(write)
    Log(writer).info("hello")
    writer.close()
    os.close(write)


def test_a_bug_shows_frames_and_no_text() -> None:
    try:
        try:
            raise KeyError("token-123")
        except KeyError as error:
            raise ValueError("body: secret") from error
    except ValueError as error:
        linecache.clearcache()
        shown = frames(error)
    assert shown[1] == "KeyError"
    assert all("test_logs.py" in frame for frame in (shown[0], shown[2]))
    assert "token-123" not in str(shown)
    assert not linecache.cache  # no source is read: this happens on the event loop


def _exchanges(name: str) -> list[tuple[Dialect, Vector]]:
    module = importlib.import_module(f"adapters.{name}.dialect")
    dialect: Dialect = module.DIALECT
    return [(dialect, vector) for vector in load_all(dialect, Path(str(module.__file__)).parent / "vectors")]


def _tokens(dialect: Dialect, vector: Vector) -> set[str]:
    """Every secret and session that this exchange knows."""
    found = {text for key in vector.keys for text in key.parts.values()}
    transactions: list[Transaction] = [vector.transaction] if vector.transaction else []
    for tx in transactions:
        found.add(tx.session)
        found.update(value for name, value in tx.extra.items() if name.lower() in dialect.hides)
        if isinstance(tx.act, Authenticate):
            found.add(tx.act.launch_token)
        if isinstance(tx.act, Batch):
            transactions = [*transactions, *tx.act.items]
    if isinstance(vector.outcome, Accepted) and vector.outcome.profile:
        found.add(vector.outcome.profile.session)
    return {text for text in found if len(text) >= 6}


@pytest.mark.parametrize("name", DIALECTS)
def test_no_line_of_a_call_holds_a_secret(name: str) -> None:
    """Law 12, on what the logger builds of a call."""
    for dialect, vector in _exchanges(name):
        tx, outcome = vector.transaction, vector.outcome
        answer = Answer(
            response=vector.response,
            kind=tx.kind.value if tx else "unknown",
            outcome=type(outcome).__name__.lower(),
            reason=outcome.reason.value if isinstance(outcome, Declined) else "",
            transaction_id=tx.id if tx else "",
            detail=vector.request.body.decode(errors="replace") + str(vector.response.body),
        )
        line = msgspec.json.encode(call_event("acme", answer, "r-1", 0.1)).decode()
        assert [text for text in _tokens(dialect, vector) if text in line and text != answer.transaction_id] == []
        body = vector.request.body.decode(errors="replace")
        assert len(body) < 4 or body not in line  # "{" stands in every line
