"""Durations as the configuration writes them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.codec.times import parse_duration


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("250ms", timedelta(milliseconds=250)),
        ("4s", timedelta(seconds=4)),
        ("10m", timedelta(minutes=10)),
        ("48h", timedelta(hours=48)),
        ("35d", timedelta(days=35)),
        ("0s", timedelta(0)),
        ("999999999d", timedelta(days=999_999_999)),
    ],
)
def test_a_duration_is_a_whole_number_and_a_unit(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    "text", ["", "10", "m", "-4s", "1.5h", "4 s", " 4s", "4s\n", "4S", "10m30s", "٤s", "1w", "9" * 10 + "s"]
)
def test_anything_else_is_told_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="write one like 250ms, 4s, 10m, 48h or 35d"):
        parse_duration(text)
