"""What of a request only describes, in whatever medium it stands: JSON, a form, a query, XML, the head. The law of descriptions puts
there what no page foresees, proves the request again and looks at what money it moves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gateway.codec.fields import Number, read_json, text_of
from gateway.dialect import Call, Dialect, NoCall
from gateway.http import Request
from gateway.model import ID_LENGTH_MAX, Batch, Game, Kind, Refused, Transaction, owes
from gateway.vectors import Vector

DOUBLED = "keys that stand twice"
LETTERS, TIME = "A" * 300, "2025-01-09T10:00:00.123456789+01:00"
IN_JSON: Mapping[str, Any] = {
    "a number": Number("2048"), "a fraction": Number("1.5"), "a time": TIME, "300 letters": LETTERS,
    "half an emoji": "Fruit \ud83c", "a zero byte": "a\x00b", "control characters": "a\x01\n\x1b\x7f\x85b",
    "an object": {"a": [Number("1")]}, DOUBLED: Number('{"a":1,"a":{"b":2,"b":3}}'), "null": None, "an empty list": [], "an empty object": {}, "false": False, "blank": "",
}  # fmt: skip
IN_PAIRS: Mapping[str, str] = {
    "a number": "{0}=2048", "a fraction": "{0}=1.5", "a time": "{0}=2025-01-09T10%3A00%3A00.123456789%2B01%3A00",
    "a time as it is": f"{{0}}={TIME}", "300 letters": f"{{0}}={LETTERS}", "half an emoji": "{0}=Fruit+%F0%9F",
    "half an emoji in UTF-16": "{0}=Fruit+%ED%A0%BC", "letters in Latin-1": "{0}=Fr%FCchte",
    "bytes as they are": "{0}=Fr\xfcchte", "a zero byte": "{0}=a%00b",
    "control characters": "{0}=a%01%0A%1B%7F%C2%85b", "a broken escape": "{0}=100%", "broken escapes": "{0}=%zz%4",
    "an object": "{0}[a]=1&{0}[b]=2", "a list": "{0}[0]=1&{0}[1]=2", "an empty list": "{0}[]=", "null": "{0}=null",
    "false": "{0}=false", "blank": "{0}=", "nothing but its name": "{0}",
}  # fmt: skip
IN_XML: Mapping[str, str] = {
    "a number": "<{0}>2048</{0}>", "a fraction": "<{0}>1.5</{0}>", "a time": f"<{{0}}>{TIME}</{{0}}>",
    "300 letters": f"<{{0}}>{LETTERS}</{{0}}>", "a replaced emoji": "<{0}>Fruit \ufffd\ufffd</{0}>",
    "control characters": "<{0}>a&#9;&#10;&#x7F;&#x85;b</{0}>", "marked text": "<{0}><![CDATA[a <b> & c]]></{0}>",
    "an object": "<{0}><a>1</a></{0}>", "text and elements": "<{0}>a<b>1</b>c</{0}>", "twice": "<{0}>1</{0}><{0}>2</{0}>",
    "an attribute": '<{0} a="1">x</{0}>', "a comment": "<{0}><!-- none --></{0}>", "false": "<{0}>false</{0}>",
    "null": '<{0} xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"></{0}>', "blank": "<{0}></{0}>",
    "closed at once": "<{0}/>",
}  # fmt: skip
IN_HEADERS: Mapping[str, str] = {
    "a number": "2048", "a fraction": "1.5", "a time": TIME, "300 letters": LETTERS, "half an emoji": "Fruit \xf0\x9f",
    "letters in Latin-1": "Fr\xfcchte", "a tab": "a\tb", "an object": '{"a": 1}', "twice": "a, b", "null": "null", "blank": "",
}  # fmt: skip
"""How a description comes that its page did not foresee, and how PHP and others write that there is none.

What its medium cannot carry is no description: half an emoji is no XML, and of a field that stands twice in a form or a query
nobody knows which one was signed."""
STRUCTURES = frozenset(
    {"an object", DOUBLED, "an empty object", "a list", "an empty list", "text and elements", "twice"}
)
"""Where the values of fields are signed, a page may not say how such a one is: then nobody can sign it."""


class Place(Struct, frozen=True):
    """A plain field of a request: its name, what stands there, and the request with something else in its place, or without
    it; `odd` are the forms of its medium."""

    name: str
    value: Any
    other: Any  # of the same form, and not the same
    put: Callable[..., Request]
    odd: Mapping[str, Any]


STRANGE = "strange"
"""A field that no page documents: it is for people, too, if for anybody."""


def places(request: Request) -> Iterator[Place]:
    """Each plain field that has a value, and in each medium that is in use the strange one. A field that says nothing shows not
    what it means."""
    if request.in_xml:
        yield from _in_xml(request)
    elif request.header("content-type").startswith("application/x-www-form-urlencoded"):
        yield from _in_pairs(request.body.decode("latin-1"), lambda text: replace(request, body=text.encode("latin-1")))
    else:
        yield from _in_json(request)
    before = request.target.partition("?")[0]
    yield from _in_pairs(request.query, lambda text: replace(request, query=text, target=f"{before}?{text}"))
    yield from _in_headers(request)


def another(value: Any) -> Any:
    """Of the same form, and not the same."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, Number):
        return Number(f"1{value}") if value[0].isdigit() else value
    if isinstance(value, str) and value:
        return value[:-1] + ("1" if value[-1] in "023456789" else "2" if value[-1] == "1" else "x")
    return value


# ---------------------------------------------------------------- JSON


def _in_json(request: Request) -> Iterator[Place]:
    try:
        fields = read_json(request.body)
    except Refused:
        return

    def put_at(path: tuple[str, ...]) -> Callable[..., Request]:
        def put(*value: Any) -> Request:
            text = text_of(placed(fields, path, *value))
            return replace(request, body=text.replace("\ud83c", "\\ud83c").encode())

        return put

    for path, value in _leaves(fields):
        if another(value) != value:
            yield Place(".".join(path), value, another(value), put_at(path), IN_JSON)
    yield Place(STRANGE, None, "x", put_at((STRANGE,)), IN_JSON)


def _leaves(fields: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each plain field of an object with the way to it, also in the objects of a list."""
    for name, value in fields.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*path, name))
        elif isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
            for at, each in enumerate(value):
                yield from _leaves(each, (*path, name, str(at)))
        else:
            yield (*path, name), value


def placed(fields: dict[str, Any], path: tuple[str, ...], *value: Any) -> dict[str, Any]:
    """With another value there, or without that field."""
    name, *rest = path
    inner = fields.get(name)
    if rest and isinstance(inner, list):
        at, *way = rest
        changed = placed(inner[int(at)], tuple(way), *value)
        return fields | {name: [*inner[: int(at)], changed, *inner[int(at) + 1 :]]}
    if rest:
        return fields | {name: placed(fields[name], tuple(rest), *value)}
    left = {key: part for key, part in fields.items() if key != name}
    return left | {name: value[0]} if value else left


# ---------------------------------------------------------------- forms and queries


def _in_pairs(text: str, whole: Callable[[str], Request]) -> Iterator[Place]:
    if not text:
        return
    pairs = text.split("&")

    def put_at(at: int) -> Callable[..., Request]:
        return lambda *pair: whole("&".join([*pairs[:at], *pair, *pairs[at + 1 :]]))

    for at, (name, _, value) in enumerate(pair.partition("=") for pair in pairs):
        if value:
            yield Place(name, value, f"{name}={another(value)}", put_at(at), _named(IN_PAIRS, name))
    yield Place(STRANGE, None, f"{STRANGE}=x", put_at(len(pairs)), _named(IN_PAIRS, STRANGE))


def _named(forms: Mapping[str, str], name: str) -> dict[str, str]:
    return {form: text.format(name) for form, text in forms.items()}


# ---------------------------------------------------------------- XML

_TAG = re.compile(r"<(/?)([A-Za-z_][\w:.-]*)[^<>]*?(/?)>")


def _in_xml(request: Request) -> Iterator[Place]:
    body = request.body.decode()

    def put_at(begin: int, end: int) -> Callable[..., Request]:
        return lambda *element: replace(request, body="".join([body[:begin], *element, body[end:]]).encode())

    way: list[tuple[str, re.Match[str]]] = []
    last, deepest = None, (0, 0)
    for tag in _TAG.finditer(body):
        if not tag[1]:
            way.append((tag[2], tag))
            last = tag
        if tag[1] or tag[3]:
            name, opened = way.pop()
            value = body[opened.end() : tag.start()]
            if opened is last and tag[1] and value:  # nothing was opened in between
                path = ".".join([*(each for each, _ in way), name])
                other = f"<{name}>{another(value)}</{name}>"
                yield Place(path, value, other, put_at(opened.start(), tag.end()), _named(IN_XML, name))
                deepest = max(deepest, (len(way), tag.end()))  # where the fields of its call stand
    end = deepest[1]
    yield Place(STRANGE, None, f"<{STRANGE}>x</{STRANGE}>", put_at(end, end), _named(IN_XML, STRANGE))


# ---------------------------------------------------------------- the head


def _in_headers(request: Request) -> Iterator[Place]:
    def put_at(name: str) -> Callable[..., Request]:
        rest = {each: value for each, value in request.headers.items() if each != name}
        return lambda *value: replace(request, headers={**rest, **dict.fromkeys([name][: len(value)], *value)})

    for name, value in request.headers.items():
        if value:
            yield Place(name, value, another(value), put_at(name), IN_HEADERS)
    yield Place(STRANGE, None, "x", put_at(STRANGE), IN_HEADERS)


# ---------------------------------------------------------------- what money moves


def is_owed(tx: Transaction) -> bool:
    """Whether all of it gives, or gives back: it may be refused for no description."""
    items = tx.act.items if isinstance(tx.act, Batch) else (tx,)
    return all(owes(item.act) or item.kind is Kind.RELEASE for item in items)


def money_of(tx: Transaction) -> Transaction:
    """Without all that only describes: of what is owed the game, the campaign and, where its player is said, the session, too."""
    plain = replace(tx, game=None, channel="", occurred_at=None, request_id="", free_round_id="", extra={})
    plain, act = replace(plain, session="" if tx.player else tx.session), plain.act
    return replace(plain, act=replace(act, items=tuple(map(money_of, act.items)))) if isinstance(act, Batch) else plain


class Owed:
    """A win or a rollback of one of a dialect's vectors, and what is read when a field of it is another one."""

    def __init__(self, dialect: Dialect, vector: Vector, call: Call) -> None:
        self.dialect, self.vector, self.call = dialect, vector, call
        self.said = self.money(vector.request)
        self.places = [place for place in places(vector.request) if not self._is_proof(place)]

    def money(self, request: Request) -> Transaction | None:
        """What money moves by it; None where it is refused, or its yes cannot be said."""
        try:
            request = self._proved(request)
            call = replace(self.call, request=request, name=self.dialect.route(request, self.call.settings))
            found: Transaction = self.dialect.decode_request(request, call)
            self.dialect.encode_response(self.vector.outcome, found, call)
        except (Refused, NoCall):
            return None
        return money_of(found)

    def _proved(self, request: Request) -> Request:
        """As its sender would have signed it. Raises `Refused` where nobody could."""
        auth, facts = self.dialect.auth, (self.vector.keys, self.call.settings, self.call.now)
        if self.vector.verify_only:
            return request
        try:
            signed = auth.sign(request, *facts)
            auth.verify(signed, *facts)
        except Refused:  # a key that would stand there a second time
            auth.verify(request, *facts)
            return request
        return signed

    def _is_proof(self, place: Place) -> bool:
        """Whether whoever proves a request writes it: the proof, its sender's name, the moment."""
        try:
            if self._proved(place.put(place.other)) == self._proved(self.vector.request):
                return True
            return place.odd is IN_HEADERS and self._proved(place.put()).header(place.name) != ""
        except Refused:
            return False

    def describing(self) -> Iterator[tuple[str, bool]]:
        """Each field, and whether the same money moves without it and with another value of it."""
        for place in self.places:
            changed = place.put(), place.put(place.other)
            yield place.name, all(self.money(each) == self.said for each in changed)

    def stopped_by(self, place: Place) -> Iterator[str]:
        """The forms of that field in which it is refused, or moves other money."""
        for form, odd in place.odd.items():
            request = place.put(odd)
            if self.money(request) != self.said and not (form in STRUCTURES and self._cannot_be_proved(request)):
                yield form

    def _cannot_be_proved(self, request: Request) -> bool:
        try:
            self._proved(request)
        except Refused:
            return True
        return False


def stopped(dialect: Dialect, heard: Iterable[tuple[Vector, Call]]) -> list[str]:
    """The descriptions, each with its vector and its form, that stop a win or a rollback. A field describes without which,
    and with another value of which, the same money moves in the same way in each vector of a call."""
    owed: dict[str, list[Owed]] = {}
    vectors = [(vector, call) for vector, call in heard if vector.transaction and is_owed(vector.transaction)]
    # One of those in which the same is said and answered: the others would repeat it.
    for vector, call in {repr((c.settings, v.request, type(v.outcome))): (v, c) for v, c in vectors}.values():
        each = Owed(dialect, vector, call)
        owed.setdefault(call.name, []).extend([each] if each.said is not None else [])
    wrong, everyone = [], [each for same_call in owed.values() for each in same_call]
    # An object of the page: who looks into it does not know which of two keys is meant, and refuses it.
    objects = {place.name.rpartition(".")[0] for each in everyone for place in each.places}
    for same_call in owed.values():
        found = [(name, describes) for each in same_call for name, describes in each.describing()]
        decides = {name for name, describes in found if not describes} | dialect.decides
        described = {  # once for all that say the same of such a movement
            repr((each.call.settings, each.vector.transaction.kind, place.name, place.value)): (each, place)
            for each in same_call
            for place in each.places
            if place.name not in decides and each.vector.transaction is not None
        }
        wrong += [
            f"{each.vector.name}: {place.name} as {form}"
            for each, place in described.values()
            for form in each.stopped_by(place)
            if form != DOUBLED or place.name not in objects
        ]
    return wrong


ODDLY = "a\x01\n\x1b\x7f\x85&<b>'\"\\%\U0001f352" * 20


def oddly_described(tx: Transaction) -> Transaction:
    """With descriptions as long and as strange as they are read anywhere: towards a wallet, too, they stop nothing."""
    odd, game = ODDLY[:ID_LENGTH_MAX], tx.game or Game()
    strange = Game(id=odd if game.id else "", name=odd, type=odd[:64], studio=odd[:128])
    return replace(
        tx, game=strange, channel=odd[:64], request_id=odd, extra=tx.extra | dict.fromkeys(("odd", odd[:64]), odd)
    )
