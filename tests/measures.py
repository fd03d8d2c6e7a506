"""How hard the engine is to read, in figures: `python -m tests.measures`.

What is counted of the files: lines, circles of imports, functions that await. What is counted of one
call while it runs, on the workbench with the real engine and a real journal: each function of the
engine that was entered (a coroutine once, however often it was resumed), in how many files they
stand, how often the way went from one file of the engine to another, and how often it went to the journal.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

from gateway.model import Kind, Transaction
from tests.engine.acts import bet, undo, win
from tests.imports import ROOT, circles, graph
from tests.simulation.behaviours import lost_after
from tests.simulation.bench import Bench

ENGINE, JOURNAL = ROOT / "gateway" / "engine", ROOT / "gateway" / "journal"

AWAITS = (ast.Await, ast.AsyncFor, ast.AsyncWith)


class Figure(NamedTuple):
    """One measure; `most` is what it may be at most, if anything is said about it."""

    what: str
    found: int
    most: int | None = None

    def __str__(self) -> str:
        said = f"{self.what:<58}{self.found:>6}"
        return said if self.most is None else f"{said}   at most {self.most}{'' if self.found <= self.most else '   *'}"


# ---------------------------------------------------------------- of the files


def of_the_files() -> Iterator[Figure]:
    sources = {path: path.read_text(encoding="utf-8") for path in sorted(ENGINE.rglob("*.py"))}
    functions = [node for source in sources.values() for node in _functions(source)]
    waiting = sum(isinstance(node, ast.AsyncFunctionDef) for node in functions)
    awaiting = sum(any(isinstance(inner, AWAITS) for inner in ast.walk(node)) for node in functions)
    yield Figure("files of the engine", len(sources))
    yield Figure("lines of the engine", sum(source.count("\n") for source in sources.values()), 3300)
    yield Figure("functions of the engine", len(functions))
    yield Figure("functions of the engine that are async, ports included, %", round(100 * waiting / len(functions)))
    yield Figure("functions of the engine that await something, %", round(100 * awaiting / len(functions)), 15)
    yield Figure("circles of imports, those for types included", len(all_circles()), 0)


def _functions(source: str) -> list[ast.AST]:
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def all_circles() -> list[tuple[str, ...]]:
    paths = [path for folder in ("gateway", "adapters") for path in (ROOT / folder).rglob("*.py")]
    return circles(graph({path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}))


# ---------------------------------------------------------------- of a call while it runs


class Trace:
    """What was entered while it was on."""

    def __init__(self) -> None:
        self.way: list[CodeType] = []
        self.trips: list[str] = []
        self._seen: list[FrameType] = []  # kept, so that no other frame gets the identity of one
        self._known: set[int] = set()

    def __enter__(self) -> Trace:
        sys.setprofile(self._entered)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _entered(self, frame: FrameType, event: str, _: Any) -> None:
        if event != "call" or id(frame) in self._known:
            return
        if _within(frame, ENGINE) and not frame.f_code.co_name.startswith("<"):  # comprehensions are their function's
            self.way.append(frame.f_code)
        elif not (_within(frame, JOURNAL) and _awaited(frame) and not _within(frame.f_back, JOURNAL)):
            return
        else:
            self.trips.append(frame.f_code.co_name)
        self._seen.append(frame)
        self._known.add(id(frame))

    def figures(self, call: str, most: dict[str, int]) -> Iterator[Figure]:
        files = [code.co_filename for code in self.way]
        found = {
            "calls in the engine": len(self.way),
            "distinct functions": len(set(self.way)),
            "files": len(set(files)),
            "moves between files": sum(one != other for one, other in itertools.pairwise(files)),
            "journal trips": len(self.trips),
        }
        yield from (Figure(f"{call}: {what}", number, most.get(what)) for what, number in found.items())


def _within(frame: FrameType | None, folder: Path) -> bool:
    return frame is not None and frame.f_code.co_filename.startswith(f"{folder}/")


def _awaited(frame: FrameType) -> bool:
    return bool(frame.f_code.co_flags & inspect.CO_COROUTINE)


def traced(bench: Bench, tx: Transaction) -> Trace:
    with Trace() as trace:
        bench.call(tx)
    return trace


def of_the_calls(folder: Path) -> Iterator[Figure]:
    bench = Bench(folder / "one.db")
    bench.call(bet("b0", round_id="0"))  # what is made once has been made
    first = bet("b1")
    plain = {"files": 14, "moves between files": 40, "journal trips": 2}
    yield from traced(bench, first).figures("bet", plain)
    yield from traced(bench, first).figures("its repeat", {"journal trips": 1})
    yield from traced(bench, win("w1")).figures("its win", {})
    other = bet("b2", round_id="2")
    bench.call(other)
    yield from traced(bench, undo("r2", "b2", round_id="2")).figures("rollback", {"journal trips": 2})
    bench.till.then(lost_after, kind=Kind.DEBIT)
    yield from traced(bench, bet("b3", round_id="3")).figures("bet asked again, its answer lost", {})
    bench.close()
    bench = Bench(folder / "two.db", "scorpio_play", "netgaming")
    bench.call(bet("1000", round_id="0"))
    yield from traced(bench, bet("1001")).figures("bet, scorpio_play to netgaming", {})
    bench.close()


def main() -> None:
    for figure in of_the_files():
        print(figure)
    for circle in all_circles():
        print("    " + " <-> ".join(circle))
    with tempfile.TemporaryDirectory() as folder:
        for figure in of_the_calls(Path(folder)):
            print(figure)


if __name__ == "__main__":
    main()
