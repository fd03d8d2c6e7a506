"""What time has really passed, whatever the wall clock did (rule 29)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.engine.moment import Clockwork, Moment

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
S = timedelta(seconds=1)


class Clocks:
    """A wall clock and a monotonic one that may part."""

    def __init__(self) -> None:
        self.wall, self.tick = NOON, 100.0

    def run(self, seconds: float) -> None:
        self.wall, self.tick = self.wall + seconds * S, self.tick + seconds


def begun() -> tuple[Clocks, Clockwork]:
    clocks = Clocks()
    return clocks, Clockwork(lambda: clocks.wall, lambda: clocks.tick)


def test_rule_29_an_ordinary_second_is_a_second() -> None:
    """Nothing stepped."""
    clocks, work = begun()
    clocks.run(61)
    moment = work.look()
    assert moment.steps == ()
    assert (moment.passed(NOON), moment.in_flight(NOON)) == (61 * S, 61 * S)


def test_rule_29_what_came_while_a_case_was_looked_at_is_no_step() -> None:
    """A query that began some milliseconds after the moment of its case: seen with real processes only, its 404 was
    never final, and the win was never paid."""
    assert Moment(NOON, (), NOON - 100 * S).passed(NOON + 0.008 * S) == timedelta(0)


def test_rule_29_a_jump_ahead_does_not_count_as_time() -> None:
    """Three minutes by NTP: what was in flight for ten seconds still is, from the jump on."""
    clocks, work = begun()
    clocks.run(10)
    clocks.wall += 180 * S
    work.look()
    clocks.run(5)
    moment = work.look()
    assert moment.passed(NOON) == 15 * S
    assert moment.in_flight(NOON) == 5 * S


def test_rule_29_a_jump_back_stops_no_clock() -> None:
    """Five hours: what lies in the future by now passed at least since the jump."""
    clocks, work = begun()
    clocks.run(10)
    clocks.wall -= timedelta(hours=5)
    work.look()
    clocks.run(70)
    assert work.look().passed(NOON + 10 * S) == 70 * S


def test_rule_29_what_came_after_a_jump_back_knows_nothing_of_the_jump_ahead_before_it() -> None:
    """Two hours ahead by mistake and three back: what is asked then is a minute old after a minute, not after two
    hours more."""
    clocks, work = begun()
    for hours in (2, -3):
        clocks.run(10)
        clocks.wall += timedelta(hours=hours)
        work.look()
    asked_at = clocks.wall
    clocks.run(60)
    moment = work.look()
    assert (moment.passed(asked_at), moment.in_flight(asked_at)) == (60 * S, 60 * S)


def test_rule_29_what_a_clock_was_set_back_is_time_that_passed() -> None:
    """Five hours ahead, three back, two ahead: of what it shows now, four were jumps, and not seven."""
    clocks, work = begun()
    for hours in (5, -3, 2):
        clocks.run(10)
        clocks.wall += timedelta(hours=hours)
        work.look()
    clocks.run(10)
    assert work.look().passed(NOON) == 40 * S


def test_rule_29_a_jump_ahead_that_was_taken_back_leaves_the_time_that_passed() -> None:
    """By NTP two hours ahead, and a moment later an hour and a half back: for so long no wallet had forgotten
    anything and nobody's silence was over."""
    clocks, work = begun()
    clocks.run(10)
    clocks.wall += timedelta(hours=2)
    work.look()
    clocks.run(5)
    clocks.wall -= timedelta(hours=1.5)
    work.look()
    clocks.run(600)
    moment = work.look()
    assert moment.passed(NOON) == 615 * S
    assert moment.passed(NOON + timedelta(hours=2) + 12 * S) == 603 * S  # between the two
    assert moment.in_flight(NOON) == 600 * S


def test_rule_29_a_jump_back_and_a_longer_one_ahead_are_no_time() -> None:
    """What came before both seems younger than the second of them, and was counted an hour too old."""
    clocks, work = begun()
    clocks.run(10)
    clocks.wall -= timedelta(hours=1)
    work.look()
    clocks.run(5)
    clocks.wall += timedelta(hours=2)
    work.look()
    clocks.run(60)
    assert work.look().passed(NOON + 5 * S) == 70 * S


def test_rule_29_what_may_lie_on_either_side_of_a_jump_is_the_younger() -> None:
    """The clock went back and has caught up: never more than what really passed."""
    clocks, work = begun()
    clocks.run(600)
    clocks.wall -= 300 * S
    work.look()
    clocks.run(400)
    assert work.look().passed(NOON + 500 * S) == 200 * S


def test_rule_29_what_another_process_wrote_in_a_jump_is_no_older_for_it() -> None:
    """This machine slept, the other one did not: its row lies in the hours that were none here."""
    clocks, work = begun()
    clocks.run(10)
    clocks.wall += 60 * S
    work.look()
    clocks.run(90)
    assert work.look().passed(NOON + 40 * S) <= 120 * S


def test_rule_29_what_was_written_after_a_jump_and_before_it_was_noticed_is_after_it() -> None:
    """A look comes some moments after the jump."""
    clocks, work = begun()
    clocks.run(10)
    work.look()
    clocks.wall -= 3600 * S
    clocks.run(20)  # it came here, at its end
    work.look()
    clocks.run(100)
    assert work.look().passed(NOON - 3600 * S + 25 * S) == 105 * S


def test_rule_29_a_process_that_begins_after_the_jump_counts_from_its_beginning() -> None:
    """It saw no step, and the journal's times lie hours ahead: they pass all the same."""
    clocks, work = begun()
    clocks.run(30)
    assert work.look().passed(NOON + timedelta(hours=5)) == 30 * S


def test_rule_14_a_jump_ahead_may_be_time_that_passed() -> None:
    """A machine slept, or a clock was set: nobody can tell, so no more is believed than is sure both ways."""
    clocks, work = begun()
    for seconds in (30, -3600, 20):
        clocks.run(10)
        clocks.wall += seconds * S
        work.look()
    clocks.run(10)
    moment = work.look()
    assert (moment.passed(NOON), moment.at_most(NOON)) == (40 * S, 91 * S)


def test_rule_29_a_machine_that_slept_is_a_step() -> None:
    """The monotonic clock stood still, the wall clock went on."""
    clocks, work = begun()
    clocks.wall += 60 * S
    assert work.look().in_flight(NOON) == timedelta(0)


def test_rule_14_a_time_that_lies_ahead_of_a_process_may_be_of_any_age() -> None:
    """Every process was down while the clock was set back: a wallet that had long forgotten a bet was believed that there
    was none, as if no more had passed than since this one's beginning (seed 2424516). A moment ahead is no step."""
    clocks, work = begun()
    clocks.run(30)
    moment = work.look()
    assert moment.at_most(NOON + timedelta(hours=5)) == timedelta.max
    assert moment.at_most(clocks.wall + S / 2) <= 1 * S


@pytest.mark.parametrize("hours", [4, 6.9])
def test_rule_29_what_a_process_from_before_wrote_in_a_jump_is_as_old_as_the_jump(hours: float) -> None:
    """The clock was set back while no process lived, and then ahead over the moment: until what it shows had caught up with
    both, four hours and more, no time had passed since (seed 2603384). How old it is at most no clock says."""
    clocks, work = begun()
    clocks.run(10)
    clocks.wall += timedelta(hours=7)
    work.look()
    clocks.run(60)
    moment = work.look()
    since = NOON + timedelta(hours=hours)
    assert (moment.passed(since), moment.in_flight(since)) == (60 * S, 60 * S)
    assert moment.at_most(since) == timedelta.max


@pytest.mark.parametrize("hours", [4, -4])
@pytest.mark.parametrize("ago", [0, 30])
def test_rule_29_what_another_machine_writes_after_a_jump_is_no_older_than_it_is(hours: int, ago: float) -> None:
    """Its clock did not jump: what it wrote just now was not taken to be as old as the jump."""
    clocks, work = begun()
    clocks.run(10)
    clocks.wall += timedelta(hours=hours)
    work.look()
    clocks.run(60)
    assert work.look().passed(NOON + 70.5 * S - ago * S) == max(ago - 0.5, 0) * S
