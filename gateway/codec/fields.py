"""The fields of a JSON body or a web form (`gateway.body`), read by name and checked.

A dialect reads its fields in the order of its page's table; the first that is wrong is the one
that is told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar, cast
from urllib.parse import quote, urlencode

import msgspec

from gateway.body import Number as Number  # dialects take it from here
from gateway.body import Unreadable, form_text, strictly
from gateway.http import Request, Response
from gateway.model import ID_LENGTH_MAX, Flaw, Reason, Refused

T = TypeVar("T")
REQUIRED: Any = object()  # no default: the field must be there
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
# What a number mostly is: exact and within all bounds as it stands.
_SHORT = 10**19
_SHORT_NUMBER = re.compile(r"-?[0-9]{1,19}(\.[0-9]{1,19})?")
_HALF = re.compile("[\ud800-\udfff]")
_FLAGS = {"0": False, "1": True, "true": True, "false": False}
_DECIMAL_TEXT = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")
EXPONENT_MAX = 40  # 1e400 is a number, and nobody's money
OPAQUE_LENGTH_MAX = 4096  # characters of a documented field that is only passed on
UNKNOWN_MAX = 20  # undocumented fields kept of one call
UNKNOWN_LENGTH_MAX = 256  # characters of each


def unparsable(message: str) -> Refused:
    return Refused(Reason.INVALID_REQUEST, message, field="request_body", flaw=Flaw.UNPARSABLE)


def read_json(body: bytes) -> dict[str, Any]:
    """The object of a JSON body; numbers are `Number`. Raises `Refused` (unparsable)."""
    return _object(strictly(body), body)


def _passed_on(message: Request | Response) -> dict[str, Any]:
    """The object of a body, which may hold keys that stand twice where nobody looks."""
    said = message.said
    if isinstance(said, Unreadable) and said.twice:
        found = strictly(message.body, _Doubled)
        said = said if isinstance(found, _Doubled) else found
    return _object(said, message.body)


def _object(said: Any, body: bytes) -> dict[str, Any]:
    """`said` is what the body says. Raises `Refused` (unparsable) where that is no object, or no text."""
    if isinstance(said, Unreadable):
        raise unparsable(said.message)
    if b"\\ud" in body or b"\\uD" in body:
        said = _answerable(said)
    if not isinstance(said, dict):
        raise unparsable("the body is not a JSON object")
    return said


class _Doubled(dict[str, Any]):
    """An object within a body in which a key stands twice: nobody knows which one is meant, so who looks into it refuses it,
    and who passes it on leaves it out."""

    def _refuse(self, *_: object) -> Any:
        raise unparsable("a key stands twice in one object")

    __getitem__ = __iter__ = __contains__ = get = items = keys = values = _refuse


def _respelled(found: Mapping[str, Any], spelled: Mapping[str, str]) -> dict[str, Any]:
    """Under the documented names, which `spelled` gives by lower-case ones. Raises `Refused` (unparsable) where two are one."""
    if len({name.lower() for name in found}) != len(found):
        raise unparsable("two keys differ only by case")
    return {spelled.get(name.lower(), name): value for name, value in found.items()}


def _answerable(said: Any) -> Any:
    """With a zero byte for each lone surrogate, which nobody could answer: who reads an id refuses it, a description is
    without it. A text that was cut in the middle of an emoji stops no win. Raises `Refused` (unparsable) where that is
    nested too deeply."""
    try:
        return _without_halves(said)
    except RecursionError:
        raise unparsable("the body is nested too deeply") from None


def _without_halves(said: Any) -> Any:
    if isinstance(said, Number):
        return said
    if isinstance(said, str):
        return _HALF.sub("\x00", said)
    if isinstance(said, list):
        return [_without_halves(part) for part in said]
    if isinstance(said, dict) and not isinstance(said, _Doubled):
        return {_HALF.sub("\x00", name): _without_halves(part) for name, part in said.items()}
    return said


_as_json = json.JSONEncoder(ensure_ascii=False).encode  # `json.dumps` makes one for every text


def text_of(value: object) -> str:
    """A JSON value as JSON text again, numbers as they stood."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{_as_json(k)}:{text_of(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(text_of, value)) + "]"
    return _as_json(value)


def value_of(text: str) -> Any:
    """What `text_of` wrote, as a value again; None where it is no JSON, as where it was cut."""
    found = strictly(text.encode("utf-8", "replace"))
    return None if isinstance(found, Unreadable) else found


def write_json(fields: Mapping[str, Any]) -> bytes:
    """Compact JSON; a `Decimal` is written as a plain number without exponent, `None` as null.

    Leave a field out by not putting it in; see `known` for the common case.
    """
    return msgspec.json.encode({n: value if type(value) in _PLAIN else _out(value) for n, value in fields.items()})


_PLAIN = frozenset({str, int, bool, type(None)})


def _out(value: Any) -> Any:
    if isinstance(value, Decimal):
        return msgspec.Raw(f"{value:f}".encode())
    if isinstance(value, Number):
        return msgspec.Raw(str(value).encode())
    if isinstance(value, dict):
        return {name: _out(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_out(part) for part in value]
    return value


def write_form(fields: Mapping[str, str | bytes]) -> bytes:
    """A web form of these fields in this order (`form_text`)."""
    return form_text(fields.items()).encode()


def write_query(fields: Mapping[str, str]) -> str:
    """The same as a query, each blank as `%20`: some readers take `+` for itself there."""
    return urlencode(fields, quote_via=quote, safe="", errors="replace")


def known(**fields: Any) -> dict[str, Any]:
    """These fields without those that are None or blank: what is not known is not written."""
    return {name: value for name, value in fields.items() if value is not None and value != ""}


class Fields:
    """The fields of one JSON object, read by name.

    `default` makes a field optional: it is the value where the field is missing or null (and,
    for texts, blank). Without it the field is required. Every reader raises `Refused`
    (invalid_request) with the field's name and its flaw.

    Each reader knows at once what a field nearly always is, and asks about the rest one by one: what
    it takes at once is what the long way would give, and what is refused is refused there only.
    """

    __slots__ = ("_prefix", "raw")

    def __init__(self, raw: Mapping[str, Any], prefix: str = "") -> None:
        self.raw, self._prefix = raw, prefix

    @classmethod
    def of(cls, message: Request | Response) -> Fields:
        return cls(_passed_on(message))

    @classmethod
    def of_form(cls, request: Request) -> Fields:
        """Of a web form: every value is a text."""
        if isinstance(request.form, Unreadable):
            raise unparsable(request.form.message)
        return cls(request.form)

    @classmethod
    def of_soap(cls, message: Request | Response) -> Fields:
        """Of the one element in the body of a SOAP message: every value is a text, None or an object."""
        found = message.soap
        if isinstance(found, Unreadable):
            raise unparsable(found.message)
        return cls(found[1])

    @classmethod
    def of_xml(cls, message: Request | Response, name: str) -> Fields:
        """Of an XML document that is the element `name`: every value is a text, None, an object or a list."""
        found = message.xml
        if isinstance(found, Unreadable):
            raise unparsable(found.message)
        if found[0] != name:
            raise unparsable(f"the body is no <{name}>")
        return cls(found[1])

    @classmethod
    def caseless(cls, message: Request | Response, spelled: Mapping[str, str]) -> Fields:
        """Where `userid` is `userId`: fields under the documented spelling, given by lower-case name.

        Two fields whose names differ only by case are refused: nobody knows which one is meant.
        """
        return cls(_respelled(_passed_on(message), spelled))

    @classmethod
    def of_query(cls, request: Request, spelled: Mapping[str, str] | None = None) -> Fields:
        """Of a query: every value is a text. `spelled`: its names stand in any case, as for `caseless`."""
        if isinstance(request.asked, Unreadable):
            raise unparsable(request.asked.message)
        return cls(request.asked if spelled is None else _respelled(request.asked, spelled))

    def __contains__(self, name: str) -> bool:
        return self.raw.get(name) is not None

    def wrong(self, name: str, flaw: Flaw, message: str) -> Refused:
        return Refused(Reason.INVALID_REQUEST, f"{self._prefix}{name} {message}", field=name, flaw=flaw)

    def value(self, name: str, default: Any = REQUIRED) -> Any:
        """The field as it came, an integer as the text that it was; `default` for missing and null."""
        found = self.raw.get(name)
        if found is not None:
            return Number(found) if type(found) is int else found
        if default is not REQUIRED:
            return default
        if name in self.raw:
            raise self.wrong(name, Flaw.NULL, "is null")
        raise self.wrong(name, Flaw.MISSING, "is missing")

    def id(self, name: str, default: Any = REQUIRED, *, length_max: int = ID_LENGTH_MAX) -> str:
        """An id: text, or an integer of any size as its decimal text. Exact."""
        found = self.raw.get(name)
        if type(found) is str and 0 < len(found) <= length_max and not found.isspace() and "\x00" not in found:
            return found
        if type(found) is int and len(number := str(found)) <= length_max:
            return number
        if type(found) is Number and len(found) <= length_max and _INTEGER.fullmatch(found):
            return str(found)
        return self._id(name, default, length_max)

    def _nothing(self, name: str, default: Any) -> bool:
        """Whether an optional field is absent, or says so as PHP does."""
        found = self.raw.get(name)
        return default is not REQUIRED and (found is None or found is False or found == [] or found == {})

    def _id(self, name: str, default: Any, length_max: int) -> str:
        if self._nothing(name, default):
            return str(default)
        found = self.value(name)
        if isinstance(found, Number):
            if not _INTEGER.fullmatch(found):
                raise self.wrong(name, Flaw.INVALID, "is neither text nor an integer")
            found = str(found)
        return self._checked(name, found, default, length_max)

    def id_if_any(self, name: str, *, length_max: int = ID_LENGTH_MAX) -> str:
        """An id that only describes: blank where it is none, for it may not stop a win."""
        try:
            return self.id(name, "", length_max=length_max)
        except Refused:
            return ""

    def text(self, name: str, default: Any = REQUIRED, *, length_max: int = 1024) -> str:
        """A text."""
        found = self.raw.get(name)
        if type(found) is str and 0 < len(found) <= length_max and not found.isspace() and "\x00" not in found:
            return found
        return self._text(name, default, length_max)

    def _text(self, name: str, default: Any, length_max: int) -> str:
        if self._nothing(name, default):
            return str(default)
        found = self.value(name)
        if isinstance(found, Number):
            raise self.wrong(name, Flaw.INVALID, "is not a text")
        return self._checked(name, found, default, length_max)

    def _checked(self, name: str, found: Any, default: Any, length_max: int) -> str:
        if not isinstance(found, str):
            raise self.wrong(name, Flaw.INVALID, "is not a text")
        if not found.strip():
            if default is not REQUIRED:
                return str(default)
            raise self.wrong(name, Flaw.BLANK, "is blank")
        if len(found) > length_max:
            raise self.wrong(name, Flaw.TOO_LONG, f"is longer than {length_max} characters")
        if "\x00" in found:
            raise self.wrong(name, Flaw.INVALID, "holds a zero byte, or half a surrogate pair")
        return found

    def words(self, name: str, *, length_max: int = 256, strict: bool = False) -> str:
        """What is for people only: a name, a note. Whatever stands there is taken as text and cut, nothing is blank:
        a description stops no win and no rollback. PHP writes `[]`, `{}` and `false` for nothing. `strict`: a bet may be
        refused for it, where the page says so."""
        if strict:
            return self.text(name, "", length_max=length_max)
        found = self.raw.get(name)
        if found is None or found is False or found == [] or found == {}:
            return ""
        return self.opaque(name).get(name, "").strip()[:length_max]

    def choice(self, name: str, choices: Mapping[str, T], default: Any = REQUIRED) -> T:
        """One of several words."""
        found = self.value(name, default)
        if found is default:
            return cast("T", default)
        if not isinstance(found, str) or found not in choices:
            raise self.wrong(name, Flaw.INVALID, f"is none of {', '.join(choices)}")
        return choices[found]

    def flag(self, name: str, default: Any = REQUIRED) -> bool:
        """A boolean; 0, 1, `"true"` and `"false"` are understood, too."""
        found = self.value(name, default)
        if isinstance(found, bool):
            return found
        if isinstance(found, str) and found in _FLAGS and (isinstance(found, Number) or not found.isdigit()):
            return _FLAGS[found]
        if found is default:
            return bool(default)
        raise self.wrong(name, Flaw.INVALID, "is not a boolean")

    def boolean(self, name: str, default: Any = REQUIRED) -> bool | None:
        """A JSON boolean and nothing else; None only where that is the default."""
        found = self.value(name, default)
        if isinstance(found, bool) or found is default:
            return cast("bool | None", found)
        raise self.wrong(name, Flaw.INVALID, "is not a boolean")

    def decimal(self, name: str, default: Any = REQUIRED) -> tuple[Decimal, bool]:
        """(amount, whether it was a JSON number); numeric text is understood. Exact."""
        found = self.raw.get(name)
        if (type(found) is int and -_SHORT < found < _SHORT) or (
            type(found) is Number and _SHORT_NUMBER.fullmatch(found)
        ):
            return Decimal(found), True
        return self._decimal(name, default)

    def _decimal(self, name: str, default: Any) -> tuple[Decimal, bool]:
        found = self.value(name, default)
        if found is default:
            return cast("tuple[Decimal, bool]", default)
        return self._amount(name, found), isinstance(found, Number)

    def _amount(self, name: str, found: Any) -> Decimal:
        if isinstance(found, str) and not isinstance(found, Number) and not found.strip():
            raise self.wrong(name, Flaw.BLANK, "is blank")
        if not isinstance(found, str) or not _DECIMAL_TEXT.fullmatch(found) or len(found) > 64:
            raise self.wrong(name, Flaw.INVALID, "is not a number")
        try:
            amount = Decimal(found)
        except InvalidOperation:
            raise self.wrong(name, Flaw.INVALID, "is not a number") from None
        if amount and abs(amount.adjusted()) > EXPONENT_MAX:
            raise self.wrong(name, Flaw.TOO_HIGH, "is too large or too small")
        return amount

    def integer(self, name: str, default: Any = REQUIRED) -> int:
        """An integer in any spelling: `100`, `100.0`, `1e2`, `"100"`."""
        found = self.raw.get(name)
        if type(found) is int and -_SHORT < found < _SHORT:
            return found
        if type(found) is Number and found.isdigit() and len(found) < 20:
            return int(found)
        return self._integer(name, default)

    def _integer(self, name: str, default: Any) -> int:
        found = self.value(name, default)
        if found is default:
            return int(default)
        try:
            amount = self._amount(name, found)
        except Refused as refused:
            if refused.flaw is Flaw.INVALID:
                raise self.wrong(name, Flaw.NOT_INTEGER, "is not an integer") from None
            raise
        if amount != amount.to_integral_value():
            raise self.wrong(name, Flaw.NOT_INTEGER, "is not an integer")
        return int(amount)

    def object(self, name: str, default: Any = REQUIRED) -> Fields:
        """An object inside; `{}` where it is missing or null and `default` is given."""
        found = self.value(name, default)
        if found is default:
            return Fields({}, f"{self._prefix}{name}.")
        if not isinstance(found, dict):
            raise self.wrong(name, Flaw.INVALID, "is not an object")
        return Fields(found, f"{self._prefix}{name}.")

    def opaque(self, *names: str) -> dict[str, str]:
        """These fields as text for `extra`, JSON text where they are no plain values; absent ones left out, and those in which
        a key stands twice.

        Cut to what a native wallet takes (no zero bytes, a bound): a description may not stop a win.
        """
        found = {}
        for name in names:
            value = self.raw.get(name)
            if value is not None:
                value = value.decode(errors="replace") if isinstance(value, bytes) else value
                try:
                    text = str(value) if isinstance(value, str) else text_of(value)
                except Refused:
                    continue
                found[name] = text.replace("\x00", "")[:OPAQUE_LENGTH_MAX]
        return found

    def unknown(self, names: frozenset[str]) -> dict[str, str]:
        """The plain fields that nobody documented, as text for `extra`: a few, and short ones.

        `names` are the documented ones; a guard's key in the body is never kept.
        """
        if names >= self.raw.keys():
            return {}
        hidden = names | {"", "api_key"}
        strange = [name for name in self.raw if name not in hidden and len(name) <= 64 and "\x00" not in name]
        plain = [name for name in strange if isinstance(self.raw[name], str | int)]
        kept = {name: text for name, text in self.opaque(*plain).items() if len(text) <= UNKNOWN_LENGTH_MAX}
        return dict(list(kept.items())[:UNKNOWN_MAX])


def moment(text: str, field: str) -> datetime:
    """An ISO 8601 time; without a zone it is UTC. Raises `Refused` (invalid_request)."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(Reason.INVALID_REQUEST, f"{field} is not a time", field=field, flaw=Flaw.INVALID) from None
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:
        raise Refused(Reason.INVALID_REQUEST, f"{field} is not a time", field=field, flaw=Flaw.INVALID) from None
