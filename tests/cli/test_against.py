"""Why two signatures differ: each mistake is made here with `hashlib` and `hmac` alone, of a scheme that no dialect has."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from msgspec.structs import replace

from adapters.kyren.dialect import DIALECT
from gateway.auth import (
    Auth,
    InBody,
    InHeader,
    Key,
    Part,
    RsaSigned,
    SharedKey,
    Signed,
    Stamp,
    Stamped,
    StaticQuery,
    Unsigned,
    base64_text,
    digest_of,
    hmac_of,
    raw_body,
    raw_target,
    sorted_form,
    sorted_pairs,
)
from gateway.auth.webhooks import StandardWebhooks
from gateway.cli.against import Verdict, compare
from gateway.cli.causes import OF_DIGESTS, OF_KEYS, OF_REQUESTS, OF_TEXTS, OF_WHOLES, Cause
from gateway.cli.causes_fields import OF_FIELDS
from gateway.dialect import Dialect
from gateway.engine.setup import Provider
from gateway.http import Request
from gateway.laws.planted import told_wrong
from gateway.laws.subjects import vectors_of
from tests.auth.test_rsa import OURS, SENDER, THEIRS, private_pem, public_pem
from tests.auth.test_rsa import WEAK as OTHER

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = Key(id="k", parts={"secret": "a-long-Secret"})
CONTENT = {"content-type": "application/json"}


def dialect(auth: Auth) -> Dialect:
    """A stranger's: nothing that finds causes knows its name."""
    return replace(DIALECT, name="strangers", auth=auth)


def against(
    auth: Auth, request: Request, given: str, *keys: Key, others: tuple[tuple[str, Key], ...] = (), settings: Any = None
) -> Verdict:
    entry = Provider(
        name="acme", id="acme", dialect=dialect(auth), settings=settings, keys=keys or (KEY,), answer_within={}
    )
    return compare(entry, request, request, given, others, now=NOW)


def told(verdict: Verdict) -> str:
    """What is said of a signature that is wrong; never with a secret in it."""
    assert not verdict.same
    said = "\n".join(verdict.lines)
    assert KEY.part("secret") not in said
    return said


def mac(text: str | bytes, secret: str | bytes = "a-long-Secret", algorithm: str = "sha256") -> bytes:
    key, message = (each if isinstance(each, bytes) else each.encode() for each in (secret, text))
    return hmac.new(key, message, algorithm).digest()


# ---------------------------------------------------------------- fields

PAIRS = Signed(
    covers=sorted_pairs(between="&", without="sign"), digest=hmac_of("sha256"), carried=InBody("sign"), demo="d"
)
FIELDS = b'{"b":"x y/z","a":12.5,"C":true,"e":"","n":null,"list":[1],"sign":""}'
RIGHT = "C=true&a=12.5&b=x y/z&e=&n="


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("b=x y/z&a=12.5&C=true&e=&n=", "the fields in the order in which they were sent, not sorted"),
        ("a=12.5&b=x y/z&C=true&e=&n=", "the fields sorted by their names without regard to case"),
        ("n=&e=&b=x y/z&a=12.5&C=true", "the fields sorted by their names, from z to a"),
        ("C=true&a=12.5&b=x y/z&e=&n=&sign=", "the field of the signature, too, empty"),
        ("C=true&a=12.5&b=x y/z&e=&list=[1]&n=", "all fields but that of the signature"),
        ("C=true&a=12.5&b=x y/z&e=", "no fields that are null"),
        ("C=true&a=12.5&e=&n=", "all but b"),
        ("C=1&a=12.5&b=x y/z&e=&n=", "booleans as PHP prints them"),
        ("C=True&a=12.5&b=x y/z&e=&n=", "booleans as Python prints them"),
        ("C=true&a=12.5&b=x y/z&e=&n=null", "null as null"),
        ("C=true&a=12.50&b=x y/z&e=&n=", "amounts with two digits"),
        ("C=true&a=12.5&b=x+y%2Fz&e=&n=", "the values encoded for a form"),
        ("C=true&a=12.5&b=x%20y%2Fz&e=&n=", "the values encoded for a URL"),
        ("C=true&a=12.5&b=x%20y%2fz&e=&n=", "the values encoded in lower-case hex"),
        ("C=true&a=12.5&b=x%2520y%252Fz&e=&n=", "the values encoded twice"),
        ("C=true,a=12.5,b=x y/z,e=,n=", "the fields joined by ','"),
        ("C:true&a:12.5&b:x y/z&e:&n:", "name:value"),
        ("true&12.5&x y/z&&", "the values alone"),
        (RIGHT + "\n", "the text with a line end behind it"),
        (RIGHT + "\r\n", "the text with CRLF behind it"),
        (FIELDS.decode(), "the body's own bytes"),
        ("b=x y/z,a=12.5,C=true,e=,n=", "not sorted, and it signs the fields joined by ','"),
        ("a=12.5&b=x y/z&C=True&e=&n=", "without regard to case, and it signs booleans as Python prints them"),
    ],
)
def test_a_text_of_fields_that_is_made_otherwise(text: str, words: str) -> None:
    """One step of the scheme done in another way, or two: told by that step, with where the texts differ."""
    request = Request(method="POST", path="/", headers=CONTENT, body=FIELDS)
    assert against(PAIRS, request, mac(RIGHT).hex()).same
    said = told(against(PAIRS, request, mac(text).hex()))
    assert words in said
    assert "the signed texts differ" in said


def test_the_first_difference_is_shown_with_what_stands_around_it() -> None:
    request = Request(method="POST", path="/", headers=CONTENT, body=FIELDS)
    said = told(against(PAIRS, request, mac(RIGHT.replace("12.5", "12.50")).hex()))
    assert "differ from character 14 on:\n  given: 'C=true&a=12.50&b=x y/z&e=&n='\n  ours:  'C=true&a=12.5&b=x" in said


# ---------------------------------------------------------------- bodies

BODY = Signed(covers=raw_body, digest=hmac_of("sha256"), carried=InHeader("x-sign"), demo="d")


@pytest.mark.parametrize(
    ("sent", "signed", "words"),
    [
        ('{"a": 1.50, "b": "é"}', '{"a":1.50,"b":"é"}', "compact JSON"),
        ('{"a":1.50,"b":"é"}', '{"a": 1.50, "b": "é"}', "JSON with spaces"),
        ('{"a":1.50,"b":"é"}', '{"a":1.50,"b":"\\u00e9"}', "compact JSON with ASCII escapes"),
        ('{"a":1.50,"b":"é"}', '{"a": 1.50, "b": "\\u00e9"}', "Python's own"),
        ('{"a":"x/y"}', '{"a":"x\\/y"}', "compact JSON with escaped slashes"),
        ('{"a":"x/y","b":"é"}', '{"a":"x\\/y","b":"\\u00e9"}', "PHP's own"),
        ('{"a":"<&>"}', '{"a":"\\u003c\\u0026\\u003e"}', "Go's own"),
        ('{"b":2,"a":1}', '{"a":1,"b":2}', "in the order of its keys"),
        ('{"a":[1,{"b":2}]}', '{\n  "a": [\n    1,\n    {\n      "b": 2\n    }\n  ]\n}', "indented by two"),
        ('{"a":1.50}', '{"a":1.5}', "numbers as JavaScript prints them"),
        ('{"a":5,"b":1.5}', '{"a":5.0,"b":1.5}', "numbers as floats are printed"),
        ('{"a":1.50}', '{"a":"1.50"}', "numbers as texts"),
        ('{"a":1,"b":null}', '{"a":1}', "without what is null"),
        ('{"a":1}\n', '{"a":1}', "without white space around it"),
        ('{"a":1}', '{"a":1}\n', "the body with a line end behind it"),
        ('{"a":1}', '{"a": 1}\n', "JSON with spaces, and it signs the text with a line end behind it"),
        ("", "{}", "the body {} where there is none"),
    ],
)
def test_a_body_that_was_written_again(sent: str, signed: str, words: str) -> None:
    """Numbers keep their text: what wrote them otherwise is told as that."""
    request = Request(method="POST", path="/", headers=CONTENT, body=sent.encode())
    assert words in told(against(BODY, request, mac(signed).hex()))


# ---------------------------------------------------------------- targets, forms, stamps

TARGET = Signed(covers=raw_target, digest=hmac_of("sha256"), carried=InHeader("x-sign"), demo="d")
ASKED = Request(
    method="GET", path="/bet", query="b=x+y%2Fz&a=1", target="/acme/bet?b=x+y%2Fz&a=1", headers={"host": "h"}
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/bet?b=x+y%2Fz&a=1", "the dialect's own path alone"),
        ("/acme/bet", "without its query"),
        ("/acme/bet?b=x%20y%2Fz&a=1", "blanks as %20, not +"),
        ("/acme/bet?b=x+y%2fz&a=1", "escapes in lower-case hex"),
        ("/acme/bet?b=x+y%252Fz&a=1", "encoded twice"),
        ("/acme/bet?b=x+y/z&a=1", "the fields decoded, which were sent encoded"),
        ("/acme/bet?a=1&b=x+y%2Fz", "the fields in the order of their names"),
        ("acme/bet?b=x+y%2Fz&a=1", "without the slash before it"),
        ("/acme/bet/?b=x+y%2Fz&a=1", "with a slash behind it"),
        ("https://h/acme/bet?b=x+y%2Fz&a=1", "the whole URL (https)"),
        ("GET/acme/bet?b=x+y%2Fz&a=1", "the method before the path"),
        ("b=x+y%2Fz&a=1", "the query alone"),
    ],
)
def test_a_target_that_was_signed_otherwise(text: str, words: str) -> None:
    """With another path, without the query, in another encoding."""
    assert words in told(against(TARGET, ASKED, mac(text).hex()))


STAMP = Stamp(who=Part("house", secret=False), sender="X-House", moment="X-Time", nonce="X-Once")
FORM = Stamped(
    stamp=STAMP, covers=sorted_form(headers=STAMP.names), digest=hmac_of("sha1"), carried=InHeader("x-sign"), demo="d", weak=True
)  # fmt: skip
HOUSE = Key(id="k", parts={"house": "h-1", "secret": "a-long-Secret"})
STAMPED = {"x-house": "h-1", "x-time": "1767225600", "x-once": "n-1"}


@pytest.mark.parametrize(
    ("head", "form", "words"),
    [
        ("X-House=h-1&X-Once=n-1&X-Time=1767225593", "a=1&b=x+y%2Fz", "X-Time 1767225593, not 1767225600"),
        ("X-House=h-1&X-Once=n-1&X-Time=1767225600000", "a=1&b=x+y%2Fz", "X-Time in milliseconds"),
        ("X-House=h-1&X-Time=1767225600", "a=1&b=x+y%2Fz", "all but X-Once"),
        ("X-House=h-1&X-Once=n-1&X-Time=1767225600", "a=1&b=x y/z", "the values decoded"),
        ("X-House=h-1&X-Once=n-1&X-Time=1767225600", "a=1&b=x+y%2fz", "for a form in lower-case hex"),
    ],
)
def test_a_form_with_a_time_stamp_that_was_signed_otherwise(head: str, form: str, words: str) -> None:
    """At another time, without the nonce, in another order or encoding."""
    request = Request(method="POST", path="/", headers=STAMPED, body=b"b=x+y%2Fz&a=1")
    right = mac("X-House=h-1&X-Once=n-1&X-Time=1767225600&a=1&b=x+y%2Fz", algorithm="sha1").hex()
    assert against(FORM, request, right, HOUSE).same
    given = mac(f"{head}&{form}", algorithm="sha1").hex()
    assert words in told(against(FORM, request, given, HOUSE))


def test_parts_of_a_list_in_another_order() -> None:
    """What is signed in the order of a page is tried in each other one."""
    key = Key(id="k", parts={"secret": "whsec_" + base64.b64encode(b"bytes").decode()})
    request = Request(
        method="POST", path="/", headers={"webhook-id": "i", "webhook-timestamp": "1767225600"}, body=b"{}"
    )
    given = "v1," + base64.b64encode(mac("1767225600.i.{}", b"bytes")).decode()
    said = told(against(StandardWebhooks(demo=""), request, given, key))
    assert "in the order webhook-timestamp, webhook-id, body" in said
    letters = base64.b64encode(mac("i.1767225600.{}", key.part("secret"))).decode()
    said = told(against(StandardWebhooks(demo=""), request, letters, key))
    assert "its key is the secret's own letters" in said


# ---------------------------------------------------------------- keys, digests, how it is written

PLAIN = Signed(covers=raw_body, digest=digest_of("md5"), carried=InHeader("x-sign"), demo="d", weak=True)
POST = Request(method="POST", path="/", headers=CONTENT, body=b'{"a":1}')
HEX = Key(id="k", parts={"secret": "00ff10203040"})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (mac(POST.body, "a-long-Secret\n").hex(), "the secret with a line end behind it"),
        (mac(POST.body, b"YS1sb25nLVNlY3JldA==").hex(), "the secret as Base64"),
        (mac(POST.body, "A-LONG-SECRET").hex(), "the secret in upper case"),
        (mac(POST.body, algorithm="sha512").hex(), "its digest is SHA-512"),
        (mac(POST.body, algorithm="md5").hex(), "its digest is MD5"),
        (hashlib.sha256(POST.body + b"a-long-Secret").hexdigest(), "a plain one of text and secret"),
        (hashlib.sha256(b"a-long-Secret" + POST.body).hexdigest(), "a plain one with the secret in front"),
        (hashlib.sha256(POST.body).hexdigest(), "without any secret"),
        (mac(b"a-long-Secret", POST.body).hex(), "text and key in each other's place"),
        (mac(b'{"a": 1}', algorithm="sha1").hex(), "JSON with spaces, and its digest is SHA-1"),
    ],
)
def test_a_key_or_a_digest_that_was_used_otherwise(given: str, words: str) -> None:
    """And what is said of its length is said first."""
    said = told(against(BODY, POST, given))
    assert words in said
    assert len(given) == 64 or said.startswith(f"it holds {len(given) // 2} bytes where 32 are wanted")


def test_a_key_that_was_decoded_or_should_have_been() -> None:
    assert "decoded from hex" in told(against(BODY, POST, mac(POST.body, bytes.fromhex("00ff10203040")).hex(), HEX))
    coded = Key(id="k", parts={"secret": base64.b64encode(b"0123456789").decode()})
    assert "decoded from Base64" in told(against(BODY, POST, mac(POST.body, b"0123456789").hex(), coded))


def test_an_hmac_where_the_secret_is_appended() -> None:
    assert "its digest is an HMAC" in told(against(PLAIN, POST, mac(POST.body, algorithm="md5").hex()))


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (lambda digest: digest.hex().upper(), "only upper and lower case differ"),
        (lambda digest: base64.b64encode(digest).decode(), "hex and base64 are mixed up"),
        (lambda digest: base64.urlsafe_b64encode(digest).decode().rstrip("="), "it is written as base64url without its padding"),
        (lambda digest: base64.b64encode(digest.hex().encode()).decode(), "it is written as Base64 of the hex text"),
        (lambda digest: base64.b64encode(digest).decode().replace("+", "%2B").replace("=", "%3D"), "encoded for a URL"),
        (lambda digest: base64.b64encode(digest).decode().replace("+", " "), "blanks for +"),
        (lambda digest: digest.hex()[:40], "it holds 20 bytes where 32 are wanted: it is cut"),
        (lambda digest: digest.hex()[:-1], "lower-case hex, a digit too few"),
        (lambda digest: "!!!", "neither hex nor base64"),
    ],
)  # fmt: skip
def test_the_right_digest_written_otherwise(written: Any, words: str) -> None:
    """`+` stands in this one's Base64."""
    digest = next(d for n in range(99) if b"+" in base64.b64encode(d := mac(b'{"n":%d}' % n)))
    body = next(b for n in range(99) if mac(b := b'{"n":%d}' % n) == digest)
    assert words in told(against(BODY, replace(POST, body=body), written(digest)))


def test_what_stands_before_it_is_taken_off() -> None:
    assert against(BODY, POST, f"sha256={mac(POST.body).hex()}").same
    worded = Signed(
        covers=raw_body,
        digest=hmac_of("sha256"),
        carried=InHeader("x-sign", base64_text, before="HMAC Signature="),
        demo="d",
    )
    proof = base64.b64encode(mac(POST.body)).decode()
    assert against(worded, POST, proof).same
    assert against(worded, POST, f"hmac signature={proof}").same


def test_another_key_of_the_configuration() -> None:
    """Whatever it is called there; one that holds no more is told as such."""
    other = Key(id="theirs", parts={"api_key": "another-secret"})
    said = told(against(BODY, POST, mac(POST.body, "another-secret").hex(), others=(("key theirs of them", other),)))
    assert "it is made with another key: key theirs of them, its api_key" in said
    assert "another-secret" not in said
    gone = replace(KEY, until=NOW - timedelta(days=1))
    said = told(
        against(BODY, POST, mac(POST.body).hex(), gone, replace(KEY, id="new", parts={"secret": "fresh-secret"}))
    )
    assert "it is signature 1 of key k, which holds no more since 2025-12-31" in said


def test_what_was_tried_is_listed_where_nothing_explains_it() -> None:
    """Step by step, and honest about whose keys."""
    said = told(against(PAIRS, Request(method="POST", path="/", body=FIELDS), mac("x", "nobody's").hex()))
    assert "no common mistake explains it" in said
    for step in (
        "whose key: 1 of its own, 0 others",
        "body:",
        "selection:",
        "order:",
        "form:",
        "join:",
        "text:",
        "key:",
        "digest:",
    ):
        assert f"\n  {step}" in said, step


def every_cause() -> Iterator[Cause]:
    yield from (*OF_REQUESTS, *OF_FIELDS, *OF_WHOLES, *OF_TEXTS, *OF_KEYS, *OF_DIGESTS)


def test_each_cause_is_one_change_with_words_of_its_own() -> None:
    words = [(cause.step, cause.words) for cause in every_cause()]
    assert len(set(words)) == len(words)
    for cause in every_cause():
        changes = (cause.request, cause.fields, cause.instead, cause.text, cause.key, cause.digest)
        assert sum(change is not None for change in changes) == 1, cause.words


# ---------------------------------------------------------------- what signs nothing

BEARER = SharedKey(Part("secret"), "authorization", "Bearer", bare=False)


@pytest.mark.parametrize("auth", [BEARER, StaticQuery(Part("secret"), "key")])
def test_a_key_that_is_sent_as_it_is(auth: Auth) -> None:
    """It is compared as a key, and nothing of it is shown, nor where another one differs."""
    assert against(auth, POST, "a-long-Secret").same
    assert "as Base64" in told(against(auth, POST, "YS1sb25nLVNlY3JldA=="))
    assert "behind the word Token" in "\n".join(against(auth, POST, "Token a-long-Secret").lines)
    other = (("key x of them", Key(id="x", parts={"secret": "another-secret"})),)
    said = told(against(auth, POST, "another-secret", others=other))
    assert said == "it is another key: key x of them, its secret"
    nothing = told(against(auth, POST, "a-long-Secreu"))
    assert "no common mistake explains it" in nothing
    assert "differ" not in nothing


def test_the_word_before_a_key_is_no_part_of_it() -> None:
    assert against(BEARER, POST, "bearer a-long-Secret").same


def test_nothing_to_compare_with() -> None:
    """A dialect without a signature, under no guard that a text could be compared with; and a scheme that tells no steps."""
    assert "nothing is signed here" in told(against(Unsigned(), POST, "00"))

    class Silent(Unsigned):
        def parts(self, settings: Any) -> tuple[Part, ...]:
            return (Part("secret"),)

    assert "declares no steps" in told(against(Silent(), POST, "00"))
    vector = next(each for each in vectors_of("kyren") if each.call.settings.family_md5)
    assert "Silent says nothing of its steps" in next(told_wrong(dialect(Silent()), vector))


# ---------------------------------------------------------------- a stranger's own functions


def strange_text(request: Request, settings: Any) -> Iterator[bytes]:
    """The body between two bars."""
    yield b"|" + request.body + b"|"


def strange_digest(key: Key, text: bytes) -> bytes:
    return mac(text, key.part("secret"))


STRANGE = Signed(covers=strange_text, digest=strange_digest, carried=InHeader("x-sign"), demo="d")


def test_a_cover_and_a_digest_that_say_nothing_of_themselves() -> None:
    """Their docstring and their name are what is told; the request and the text are varied all the same, and so is whose key."""
    steps = dict(STRANGE.explain(POST, KEY, None))
    assert (steps["selected"], steps["digest"]) == ("The body between two bars", "strange digest")
    assert steps["message 1"] == '|{"a":1}|'
    assert "JSON with spaces" in told(against(STRANGE, POST, mac('|{"a": 1}|').hex()))
    assert "the text with a line end" in told(against(STRANGE, POST, mac('|{"a":1}|\n').hex()))
    other = (("key x of them", Key(id="x", parts={"secret": "another-secret"})),)
    assert "another key" in told(against(STRANGE, POST, mac('|{"a":1}|', "another-secret").hex(), others=other))


# ---------------------------------------------------------------- RSA

RSA = RsaSigned(covers=raw_body, carried=lambda settings: InHeader("x-sign"), demo=("", ""))


def signed(body: bytes, padding: Any = None, hashed: hashes.HashAlgorithm | None = None, by: Any = SENDER) -> str:
    return base64.b64encode(by.sign(body, padding or PKCS1v15(), hashed or hashes.SHA256())).decode()


@pytest.mark.parametrize("key", [THEIRS, OURS])
def test_an_rsa_signature_is_verified(key: Key) -> None:
    """By the public half, or by that of the private one: nothing has to be signed again."""
    assert against(RSA, POST, signed(POST.body), key).same
    assert "JSON with spaces" in told(against(RSA, POST, signed(b'{"a": 1}'), key))
    assert "line end" in told(against(RSA, POST, signed(POST.body + b"\n"), key))
    assert "RSASSA-PKCS1-v1_5 with SHA-1" in told(against(RSA, POST, signed(POST.body, hashed=hashes.SHA1()), key))
    pss = told(against(RSA, POST, signed(POST.body, PSS(MGF1(hashes.SHA256()), 20)), key))
    assert "it is made by RSASSA-PSS with SHA-256" in pss
    assert "hex and base64 are mixed up" in told(against(RSA, POST, base64.b64decode(signed(POST.body)).hex(), key))


def test_an_rsa_key_tells_whether_its_other_half_signed() -> None:
    """Though nobody knows what."""
    said = told(against(RSA, POST, signed(b"something else"), THEIRS))
    assert "it was made with the other half of key" in said
    assert "they differ from character" not in said  # ours cannot be made
    said = told(against(RSA, POST, base64.b64encode(bytes(256)).decode(), THEIRS))
    assert "it was not made with the other half of any key here" in said
    assert "it holds 128 bytes where 256 are wanted" in told(against(RSA, POST, signed(POST.body, by=OTHER), THEIRS))


def test_halves_that_do_not_belong_together() -> None:
    """Told by `--explain`, and beside whatever else is wrong."""
    mixed = Key(id="mixed", parts={"public_key": public_pem(OTHER), "private_key": private_pem(SENDER)})
    assert "NOT ITS OTHER HALF" in dict(RSA.explain(POST, mixed, None))["keyed with"]
    assert "OTHER HALF" not in dict(RSA.explain(POST, OURS, None))["keyed with"]
    said = told(against(RSA, POST, signed(POST.body), mixed))
    assert "the halves of key mixed do not belong together" in said
    assert "the private_key of key mixed" in said
