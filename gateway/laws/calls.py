"""The calls that a dialect's vectors hold, at each of its ends, as the laws try them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from msgspec.structs import replace

from gateway.dialect import Call, Dialect, NoCall
from gateway.laws.subjects import dialect_of, vectors_of
from gateway.model import Transaction
from gateway.vectors import Vector, named

T = TypeVar("T")


def no_other_than(allowed: type[Exception], call: Callable[..., Any], *arguments: Any) -> Any:
    """What `call` returns, or the exception if it is an allowed one; any other fails the test, with its cause."""
    try:
        return call(*arguments)
    except allowed as error:
        return error


def spoken(folder: str) -> list[tuple[Vector, Transaction, Call]]:
    """The vectors that the wallet's end is checked with, and the call as it would be answered."""
    found = []
    for vector in vectors_of(folder):
        if "out" in vector.ends and vector.transaction is not None:
            found.append((vector, vector.transaction, asked(dialect_of(folder), vector, vector.transaction)))
    return found


def asked(dialect: Dialect, vector: Vector, tx: Transaction) -> Call:
    call = replace(vector.call, name="", request=None)
    request = dialect.encode_request(tx, call)
    return replace(call, request=request, name=dialect.route(request, call.settings))


def called(call: Call) -> Call:
    return replace(call, name="", request=None)


def heard_by(folder: str) -> list[tuple[Vector, Call]]:
    """The vectors of the provider's end."""
    return [(vector, named(dialect_of(folder), vector)) for vector in vectors_of(folder) if "in" in vector.ends]


FORM = "application/x-www-form-urlencoded"


def shape(dialect: Dialect, vector: Vector) -> str:
    """Vectors of one shape would only repeat each other, where bytes or fields are tried one by one."""
    request, settings_ = vector.request, vector.call.settings
    name = no_other_than(NoCall, dialect.route, request, settings_)
    fields = request.form if request.header("content-type").startswith(FORM) else request.said
    names = tuple(fields) if isinstance(fields, Mapping) else request.body
    return repr((name, settings_, vector.keys[0].parts, [*request.headers], vector.verify_only, names))


def some(found: list[T], folder: str) -> list[T]:
    assert found, f"{folder}/vectors holds no vector for this end"
    return found
