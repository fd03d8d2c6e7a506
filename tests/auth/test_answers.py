"""Answers that are signed, too: in the edition of the settings, by the request's key, never by the request's own word."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.auth import Edition, InXml, Key, Mutual, digest_of, hmac_of, leaf, named_leaves, one_leaf
from gateway.http import Request, Response
from gateway.model import Flaw, Reason, Refused

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OLD, NEW = (Key(id=name, parts={"secret": f"s-{name}"}) for name in ("old", "new"))
ALL = named_leaves(without="proof", unless_empty="inner")
AUTH = Mutual(
    said=lambda settings: str(settings.edition),
    editions={
        "word": Edition(
            covers=one_leaf("ask"), answers=one_leaf("reply"), digest=hmac_of("sha256"), word=leaf("ask"),
            answer_word=leaf("reply"),
        ),
        "all": Edition(covers=ALL, answers=ALL, digest=digest_of("md5")),
    },
    carried=InXml("proof"),
    demo="s",
    weak=True,
)  # fmt: skip
WORD, WHOLE = SimpleNamespace(edition="word"), SimpleNamespace(edition="all")


def asked(text: str) -> Request:
    return Request(method="POST", path="/", body=text.encode())


def mac(key: Key, text: str) -> str:
    return hmac.new(key.part("secret").encode(), text.encode(), hashlib.sha256).hexdigest()


def md5(key: Key, text: str) -> str:
    return hashlib.md5((text + key.part("secret")).encode(), usedforsecurity=False).hexdigest()


def refused(call: Any, *arguments: Any) -> Refused:
    with pytest.raises(Refused) as found:
        call(*arguments)
    return found.value


def test_each_edition_signs_what_it_covers() -> None:
    """And the proof is put behind everything else, in the place of one that was there."""
    request = asked("<r><ask>a-1</ask><x>1</x><inner></inner></r>")
    signed = AUTH.sign(request, (OLD,), WORD, NOW)
    assert signed.body == f"<r><ask>a-1</ask><x>1</x><inner></inner><proof>{mac(OLD, 'a-1')}</proof></r>".encode()
    assert AUTH.sign(signed, (NEW,), WORD, NOW).body == AUTH.sign(request, (NEW,), WORD, NOW).body
    whole = AUTH.sign(request, (OLD,), WHOLE, NOW)
    assert f"<proof>{md5(OLD, 'aska-1x1')}</proof></r>".encode() in whole.body
    for each, settings in ((signed, WORD), (whole, WHOLE)):
        assert AUTH.verify(each, (NEW, OLD), settings, NOW) == "old"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<r><a>1</a><b></b><c/></r>", "a1bc"),
        ("<r><a>1</a><inner><b>2</b><d><b>3</b></d><b>4</b></inner></r>", "a1b2b3b4"),
        ("<r>\n <a>1</a>\n <inner>\n </inner>\n</r>", "a1"),
        ("<r><inner><inner></inner><proof>x</proof></inner><proof>y</proof></r>", "innerproofx"),
        ("<r><a>&lt;&amp;</a><b><![CDATA[ z ]]></b></r>", "a<&b z "),
    ],
)
def test_the_leaves_in_their_order(body: str, text: str) -> None:
    assert [*ALL(asked(body), WHOLE)] == [text.encode()]


def test_what_cannot_be_covered_is_refused() -> None:
    """A word that is missing is a forgery, a body that cannot be read is none."""
    for body in (
        "<r><proof>x</proof></r>",
        "<r><ask/><proof>x</proof></r>",
        "<r><ask>1</ask><ask>1</ask><proof>x</proof></r>",
    ):
        assert refused(AUTH.verify, asked(body), (OLD,), WORD, NOW).reason is Reason.BAD_SIGNATURE
    for settings in (WORD, WHOLE):
        for body in ("", "<r", "<!DOCTYPE r><r><ask>1</ask></r>", "{}"):
            why = refused(AUTH.verify, asked(body), (OLD,), settings, NOW)
            assert (why.reason, why.flaw) == (Reason.INVALID_REQUEST, Flaw.UNPARSABLE)
            assert refused(lambda body=body: [*ALL(asked(body), WHOLE)]).flaw is Flaw.UNPARSABLE


def test_an_answer_is_sealed_by_the_first_key_and_checked_by_any() -> None:
    request = asked("<r><ask>a-1</ask></r>")
    sealed = AUTH.seal(Response(body=b"<r><reply>b-1</reply></r>"), (OLD, NEW), WORD)
    assert sealed.body == f"<r><reply>b-1</reply><proof>{mac(OLD, 'b-1')}</proof></r>".encode()
    AUTH.check(sealed, request, (NEW, OLD), WORD)
    assert refused(AUTH.check, sealed, request, (NEW,), WORD).reason is Reason.BAD_SIGNATURE
    assert refused(AUTH.check, sealed, request, (), WORD).reason is Reason.BAD_SIGNATURE
    whole = AUTH.seal(Response(body=b"<r><x>1</x></r>"), (OLD,), WHOLE)
    AUTH.check(whole, request, (OLD,), WHOLE)
    changed = Response(body=whole.body.replace(b"<x>1</x>", b"<x>2</x>"))
    assert refused(AUTH.check, changed, request, (OLD,), WHOLE).reason is Reason.BAD_SIGNATURE


def test_an_answer_without_a_body_has_no_proof() -> None:
    """It says nothing. Without a key nothing can be proved."""
    nothing = Response(status=500)
    assert AUTH.seal(nothing, (OLD,), WORD) is nothing
    plain = Response(body=b"<r><reply>b-1</reply></r>")
    assert AUTH.seal(plain, (), WORD) is plain


def test_the_requests_own_proof_is_no_answers() -> None:
    """Who has no key could send it back."""
    request = AUTH.sign(asked("<r><ask>a-1</ask></r>"), (OLD,), WORD, NOW)
    stolen = Response(body=f"<r><ok>1</ok><reply>a-1</reply><proof>{mac(OLD, 'a-1')}</proof></r>".encode())
    assert refused(AUTH.check, stolen, request, (OLD,), WORD).reason is Reason.BAD_SIGNATURE


def test_only_an_edition_with_a_word_has_one_that_is_used_once() -> None:
    request = asked("<r><ask>a-1</ask></r>")
    assert AUTH.once(request, WORD) == ("a-1", request.body)
    assert AUTH.once(request, WHOLE)[0] == ""
    assert AUTH.weak(WORD)
    assert [title for title, _ in AUTH.explain(request, OLD, WHOLE)] == [
        "selected", "order", "form", "joined", "message 1", "keyed with", "digest", "encoding", "signature 1",
        "carried in", "answers",
    ]  # fmt: skip
