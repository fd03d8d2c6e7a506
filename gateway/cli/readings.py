"""How a signature that somebody pasted can be read: as hex, as Base64, cut, encoded for a URL."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import unquote

from msgspec import Struct

from gateway.auth.compare import same
from gateway.auth.steps import Proof, words_of

CUT_LEAST = 8  # bytes: of fewer nobody can say what they were cut from
_FRONT = re.compile(r"(?:v\d+[,=]|sha\d+=)?")  # a version, an algorithm


CASES: Mapping[str, Callable[[str], str]] = {"lower-case hex": str.lower, "upper-case hex": str.upper}


class Reading(Struct, frozen=True):
    """One way to read it. `form`: in which way it is written; `text`: without what stands before it."""

    form: str
    data: bytes
    text: str


def bare(given: str, proof: Proof) -> str:
    """The signature alone, without the word that stands before it."""
    text = given.strip().strip("\"'")
    front = proof.before.strip()
    if front and text.lower().startswith(front.lower()):
        return text[len(front) :].strip()
    return text[_FRONT.match(text).end() :]  # type: ignore[union-attr]  # it matches nothing, too


def parts(given: str, proof: Proof) -> list[str]:
    """Each signature of a list that is separated by blanks."""
    return [bare(each, proof) for each in bare(given, proof).split()]


def readings(given: str, proof: Proof) -> list[Reading]:
    """Each way in which it can be read, the likeliest first."""
    each = parts(given, proof)
    found = [reading for text in each for reading in _ways(text)]
    if len(each) > 1:
        found += [Reading(f"{way.form}, blanks for +", way.data, way.text) for way in _ways("+".join(each))]
    return found


def _ways(text: str) -> Iterator[Reading]:
    if re.fullmatch(r"[0-9A-Fa-f]{2,}", text):
        case = next((case for case, cased in CASES.items() if text == cased(text)), "hex in both cases")
        odd = len(text) % 2
        yield Reading(f"{case}, a digit too few" if odd else case, bytes.fromhex(text[: len(text) - odd]), text)
    if re.fullmatch(r"[A-Za-z0-9+/_-]+={0,2}", text):
        yield from _base64(text)
    if "%" in text and unquote(text) != text:
        yield from (Reading(f"{way.form}, encoded for a URL", way.data, text) for way in _ways(unquote(text)))


def _base64(text: str) -> Iterator[Reading]:
    padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    try:
        data = base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        return
    form = "base64url" if re.search("[-_]", text) else "Base64"
    yield Reading(form if padded == text else f"{form} without its padding", data, text)
    if re.fullmatch(rb"(?:[0-9A-Fa-f]{2}){8,}", data):
        yield Reading("Base64 of the hex text", bytes.fromhex(data.decode()), text)


def hit(found: list[Reading], digest: bytes) -> Reading | None:
    """The reading that is this digest, or its beginning."""
    whole = next((reading for reading in found if same(reading.data, digest)), None)
    return whole or next((reading for reading in found if _begins(digest, reading.data)), None)


def _begins(digest: bytes, cut: bytes) -> bool:
    return CUT_LEAST <= len(cut) < len(digest) and same(cut, digest[: len(cut)])


def wanted(proof: Proof) -> str:
    return words_of(proof.encoding) if proof.encoding else ""


def is_ours(reading: Reading, proof: Proof) -> bool:
    """Whether it is written as this proof is."""
    return reading.form == wanted(proof) or (proof.folded and reading.form.endswith(("hex", "hex in both cases")))


def remarks(reading: Reading, proof: Proof, size: int, *, right: bool) -> Iterator[str]:
    """What its form says, before anything is said of what was signed. `right`: but for this, it is."""
    if not is_ours(reading, proof):
        hexes = [form.endswith("hex") or form == "hex in both cases" for form in (reading.form, wanted(proof))]
        other = "hex and base64 are mixed up: " if any(hexes) and not all(hexes) else ""
        front = f"the digest is right, its encoding is not: {other}" if right else ""
        if right and all(hexes):
            front = "only upper and lower case differ: "
        yield f"{front}it is written as {reading.form}, this dialect wants {wanted(proof)}"
    if len(reading.data) != size:
        why = "it is cut" if right else "another algorithm, or cut"
        yield f"it holds {len(reading.data)} bytes where {size} are wanted: {why}"


def likeliest(found: list[Reading], proof: Proof, size: int) -> Reading | None:
    """The way in which its sender meant it: ours, else one of the right length, else the first."""
    ranked = sorted(found, key=lambda reading: (len(reading.data) != size, not is_ours(reading, proof)))
    return ranked[0] if ranked else None
