"""The laws of the product, on every dialect of this tree."""

from gateway.laws.contract import *  # noqa: F403  # its tests, which are found here by their names
