"""The pytest plugin (`-p gateway.laws.plugin`): the option that says which dialects the laws are tried on."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--dialect", action="append", help="A dialect that the laws are tried on; by default those of the house."
    )
    parser.addoption(
        "--inputs", type=int, help="How many broken requests and answers are tried; by default some hundred."
    )
