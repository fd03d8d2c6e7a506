"""How requests are signed and verified: composable values, no comparison of their own."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote, quote_plus, unquote_to_bytes

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from gateway.auth.compare import same
from gateway.auth.keys import Key
from gateway.auth.mac import Mac
from gateway.auth.steps import Cover, Digest, Encoding, Hashing, Proof, Steps, compact, hashing_of, letters, told
from gateway.body import Unreadable, strictly
from gateway.http import Request, Response
from gateway.model import Flaw, Reason, Refused


class Part(Struct, frozen=True):
    """A named part of a key. `secret` parts are references in a configuration, never literal."""

    name: str
    secret: bool = True
    demo: str = ""  # what the demo, `gateway wallet` and `gateway provider` use
    end: str = ""  # `provider` or `wallet`, where only that end of ours needs it (hub88's two keys)
    needed: bool = True  # a key without it is no key


class Proved(str):
    """The id of a key, and which of several spellings its sender signed, as `explain` numbers them."""

    spelling: int

    def __new__(cls, key_id: str, spelling: int) -> Proved:
        made = super().__new__(cls, key_id)
        made.spelling = spelling
        return made


class Auth:
    """How a dialect proves who speaks. The base is a dialect without any proof of its own."""

    stand_in: str = ""
    """The part of a key that may stand where a call has no session (`SharedKey`); blank = there is none."""
    seals: bool = False
    """Whether answers are signed, too (`Mutual`)."""

    def parts(self, settings: Any) -> tuple[Part, ...]:
        """The parts a key needs with these settings; empty = the dialect is unsigned."""
        return ()

    def fault(self, part: str, value: str, settings: Any) -> str:
        """What is wrong with a part of a key as it is configured; blank = nothing. Told at load."""
        return ""

    def weak(self, settings: Any) -> bool:
        """Whether the proof only guards against mistakes (MD5, SHA-1, none): needs `allow_weak`."""
        return False

    def verify(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> str:
        """The id of the key that verifies (a `Proved`, where its sender's spelling is not the first one), blank where there
        is no proof to verify.

        Raises `Refused` (bad_signature); its `field` names the part that failed, if one did.
        """
        return ""

    def shows_stand_in(self, request: Request, keys: Sequence[Key]) -> bool:
        """Whether what this request has for a session is no session, but that part of one of these keys."""
        return False

    def holds_stand_in(self, keys: Sequence[Key]) -> bool:
        """Whether `sign` can put that part where a request has no session."""
        return False

    def stood_in(self, request: Request, keys: Sequence[Key]) -> Request | None:
        """A signed request whose session was not taken, with that part in its place; None: there is none, or it is there."""
        return None

    def sign(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> Request:
        """The request with its proof, by the first key (or by each, where a dialect sends several)."""
        return request

    def once(self, request: Request, settings: Any) -> tuple[str, bytes]:
        """The word of a verified request that its sender uses once, blank where there is none, and what is sent under it:
        seen again with something else, the request is refused."""
        return "", b""

    def seal(self, response: Response, keys: Sequence[Key], settings: Any) -> Response:
        """The answer with its proof, by the first key; one without a body, which decides nothing, has none."""
        return response

    def check(self, response: Response, request: Request, keys: Sequence[Key], settings: Any) -> None:
        """Whether an answer to that request was sealed by one of these keys. Raises `Refused`: it is then no answer."""

    def answering(self, settings: Any) -> Auth | None:
        """The proof of an answer, which is read as a request is (`as_asked`); None: answers have none."""
        return None

    def proofs(self, settings: Any) -> tuple[Proof, ...]:
        """What it consists of, step by step, for `gateway sign`: no call asks for it."""
        return ()

    def explain(self, request: Request, key: Key, settings: Any) -> list[tuple[str, str]]:
        """What is signed and how it came about, step by step, for `gateway sign --explain`."""
        return [line for proof in self.proofs(settings) for line in proof.explain(request, key, settings)]


class Unsigned(Auth):
    """No signature, no key: a guard is required at the provider's end (docs/configuration.md)."""


def bad_signature(message: str, part: str = "") -> Refused:
    return Refused(Reason.BAD_SIGNATURE, message, field=part)


def loosely(request: Request) -> dict[str, Any] | None:
    """The body's fields for who must look into it before its proof is known: None where there are none to be found.

    Of a key that stands twice the last one: that nobody knows which is meant is told later, by whoever reads all of it.
    """
    said = request.said
    if isinstance(said, Unreadable):
        try:
            said = msgspec.json.decode(request.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
    return said if isinstance(said, dict) else None


# What the docstrings of encodings say is shown by `gateway sign`.
def hex_text(digest: bytes) -> str:
    """lower-case hex"""
    return digest.hex()


def upper_hex(digest: bytes) -> str:
    """upper-case hex"""
    return digest.hex().upper()


def base64_text(digest: bytes) -> str:
    """Base64"""
    return base64.b64encode(digest).decode()


class Carrier(Protocol):
    """Where a proof stands in a request, and how its digest is written there."""

    @property
    def name(self) -> str: ...

    @property
    def encoding(self) -> Encoding: ...

    @property
    def place(self) -> str:
        """Where that is, in words."""
        ...

    def read(self, request: Request) -> str:
        """The proof, blank where there is none."""
        ...

    def write(self, request: Request, proof: str) -> Request: ...


class InHeader(Struct, frozen=True):
    """The proof stands in a header, white space around it ignored, behind `before`, if that is any (in any case); `folded`:
    upper-case hex is understood."""

    name: str
    encoding: Encoding = hex_text
    before: str = ""
    folded: bool = False

    @property
    def place(self) -> str:
        return f"header {self.name}"

    def read(self, request: Request) -> str:
        found = request.header(self.name).strip()
        if not found.lower().startswith(self.before.lower()):
            return ""
        found = found[len(self.before) :].strip()
        return found.lower() if self.folded else found

    def write(self, request: Request, proof: str) -> Request:
        return request.put((self.name, self.before + proof))


class InBody(Struct, frozen=True):
    """The proof stands in a top-level field of a JSON body; `any_case`: `Hash` is `hash`."""

    name: str
    encoding: Encoding = hex_text
    any_case: bool = False

    @property
    def place(self) -> str:
        return f"the body field {self.name}"

    def read(self, request: Request) -> str:
        fields = loosely(request) or {}
        found = fields.get(self.name)
        if found is None and self.any_case:
            found = next((value for name, value in fields.items() if name.lower() == self.name), None)
        return found if type(found) is str else ""  # a number is one of a subclass

    def write(self, request: Request, proof: str) -> Request:
        try:
            fields = msgspec.json.decode(request.body, type=dict[str, msgspec.Raw])
        except msgspec.DecodeError:  # half a surrogate pair, or no object: nobody writes it, and a sample may hold it
            return replace(request, body=self._written(strictly(request.body), proof))
        fields[self.name] = msgspec.Raw(msgspec.json.encode(proof))
        return replace(request, body=msgspec.json.encode(fields))

    def _written(self, said: Any, proof: str) -> bytes:
        """Raises `Refused` (unparsable)."""
        if not isinstance(said, dict):
            message = said.message if isinstance(said, Unreadable) else "the body is not a JSON object"
            raise Refused(Reason.INVALID_REQUEST, message, field="request_body", flaw=Flaw.UNPARSABLE)
        return compact({**said, self.name: proof}).encode(errors="backslashreplace")  # as JSON escapes it


class InForm(Struct, frozen=True):
    """The proof stands in a field of a web form."""

    name: str
    encoding: Encoding = hex_text

    @property
    def place(self) -> str:
        return f"the field {self.name} of the form"

    def read(self, request: Request) -> str:
        fields = request.form
        found = "" if isinstance(fields, Unreadable) else fields.get(self.name, "")
        return found if isinstance(found, str) else ""

    def write(self, request: Request, proof: str) -> Request:
        name = self.name.encode()
        kept = [pair for pair in request.body.split(b"&") if pair and pair.partition(b"=")[0] != name]
        return replace(request, body=b"&".join([*kept, name + b"=" + quote_plus(proof).encode()]))


@told(
    Steps(selected="the body", form="its bytes as they were sent: JSON that is read and written again is another text")
)
def raw_body(request: Request, settings: Any) -> Iterable[bytes]:
    return (request.body,)


@told(
    Steps(selected="the target: path and query, with what stands before the dialect's own path", form="as it was sent")
)
def raw_target(request: Request, settings: Any) -> Iterable[bytes]:
    """Path and query as they were sent, what stands before the dialect's own path included."""
    return ((request.target or request.url).encode("latin-1", "backslashreplace"),)


def base64_bytes(text: str) -> bytes:
    """decoded from Base64

    Raises `Refused` where a key is none, so that nothing is proved by it and nothing is signed.
    """
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise bad_signature("the key is not Base64") from None


def hmac_of(algorithm: str, part: str = "secret", *, key_of: Callable[[str], bytes] = letters) -> Digest:
    """`key_of`: what of the part is the key; its letters, where nothing else is said."""
    use = f"{algorithm} under {part} by {key_of.__name__}"

    def made(key: Key) -> Mac:
        return Mac(key_of(key.part(part)), algorithm)

    @told(Hashing(algorithm=algorithm, part=part, key_of=key_of))
    def digest(key: Key, message: bytes) -> bytes:
        return key.mac(use, made).digest(message)

    return digest


def digest_of(algorithm: str, part: str = "secret") -> Digest:
    """A plain digest over message + secret: weak, for dialects that know nothing better."""

    @told(Hashing(algorithm=algorithm, part=part, keyed=False))
    def digest(key: Key, message: bytes) -> bytes:
        return hashlib.new(algorithm, message + key.part(part).encode(), usedforsecurity=False).digest()

    return digest


class Signed(Auth):
    """One digest over what is covered, carried in one place."""

    def __init__(self, *, covers: Cover, digest: Digest, carried: Carrier, demo: str, weak: bool = False) -> None:
        self._covers, self._digest, self._carried = covers, digest, carried
        self._parts: tuple[Part, ...] = (Part("secret", demo=demo),)
        self._weak = weak

    def parts(self, settings: Any) -> tuple[Part, ...]:
        return self._parts

    def fault(self, part: str, value: str, settings: Any) -> str:
        """That nothing can be signed by it: every call would be refused, and nobody told why."""
        others = {other.name: other.demo for other in self.parts(settings)}
        try:
            self._digest(Key(id="", parts=others | {part: value}), b"")
        except Refused as refused:
            return refused.message
        return ""

    def weak(self, settings: Any) -> bool:
        return self._weak

    def verify(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> str:
        given = self._carried.read(request)
        if not given:
            raise bad_signature("the signature is missing")
        for number, message in enumerate(self._covers(request, settings), 1):  # lazily: mostly the first is it
            for key in keys:
                if same(given, self._carried.encoding(self._digest(key, message))):
                    return key.id if number == 1 else Proved(key.id, number)
        raise bad_signature("the signature does not verify")

    def sign(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> Request:
        message = next(iter(self._covers(request, settings)))
        return self._carried.write(request, self._carried.encoding(self._digest(keys[0], message)))

    def proofs(self, settings: Any) -> tuple[Proof, ...]:
        carried, hashing = self._carried, hashing_of(self._digest)
        return (
            Proof(
                carried=getattr(carried, "place", carried.name),
                own=carried.name.lower(),
                part=hashing.part if hashing else self._parts[-1].name,
                covers=self._covers,
                digest=self._digest,
                encoding=carried.encoding,
                before=getattr(carried, "before", ""),
                folded=getattr(carried, "folded", False),
            ),
        )


class When(Auth):
    """`inner` where the settings ask for it; else no proof, and a guard is required."""

    def __init__(self, asked: Callable[[Any], bool], inner: Auth) -> None:
        self._asked, self._inner = asked, inner

    def parts(self, settings: Any) -> tuple[Part, ...]:
        return self._inner.parts(settings) if self._asked(settings) else ()

    def fault(self, part: str, value: str, settings: Any) -> str:
        return self._inner.fault(part, value, settings)

    def weak(self, settings: Any) -> bool:
        return self._asked(settings) and self._inner.weak(settings)

    def verify(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> str:
        return self._inner.verify(request, keys, settings, now) if self._asked(settings) else ""

    def sign(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> Request:
        return self._inner.sign(request, keys, settings, now) if self._asked(settings) else request

    def once(self, request: Request, settings: Any) -> tuple[str, bytes]:
        return self._inner.once(request, settings) if self._asked(settings) else super().once(request, settings)

    def proofs(self, settings: Any) -> tuple[Proof, ...]:
        return self._inner.proofs(settings) if self._asked(settings) else ()

    def explain(self, request: Request, key: Key, settings: Any) -> list[tuple[str, str]]:
        return self._inner.explain(request, key, settings) if self._asked(settings) else []


class OneOf(Auth):
    """One of several proofs, as the settings say. `unproved`: the word of the settings for none of them, which is weak, and
    for which a guard is required."""

    def __init__(self, said: Callable[[Any], str], proofs: Mapping[str, Auth], *, unproved: str = "") -> None:
        self._said, self._unproved = said, unproved
        self._proofs = {**proofs, unproved: Unsigned()} if unproved else dict(proofs)

    def _proof(self, settings: Any) -> Auth:
        return self._proofs[self._said(settings)]

    def parts(self, settings: Any) -> tuple[Part, ...]:
        return self._proof(settings).parts(settings)

    def fault(self, part: str, value: str, settings: Any) -> str:
        return self._proof(settings).fault(part, value, settings)

    def weak(self, settings: Any) -> bool:
        return self._said(settings) == self._unproved or self._proof(settings).weak(settings)

    def verify(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> str:
        return self._proof(settings).verify(request, keys, settings, now)

    def sign(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> Request:
        return self._proof(settings).sign(request, keys, settings, now)

    def once(self, request: Request, settings: Any) -> tuple[str, bytes]:
        return self._proof(settings).once(request, settings)

    def proofs(self, settings: Any) -> tuple[Proof, ...]:
        return self._proof(settings).proofs(settings)

    def explain(self, request: Request, key: Key, settings: Any) -> list[tuple[str, str]]:
        return self._proof(settings).explain(request, key, settings)


class StaticHeaders(Auth):
    """Secrets sent as they are, one header a part. `optional` leaves parts out by the settings."""

    def __init__(self, headers: Sequence[tuple[Part, str]], optional: Callable[[Any], frozenset[str]]) -> None:
        self._headers, self._optional = tuple(headers), optional

    def parts(self, settings: Any) -> tuple[Part, ...]:
        return tuple(part for part, _ in self._headers)

    def verify(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> str:
        wanted = [(part.name, name) for part, name in self._headers if part.name not in self._optional(settings)]
        missed = ""
        for key in keys:
            failed = [p for p, name in wanted if not same(request.header(name).strip(), key.part(p))]
            if not failed:
                return key.id
            # The nearest key decides what is said to be wrong: a right first part is no stranger's.
            missed = failed[0] if not missed or failed[0] != wanted[0][0] else missed
        raise bad_signature("a key is missing or wrong", missed or wanted[0][0])

    def sign(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> Request:
        return request.put(*((name, keys[0].part(part.name)) for part, name in self._headers))

    def proofs(self, settings: Any) -> tuple[Proof, ...]:
        return tuple(Proof(carried=f"header {name}", part=part.name) for part, name in self._headers)


class StaticBody(Auth):
    """A secret sent as it is, in a field of a JSON body. One that is not there is told as a missing field, a body that nobody
    can read as such, neither as a forgery. It covers nothing: whoever has seen one call can make any other."""

    def __init__(self, part: Part, name: str) -> None:
        self._part, self._carried = part, InBody(name)

    def parts(self, settings: Any) -> tuple[Part, ...]:
        return (self._part,)

    def verify(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> str:
        name, said = self._carried.name, request.said
        if not isinstance(said, dict):
            message = said.message if isinstance(said, Unreadable) else "the body is not a JSON object"
            raise Refused(Reason.INVALID_REQUEST, message, field="request_body", flaw=Flaw.UNPARSABLE)
        given = self._carried.read(request)
        if not given:
            raise Refused(Reason.INVALID_REQUEST, f"{name} is missing", field=name, flaw=Flaw.MISSING)
        for key in keys:
            if same(given, key.part(self._part.name)):
                return key.id
        raise bad_signature("the key is wrong", self._part.name)

    def sign(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> Request:
        return self._carried.write(request, keys[0].part(self._part.name))

    def proofs(self, settings: Any) -> tuple[Proof, ...]:
        return (Proof(carried=self._carried.place, part=self._part.name),)


class StaticQuery(Auth):
    """A secret sent as it is, in a field of the query. It stands in the URL: a dialect names the field in `hides`."""

    def __init__(self, part: Part, name: str) -> None:
        self._part, self._name = part, name

    def parts(self, settings: Any) -> tuple[Part, ...]:
        return (self._part,)

    def verify(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> str:
        pairs = [pair.partition("=") for pair in request.query.split("&")]
        given = [value for name, _, value in pairs if name == self._name and value]
        if len(given) != 1:  # of two nobody knows which one is meant
            raise bad_signature(f"{self._name} does not stand in the query once", self._part.name)
        proof = unquote_to_bytes(given[0].encode("utf-8", "surrogatepass"))
        for key in keys:
            if same(proof, key.part(self._part.name)):
                return key.id
        raise bad_signature("the key is wrong", self._part.name)

    def sign(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> Request:
        proof = f"{self._name}={quote(keys[0].part(self._part.name), safe='')}"
        query, target = f"{request.query}&{proof}" if request.query else proof, request.target
        whole = f"{target}{'&' if '?' in target else '?'}{proof}" if target else ""
        return replace(request, query=query, target=whole)

    def proofs(self, settings: Any) -> tuple[Proof, ...]:
        return (Proof(carried=f"the field {self._name} of the query", part=self._part.name),)
