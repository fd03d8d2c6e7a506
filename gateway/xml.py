"""XML as nested fields: `{"Envelope": {"Body": {"Withdraw": {"name": "p-1"}}}}`, read once and exactly, and SOAP around it.

Names are read without their prefixes, attributes are not read but `xsi:nil`. An element that stands several times in
another is a list there: whoever wants one text refuses it. Declarations of types and entities are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from defusedxml.ElementTree import ParseError, fromstring  # type: ignore[import-untyped]  # it ships no types

from gateway.body import Unreadable
from gateway.model import unsupported

SPACE = "@xmlns"
"""The name under which an element with elements in it keeps its namespace, where that is not the one around it."""
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"  # SOAP 1.1
MARKS_MAX = 500  # opening brackets in a body, two for each element, or equals signs, one for each attribute
DEPTH_MAX = 16
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
# What XML 1.0 cannot hold, or reads as something else (a carriage return becomes a line end).
_UNSAYABLE = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parsed(body: bytes) -> Any:
    """The fields of an XML body under the name of its element; `Unreadable` where there are none."""
    if body.count(b"<") > MARKS_MAX or body.count(b"=") > MARKS_MAX:  # a forger's would else cost what many bets cost
        return Unreadable("the body holds more elements or attributes than any call")
    try:
        root = fromstring(body, forbid_dtd=True)
        return {_local(root.tag): _inside(root, "", DEPTH_MAX)}
    except (ParseError, ValueError, LookupError) as error:  # LookupError: of an encoding that nobody knows
        return Unreadable(f"the body is not XML that is read here: {str(error)[:80]}")


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _inside(element: Any, around: str, depth: int) -> Any:
    """A text; the elements in it where there are some; None where it says that it is nothing."""
    if not depth:
        raise ValueError("nested too deeply")
    space = element.tag[1:].rpartition("}")[0]
    if not len(element):
        return None if element.get(_NIL) in ("true", "1") else element.text or ""
    found: dict[str, Any] = {SPACE: space} if space != around else {}
    several: set[str] = set()
    for part in element:
        name, value = _local(part.tag), _inside(part, space, depth - 1)
        if name in several:
            found[name].append(value)
        elif name in found:
            found[name] = [found[name], value]
            several.add(name)
        else:
            found[name] = value
    return found


def written(fields: Mapping[str, Any]) -> bytes:
    """The document of one element, as `parsed` reads it; what is None is left out.

    Raises `Refused` (unsupported) for a text that XML cannot hold: an id must come back as it went.
    """
    ((name, value),) = fields.items()
    root = Element(name)
    _fill(root, value)
    text = tostring(root, encoding="unicode", short_empty_elements=False)
    return b'<?xml version="1.0" encoding="utf-8"?>' + text.encode()


def _fill(element: Element, value: Any) -> None:
    if not isinstance(value, Mapping):
        element.text = _text(value)
        return
    for name, part in value.items():
        if name == SPACE:
            element.set("xmlns", _text(part))
            continue
        for each in part if isinstance(part, list) else (part,):
            if each is not None:
                _fill(SubElement(element, name), each)


def _text(value: Any) -> str:
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    if _UNSAYABLE.search(text):
        raise unsupported("a character that XML cannot hold")
    return text


def sayable(text: str) -> str:
    """A description without what XML cannot hold."""
    return _UNSAYABLE.sub("", text)


# ---------------------------------------------------------------- SOAP


def enveloped(name: str, fields: Mapping[str, Any], space: str) -> dict[str, Any]:
    """The SOAP message that holds the one element `name` of a namespace."""
    return {"Envelope": {SPACE: SOAP, "Body": {name: {SPACE: space, **fields}}}}


def soap_of(body: bytes) -> tuple[str, Mapping[str, Any]] | Unreadable:
    """What a SOAP message holds: the name of the one element of its body, and that one's fields."""
    said = parsed(body)
    if isinstance(said, Unreadable):
        return said
    envelope = said.get("Envelope") if isinstance(said, Mapping) else None
    inner = envelope.get("Body") if isinstance(envelope, Mapping) else None
    held = {name: value for name, value in inner.items() if name != SPACE} if isinstance(inner, Mapping) else {}
    if len(held) != 1:
        return Unreadable("the body is not a SOAP message of one element")
    ((name, value),) = held.items()
    if isinstance(value, list):
        return Unreadable("the body holds its call twice", twice=True)
    return name, value if isinstance(value, Mapping) else {}
