"""A bench for every test: what is in the air at its end lands, and nothing may have failed unseen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.simulation.bench import Bench

MakeBench = Callable[..., Bench]


@contextmanager
def benches(folder: Path) -> Iterator[MakeBench]:
    made: list[Bench] = []

    def make(provider: Any = "native", wallet: Any = "native", **more: Any) -> Bench:
        made.append(Bench(folder / f"journal-{len(made)}.db", provider, wallet, **more))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


@pytest.fixture
def bench_of(tmp_path: Path) -> Iterator[MakeBench]:
    with benches(tmp_path) as make:
        yield make
