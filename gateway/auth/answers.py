"""Answers that are signed, too, in the same way as requests, and the proof as an element of an XML document (BetGames)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gateway.auth.compare import same
from gateway.auth.keys import Key
from gateway.auth.scheme import Auth, Carrier, Part, Signed, bad_signature, hex_text
from gateway.auth.steps import Composed, Cover, Digest, Encoding, Field, Proof, Steps, steps_of, told
from gateway.body import Unreadable
from gateway.http import Request, Response
from gateway.model import Flaw, Reason, Refused
from gateway.xml import leaves_of

AT_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)  # these proofs say nothing of the time


def nothing(request: Request) -> str:
    """The word of a message that has none."""
    return ""


class Edition(Struct, frozen=True, kw_only=True):
    """What of a request and of an answer is signed, and how. `word`, `answer_word`: what its sender uses once."""

    covers: Cover
    answers: Cover
    digest: Digest
    word: Callable[[Request], str] = nothing
    answer_word: Callable[[Request], str] = nothing


class Mutual(Auth):
    """One secret for both directions, in the edition that the settings name.

    An answer is read as a request is: what covers it and where it carries its proof look at the body alone. One that carries
    the word of its own request is none: who has no key could send the request's proof back.
    """

    seals = True

    def __init__(
        self, *, said: Callable[[Any], str], editions: Mapping[str, Edition], carried: Carrier, demo: str, weak: bool = False
    ) -> None:  # fmt: skip
        self._said, self._editions = said, dict(editions)
        self._parts = (Part("secret", demo=demo),)
        self._weak = weak
        self._asked, self._answered = (
            {
                name: Signed(covers=cover(edition), digest=edition.digest, carried=carried, demo=demo)
                for name, edition in editions.items()
            }
            for cover in (_of_requests, _of_answers)
        )

    def parts(self, settings: Any) -> tuple[Part, ...]:
        return self._parts

    def weak(self, settings: Any) -> bool:
        return self._weak

    def verify(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> str:
        return self._asked[self._said(settings)].verify(request, keys, settings, now)

    def sign(self, request: Request, keys: Sequence[Key], settings: Any, now: datetime) -> Request:
        return self._asked[self._said(settings)].sign(request, keys, settings, now)

    def once(self, request: Request, settings: Any) -> tuple[str, bytes]:
        return self._editions[self._said(settings)].word(request), request.body

    def proofs(self, settings: Any) -> tuple[Proof, ...]:
        return self._asked[self._said(settings)].proofs(settings)

    def explain(self, request: Request, key: Key, settings: Any) -> list[tuple[str, str]]:
        answers = steps_of(self._editions[self._said(settings)].answers, request)
        sealed = (
            "answers",
            f"carry a proof of their own, in the same place and by the same steps, over {answers.selected}",
        )
        return [*super().explain(request, key, settings), sealed]

    def answering(self, settings: Any) -> Auth:
        return self._answered[self._said(settings)]

    def seal(self, response: Response, keys: Sequence[Key], settings: Any) -> Response:
        if not response.body or not keys:
            return response
        sealed = self.answering(settings).sign(as_asked(response), keys, settings, AT_ANY_TIME)
        return replace(response, body=sealed.body)

    def check(self, response: Response, request: Request, keys: Sequence[Key], settings: Any) -> None:
        answer, edition = as_asked(response), self._editions[self._said(settings)]
        self.answering(settings).verify(answer, keys, settings, AT_ANY_TIME)
        word = edition.answer_word(answer)
        if word and same(word, edition.word(request)):
            raise bad_signature("the answer carries the request's own word")


def _of_requests(edition: Edition) -> Cover:
    return edition.covers


def _of_answers(edition: Edition) -> Cover:
    return edition.answers


def as_asked(response: Response) -> Request:
    """An answer, for what looks at its head and body alone."""
    return Request(method="POST", path="/", headers=response.headers, body=response.body)


# ---------------------------------------------------------------- in an XML document


class InXml(Struct, frozen=True):
    """The proof stands in an element of the document; we write it as the last one."""

    name: str
    encoding: Encoding = hex_text

    @property
    def place(self) -> str:
        return f"the element <{self.name}>"

    def read(self, request: Request) -> str:
        return leaf(self.name)(request)

    def write(self, request: Request, proof: str) -> Request:
        name = self.name.encode()
        body = re.sub(rb"<%b>[^<]*</%b>|<%b\s*/>" % (name, name, name), b"", request.body)
        end = body.rindex(b"</")
        return replace(request, body=b"%b<%b>%b</%b>%b" % (body[:end], name, proof.encode(), name, body[end:]))


def leaf(name: str) -> Callable[[Request], str]:
    """The text of an element of the document; blank where there is none, or several. Raises `Refused` (unparsable): a body
    that cannot be read is no forgery."""

    def text(request: Request) -> str:
        found = request.xml
        if isinstance(found, Unreadable):
            raise _unreadable(found)
        value = found[1].get(name)
        return value if isinstance(value, str) else ""

    return text


def one_leaf(name: str) -> Cover:
    """That text and nothing else: it proves who speaks, not what is said."""
    read = leaf(name)

    @told(Steps(selected=f"the text of the element <{name}> and nothing else", form="as it stands there"))
    def cover(request: Request, settings: Any) -> Iterator[bytes]:
        found = read(request)
        if not found:
            raise bad_signature(f"{name} is missing, or stands there twice")
        yield found.encode()

    return cover


def named_leaves(*, without: str, unless_empty: str) -> Cover:
    """Name and text of every leaf in the order of the document, with nothing between them; `without` the proof's own, and
    without the element `unless_empty` where it holds nothing."""

    def leaves(request: Request) -> Iterator[tuple[bool, str, str]]:
        """Whether it is signed, its name, its text."""
        found = leaves_of(request.body)
        if isinstance(found, Unreadable):
            raise _unreadable(found)
        for way, text in found:
            left_out = way == (without,) or (way == (unless_empty,) and not text.strip())
            yield not left_out, way[-1], text

    def signed(request: Request, settings: Any) -> list[Field]:
        return [(name, text) for taken, name, text in leaves(request) if taken]

    def beside(request: Request, settings: Any) -> list[Field]:
        return [(name, text) for taken, name, text in leaves(request) if not taken]

    said = Steps(
        selected=f"name and text of every leaf, without <{without}>, and without <{unless_empty}> where it is empty",
        order="that of the document",
        form="decoded, as they stand there; an empty leaf gives its name alone",
        joined="with nothing between them",
        fields=Composed(found=signed, beside=beside, names=b""),
    )

    @told(said)
    def cover(request: Request, settings: Any) -> Iterator[bytes]:
        found = leaves_of(request.body)
        if isinstance(found, Unreadable):
            raise _unreadable(found)
        texts = [
            way[-1] + text
            for way, text in found
            if way != (without,) and not (way == (unless_empty,) and not text.strip())
        ]
        yield "".join(texts).encode()

    return cover


def _unreadable(why: Unreadable) -> Refused:
    return Refused(Reason.INVALID_REQUEST, why.message, field="request_body", flaw=Flaw.UNPARSABLE)
