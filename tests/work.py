"""How much one call works, in figures that are the same on every machine: `python -m tests.work`.

Counted while it runs, with everything around it but sockets (`tests/inside.py`): each time that a function of
gateway/ or adapters/ is entered (a coroutine each time that it goes on), each line of them that runs, statements
and transactions of the journal, and tasks of the loop. `PINNED` says what each was when somebody last looked;
`tests/test_work.py` fails where one is 5 % more. A clock would say more, but not the same thing twice.

Pinned on Python 3.11; on 3.12 and 3.13 the same calls run up to 2 % fewer lines.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections import Counter as Tally
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import msgspec
from msgspec import Struct

from bench import bets
from tests.imports import ROOT
from tests.inside import inside
from tests.journal.effort import counted

OURS = (f"{ROOT / 'gateway'}/", f"{ROOT / 'adapters'}/")
FOLDED = frozenset({"<listcomp>", "<dictcomp>", "<setcomp>"})  # functions of their own until Python 3.12

SHOWN = 20
TallyOfLines = Tally[CodeType]
TallyOfFiles = Tally[str]

MORE, LESS = 1.05, 0.8  # of what is pinned: what fails, and what wants to be pinned anew


class Work(Struct, frozen=True):
    """What one call took. `entered`: functions of ours; `lines`: of ours that ran; `tasks`: the call's own and its server's too."""

    entered: int
    lines: int
    statements: int
    transactions: int
    tasks: int


PINNED = {
    "bet": Work(entered=697, lines=2675, statements=13, transactions=2, tasks=3),
    "its repeat": Work(entered=360, lines=1353, statements=12, transactions=1, tasks=2),
    "win": Work(entered=754, lines=2944, statements=16, transactions=2, tasks=3),
    "rollback": Work(entered=921, lines=3370, statements=20, transactions=2, tasks=3),
}


class Counter:
    """Functions and tasks of the block it is on in."""

    def __init__(self) -> None:
        self.entered = self.lines = self.tasks = 0
        self.where: TallyOfLines = TallyOfLines()

    def profile(self, frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        self.entered += event == "call" and code.co_filename.startswith(OURS) and code.co_name not in FOLDED

    def trace(self, frame: FrameType, event: str, _: Any) -> Any:
        return self._line if frame.f_code.co_filename.startswith(OURS) else None

    def _line(self, frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            self.lines += 1
            self.where[frame.f_code] += 1
        return self._line

    def task(
        self, loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **more: Any
    ) -> asyncio.Task[Any]:
        self.tasks += 1
        return asyncio.Task(coroutine, loop=loop, **more)


@contextmanager
def counting(loop: asyncio.AbstractEventLoop) -> Iterator[Counter]:
    counter = Counter()
    loop.set_task_factory(counter.task)  # type: ignore[arg-type]  # its protocol of overloads: no plain function fits
    sys.settrace(counter.trace)
    sys.setprofile(counter.profile)
    try:
        yield counter
    finally:
        sys.setprofile(None)
        sys.settrace(None)
        loop.set_task_factory(None)


def of_the_calls(folder: Path) -> dict[str, tuple[Work, TallyOfLines]]:
    """What each sort of call takes, and where, when one of each has been before it: what is made once has been made."""
    commits: list[float] = []
    with counted() as effort, inside(folder / "journal.db", commits.append, still=True) as gateway:

        def work(body: dict[str, Any]) -> tuple[Work, TallyOfLines]:
            effort.taken()
            commits.clear()
            with counting(gateway.loop) as counter:
                answer = gateway.call(body)
            assert b'"OK"' in answer, answer
            taken = Work(counter.entered, counter.lines, effort.taken().statements, len(commits), counter.tasks)
            return taken, counter.where

        found: dict[str, tuple[Work, TallyOfLines]] = {}
        for number in (0, 2):  # the first time is not told
            found = {"bet": work(bets.bet(number)), "its repeat": work(bets.bet(number)), "win": work(bets.win(number))}
            _ = work(bets.bet(number + 1))
            found["rollback"] = work(bets.cancel(number + 1))
        return found


def worse(found: Work, pinned: Work) -> list[str]:
    """What is 5 % more than it was, or so much less that the gate would not notice half of it coming back."""
    complaints = []
    for what in Work.__struct_fields__:
        now, then = getattr(found, what), getattr(pinned, what)
        if now > then * MORE:
            complaints.append(f"{what}: {now}, was {then}: more than {MORE - 1:.0%} more work for every call")
        elif now < then * LESS:
            complaints.append(f"{what}: {now}, was {then}: well done; pin it (python -m tests.work)")
    return complaints


def main() -> None:
    """`--json`: for the test, which cannot count in a process where coverage does; `--where`: the functions of most lines."""
    with tempfile.TemporaryDirectory() as folder:
        found = of_the_calls(Path(folder))
        if "--json" in sys.argv:
            print(msgspec.json.encode({call: work for call, (work, _) in found.items()}).decode())
            return
        for call, (work, where) in found.items():
            figures = ", ".join(f"{name}={value}" for name, value in msgspec.structs.asdict(work).items())
            print(f'    "{call}": Work({figures}),')
            if "--where" in sys.argv:
                print("\n".join(most(where)))


def most(where: TallyOfLines) -> Iterator[str]:
    """Files and functions by the lines of them that ran."""
    files: TallyOfFiles = TallyOfFiles()
    for code, lines in where.items():
        files[_short(code)] += lines
    yield from (f"{lines:>12}  {file}" for file, lines in files.most_common(SHOWN))
    yield from (f"{lines:>12}  {_short(code)} {code.co_qualname}" for code, lines in where.most_common(SHOWN))


def _short(code: CodeType) -> str:
    return Path(code.co_filename).relative_to(ROOT).as_posix()


if __name__ == "__main__":
    main()
