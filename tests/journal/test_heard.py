"""Who heard a decision is a set of names: said twice, late, in any order, it comes to the same (rule 26)."""

from __future__ import annotations

import itertools
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.engine.movement import GONE_MAX, UNKNOWN, Movement, decided, told, unheard
from tests.journal.homes import YES, bet, now

AT = now()
WORDS = st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.booleans()), max_size=4)


def after(words: list[tuple[str, bool]]) -> Movement:
    """`words`: a call, and whether it heard or was gone before."""
    m = decided(bet("b-1"), YES, AT)
    for number, (call, heard) in enumerate(words):
        m = (told if heard else unheard)(m, call, AT + timedelta(seconds=number))
    return m


@given(WORDS)
def test_the_order_does_not_matter(words: list[tuple[str, bool]]) -> None:
    """The end of a connection is noticed before or after the answer is journalled; two nodes say both."""
    expected = after(words)
    for order in itertools.permutations(words):
        found = after(list(order))
        assert found.names == expected.names
        assert (found.state, found.told) == (expected.state, expected.told)


@given(WORDS)
def test_saying_it_twice_changes_nothing(words: list[tuple[str, bool]]) -> None:
    """A lost confirmation is repeated: counted twice, a provider that heard doubt would seem to have heard."""
    assert after([word for word in words for _ in range(2)]).names == after(words).names == after(words * 2).names


@given(WORDS, st.sampled_from(["a", "b", "c"]))
def test_a_call_that_was_gone_never_heard(words: list[tuple[str, bool]], call: str) -> None:
    """Its answer was written into a connection that had ended: no later word revives it."""
    m = after([*words, (call, False), *words, (call, True)])
    assert call not in m.names
    assert (m.told == UNKNOWN) == (not m.names)
    assert (m.due_at is not None) == (not m.names)  # a bet that nobody heard accepted is looked at


def test_what_is_remembered_is_bounded() -> None:
    """A provider that gives up a thousand times must not make a row of any length."""
    m = after([(f"call-{number}", False) for number in range(1000)])
    assert len(m.heard.split()) == GONE_MAX + 1
