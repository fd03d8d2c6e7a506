"""What is made of measurements: a benchmark that adds up wrongly is worse than none."""

from __future__ import annotations

import pytest

from bench.figures import (
    Open,
    Peak,
    Played,
    cpu_a_call,
    cpu_table,
    markdown,
    open_table,
    own,
    peak_of,
    percentile,
    rates_table,
    ratio,
    ratios_table,
)
from bench.openloop import accepted, moments
from bench.processes import label
from bench.run import options, report


def played(rate: float, *opens: Open, wrong: int = 0, exhausted: bool = False) -> Played:
    return Played(Peak(rate, 1.0, 2.0, int(rate), wrong, exhausted), {"loop": 100.0, "database": 50.0}, 0.1, [*opens])


def test_a_percentile_is_a_value_that_was_seen() -> None:
    """An average between the worst call and its neighbour is no call's time."""
    values = [float(n) for n in range(1, 101)]
    assert (percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1.0)) == (50, 99, 100)
    assert percentile([7.0], 0.5) == 7
    assert percentile([3.0, 1.0], 0.99) == 3


def test_ratios_are_taken_within_a_round() -> None:
    """A machine that is twice as slow in the second round is so for both: the ratio does not move."""
    rounds = [{"a": played(200), "b": played(100)}, {"a": played(100), "b": played(50)}, {"a": played(90)}]
    assert ratio(rounds, "a", "b") == (2.0, 2.0, 2.0)
    assert ratio(rounds, "b", "c") is None


def test_cpu_a_call_is_what_was_used_between() -> None:
    """What a process did before the load is not the calls' fault, and a thread that slept is no line."""
    before, after = {"loop": 1e9, "log": 5e6}, {"loop": 2e9, "log": 5e6, "journal": 5e8}
    assert cpu_a_call(before, after, 10_000) == {"loop": 100.0, "journal": 50.0}


def test_the_database_is_not_ours() -> None:
    """The goal counts our own threads and processes; PostgreSQL's stand beside them."""
    assert own({"loop": 100.0, "journal": 20.0, "database": 400.0}) == 120.0


def test_what_wrk_says_is_read() -> None:
    """Its own rate is blunt where the bets ended early; the script's line is exact."""
    found = peak_of("Running 4s test\n  1 threads\nbench 8000 4000000 3500 12500 2 1\n")
    assert found == Peak(2000.0, 3.5, 12.5, 8000, 2, True)


@pytest.mark.parametrize("said", ["", "Running 4s test\n", "bench 1 2 3\n"])
def test_silence_of_wrk_is_not_a_rate(said: str) -> None:
    """A peer that is down must be told as left out and not as infinitely slow."""
    with pytest.raises(ValueError, match="no figures"):
        peak_of(said)


def test_calls_are_due_evenly_whatever_becomes_of_them() -> None:
    """The open loop asks at its moments: a gateway that stands still is asked all the same."""
    due = moments(300, 2.0)
    assert len(due) == 600
    assert due[0] == 0
    assert due[300] == pytest.approx(1.0)
    assert due == sorted(set(due))


@pytest.mark.parametrize(
    ("status", "body", "yes"),
    [
        (200, b'{"balance":240.75,"statusCode":"OK"}', True),
        (200, b'{"status":1,"balance":24075}', True),
        (200, b'{"balance":0,"statusCode":"ERR_UNKNOWN"}', False),
        (500, b'{"statusCode":"OK"}', False),
    ],
)
def test_only_a_yes_counts(status: int, body: bytes, yes: bool) -> None:
    """A gateway that refuses everything would be the fastest of all."""
    assert accepted(status, body) is yes


def test_threads_are_told_apart() -> None:
    """Which thread a microsecond goes to decides what is worth changing."""
    assert label("journal", main=False) == "journal"
    assert label("logs", main=False) == "log"
    assert label("python", main=True) == "loop"
    assert label("tokio-rt-worker", main=False) == "client"
    assert label("asyncio_0", main=False) == "others"


def test_tables_say_what_was_wrong() -> None:
    """A rate of answers that were no is not a rate; neither is one whose bets had run out."""
    titles = {"a": "ours", "b": "theirs", "c": "was left out"}
    rounds = [{"a": played(200, wrong=3), "b": played(100, exhausted=True)}]
    table = rates_table(rounds, titles)
    assert [row[0] for row in table[1:]] == ["ours [3 not OK]", "theirs [bets ran out]"]
    assert ratios_table(rounds, ["a"], ["b"], titles)[1] == ["ours", "2.00 (2.00 to 2.00)"]
    assert cpu_table(rounds, {"a": "ours"}) == [
        ["CPU us a call", "all of ours", "database", "loop"],
        ["ours", "100", "50", "100"],
    ]
    assert open_table(rounds, titles) == []


def test_the_open_loop_has_a_line_for_each_that_played_it() -> None:
    """And its longest call of all rounds, which no median may hide."""
    rounds = [{"a": played(9, Open(300, 1.0, 2.0, 3.0, 900))}, {"a": played(9, Open(300, 3.0, 4.0, 50.0, 900, 2))}]
    assert open_table(rounds, {"a": "ours"})[1] == ["ours", "2.00", "3.00", "50.0 [2 not OK]"]


def test_a_table_is_a_table() -> None:
    """It is pasted into bench/README.md as it is."""
    lines = markdown([["a", "rate"], ["one", "2"]]).splitlines()
    assert lines == ["| a   | rate |", "| --- | ---: |", "| one |    2 |"]
    assert markdown([]) == ""


def test_a_run_is_bounded_and_the_whole_of_it_fits_into_eight_minutes() -> None:
    """Whoever begins it knows when it will have ended."""
    whole, _ = options([])
    assert whole.rounds >= 5
    assert 60 < whole.estimate() < 8 * 60
    quick, _ = options(["--quick"])
    assert quick.estimate() < 60
    one, _ = options(["--only", "sqlite,journal", "--rounds", "7", "--rates", ""])
    assert [each.name for each in one.only] == ["sqlite", "journal"]
    assert one.rates == ()
    assert "ours" not in report(one, [])
