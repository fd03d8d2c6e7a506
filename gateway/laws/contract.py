"""The laws that every dialect obeys, on each of its vectors: tests for pytest.

Which dialects are tried says the option `--dialect`; without it those of the house, found by their folders: a new one is
under the law without a line here. Law 12 (no secret in a log) is the server's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from decimal import Decimal
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.auth.answers import as_asked
from gateway.auth.bounds import too_many_values
from gateway.codec.fields import read_json, text_of
from gateway.dialect import Call, Dialect, NoCall
from gateway.ends import Kept
from gateway.http import Request, Response
from gateway.laws import subjects
from gateway.laws.altered import altered, bodies, pairs_changed
from gateway.laws.begun import OPEN, UNSAID
from gateway.laws.calls import FORM, called, heard_by, no_other_than, shape, some, spoken
from gateway.laws.descriptions import is_owed, oddly_described, stopped
from gateway.laws.forged import holds_for_these_bytes, strangers, swollen
from gateway.laws.meaning import heard_again, meant_otherwise, named_id, own_id, renamed, renaming, same_meaning, worded
from gateway.laws.noise import cuts, try_answer, try_request
from gateway.laws.planted import once_each, told_wrong
from gateway.laws.subjects import dialect_of, folder_of, vector_of, vectors_of
from gateway.model import (
    MONEY_KINDS,
    Accepted,
    Batch,
    Declined,
    Flaw,
    Kind,
    Missing,
    Outcome,
    Reason,
    Refused,
    Rollback,
    Transaction,
    Unknown,
)
from gateway.vectors import CURRENCIES, DEFAULT_NOW, Broken, check, demo_key

HTML = b"<html><body><h1>It works</h1></body></html>"
STATUSES = (202, 204, 301, 404, 418, 500, 502, 503)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """By name only: a dialect or a vector that cannot be read fails its own tests, not the collection."""
    chosen = metafunc.config.getoption("--dialect", None) or subjects.house()
    if "folder" in metafunc.fixturenames:
        metafunc.parametrize("folder", chosen)
    if "sender" in metafunc.fixturenames:
        metafunc.parametrize("sender", sorted({*subjects.house(), *chosen}))


# ---------------------------------------------------------------- what a dialect is


def test_a_dialect_is_complete(folder: str) -> None:
    dialect = dialect_of(folder)
    assert dialect.name == folder
    home = folder_of(folder)
    assert (home / "NOTES.md").is_file(), f"{home.name}/NOTES.md is missing"
    assert vectors_of(folder), f"{home.name}/vectors holds no vector"
    names = [wire.name for wire in dialect.calls]
    assert len(set(names)) == len(names), "two calls have one name"
    assert set(dialect.as_provider.spaces) <= set(names), (
        f"spaces names unknown calls: {set(dialect.as_provider.spaces) - set(names)}"
    )
    assert "default" in dialect.as_provider.answer_within
    kept_by_its_win = dialect.as_provider.kept_by(dialect.settings()) is Kept.ITS_WIN
    assert kept_by_its_win or not dialect.as_provider.one_end, "a bet that comes to `one_end` is `kept_by` its win"
    assert all(part.demo for part in dialect.auth.parts(dialect.settings())), "a part of the key has no demo value"


def test_nothing_is_left_to_say(folder: str) -> None:
    """What `gateway new-dialect` began is at its end: each vector says where it comes from, and each question about money
    has its answer."""
    notes = (folder_of(folder) / "NOTES.md").read_text(encoding="utf-8").splitlines()
    left = [
        f"NOTES.md, line {n}: {line.removeprefix(OPEN)}" for n, line in enumerate(notes, 1) if line.startswith(OPEN)
    ]
    left += [
        f"vectors/{vector.name}.txt: its source is another dialect's: write what this one says, and where that stands"
        for vector in vectors_of(folder)
        if vector.source.startswith(UNSAID)
    ]
    assert not left, "\n".join(left)


def test_a_forged_body_is_refused_before_it_is_read(folder: str) -> None:
    """*A form of 64 KiB whose sender proved nothing cost what ten accepted bets cost:* `values_max`, where `route`, the
    proof or the words of its refusal look into the body."""
    dialect = dialect_of(folder)
    shapes = {shape(dialect, vector): (vector, call) for vector, call in heard_by(folder)}
    for vector, call in shapes.values():
        request = swollen(vector.request)
        if request is None or too_many_values(request.body, dialect.as_provider.values_max):
            continue
        with contextlib.suppress(NoCall):
            name = dialect.route(request, call.settings)
            try:
                dialect.auth.verify(request, strangers(dialect, vector), call.settings, call.now)
            except Refused as refused:
                dialect.encode_response(refused.outcome(), None, replace(call, request=request, name=name))
        assert {"said", "form"}.isdisjoint(request.__dict__), f"{vector.name}: {len(request.body)} bytes were read"


def test_law_1_to_6_and_11(folder: str) -> None:
    dialect, problems = dialect_of(folder), list[str]()
    for stem in subjects.stems(folder):
        vector = no_other_than(Broken, vector_of, folder, stem)
        found = [str(vector)] if isinstance(vector, Broken) else check(dialect, vector)
        problems += [f"{folder}/vectors/{stem}.txt: {problem}" for problem in found]
    assert not problems, "\n".join(problems)


def test_law_5_what_it_says_it_understands(folder: str) -> None:
    dialect = dialect_of(folder)
    for vector, tx, call in spoken(folder):
        request = call.request
        assert request is not None
        if not vector.verify_only:
            request = dialect.auth.sign(request, vector.keys, call.settings, call.now)
            dialect.auth.verify(request, vector.keys, call.settings, call.now)
        shown = dialect.auth.shows_stand_in(request, vector.keys)
        understood = dialect.decode_request(request, replace(call, request=request, stand_in=shown))
        assert vector.ends != ("in", "out") or understood == tx, vector.name


# ---------------------------------------------------------------- signatures


def test_law_6_a_signature_holds_for_these_bytes_only(folder: str) -> None:
    dialect, seen = dialect_of(folder), set()
    for vector in vectors_of(folder):
        if shape(dialect, vector) not in seen:
            seen.add(shape(dialect, vector))
            holds_for_these_bytes(dialect, vector)


def test_law_6_an_answer_that_is_signed_holds_by_its_proof_only(folder: str) -> None:
    """Where a dialect signs its answers: without the proof, or with that of another key, nothing of one is believed; and no
    answer that says anything goes without it, a refusal included."""
    dialect = dialect_of(folder)
    assert dialect.auth.seals == (dialect.auth.answering(dialect.settings()) is not None)
    if not dialect.auth.seals:
        return
    for vector, tx, call in spoken(folder):
        plain = no_other_than(
            Missing, dialect.encode_response, vector.outcome, tx, replace(call, nonce="of-the-answer")
        )
        strangers = [replace(key, parts={name: f"{text}-x" for name, text in key.parts.items()}) for key in vector.keys]
        for keys in ([], strangers, vector.keys) if isinstance(plain, Response) else ():
            heard = dialect.hear(dialect.auth.seal(plain, keys, call.settings), tx, call, vector.keys)
            wanted = dialect.decode_response(plain, tx, call) if keys is vector.keys else Unknown()
            assert type(heard) is type(wanted), f"{vector.name}: {heard}"
    for vector, call in heard_by(folder):
        for outcome in (vector.outcome, *refusals()):
            answer = no_other_than(Missing, dialect.answer, outcome, vector.transaction, call, vector.keys)
            if isinstance(answer, Response) and answer.body and vector.transaction is not None:
                dialect.auth.check(answer, vector.request, vector.keys, call.settings)


def test_law_6_a_signature_that_is_made_otherwise_is_explained(folder: str) -> None:
    """Under another key, with a line end, not sorted, of JSON that was written again, written in another way, cut: what was
    done is what `gateway sign --against` says, by the steps that the scheme declares, and no secret with it. The same of an
    answer, where those are signed."""
    dialect = dialect_of(folder)
    for vector in once_each(vectors_of(folder)):
        problems = [*told_wrong(dialect, vector)]
        answering = dialect.auth.answering(vector.call.settings)
        if answering is not None and vector.response.body:
            sealed = replace(vector, request=as_asked(vector.response))
            problems += told_wrong(replace(dialect, auth=answering), sealed)
        assert not problems, problems[0]


# ---------------------------------------------------------------- doubt


def test_law_7_a_cut_reply_is_doubt(folder: str) -> None:
    dialect = dialect_of(folder)
    for vector, tx, call in spoken(folder):
        response = vector.response
        by_status = response.status != 200 and isinstance(
            dialect.decode_response(replace(response, body=HTML), tx, call), Declined
        )
        for cut in range(len(response.body)):
            rest = response.body[:cut]
            heard = dialect.decode_response(replace(response, body=rest), tx, call)
            if not complete(rest, response.body):
                where = f"{vector.name}: {type(heard).__name__.lower()}, cut at byte {cut}: {rest!r}"
                assert not isinstance(heard, Accepted), where
                # Where the status alone is its page's explicit no, the body has nothing to add.
                assert isinstance(heard, Unknown) or by_status, where


def complete(rest: bytes, body: bytes) -> bool:
    if rest.strip() == body.strip():
        return True
    return not isinstance(no_other_than(Refused, read_json, rest), Refused)


def test_law_8_an_unlisted_status_is_doubt(folder: str) -> None:
    dialect = dialect_of(folder)
    listed = {vector.response.status for vector in vectors_of(folder) if not isinstance(vector.heard, Unknown)}
    for vector, tx, call in spoken(folder):
        for status in STATUSES:
            # A page may say "2xx" for success; it then need not list each of them.
            own = () if status < 300 else (vector.response.body,)
            for body in (b"", HTML, b"{}", *own):
                heard = dialect.decode_response(replace(vector.response, status=status, body=body), tx, call)
                where = f"{vector.name}: HTTP {status} {body[:60]!r} is heard as {heard}"
                assert status in listed or isinstance(heard, Unknown), where
                assert body == vector.response.body or not isinstance(heard, Accepted), where
        for body in (b"", HTML, b"[]", b"null", b"OK"):
            heard = dialect.decode_response(replace(vector.response, status=200, body=body), tx, call)
            assert isinstance(heard, Unknown), f"{vector.name}: HTTP 200 {body!r} is heard as {heard}"


def test_law_8_doubt_that_is_said_is_heard_as_doubt(folder: str) -> None:
    dialect = dialect_of(folder)
    for vector, tx, call in spoken(folder):
        answer = no_other_than(Missing, dialect.encode_response, Unknown(), tx, call)
        if isinstance(answer, Response):
            heard = dialect.decode_response(answer, tx, call)
            assert isinstance(heard, Unknown), f"{vector.name}: {answer} is heard as {heard}"


def test_doubt_can_be_said_before_anything_is_read(folder: str) -> None:
    """A call that comes in an overload is neither proved nor decoded, and hears doubt in the same words as one that was."""
    dialect = dialect_of(folder)
    for vector, call in some(heard_by(folder), folder):
        if vector.transaction is not None:
            unread = dialect.encode_response(Unknown(), None, call)
            assert unread == dialect.encode_response(Unknown(), vector.transaction, call), vector.name


def test_a_no_is_never_heard_as_a_yes(folder: str) -> None:
    """Of whatever asks for something. That a session is over asks for nothing: a page may thank for it, whatever its
    wallet thinks of the session (Kyren's SessionExpired)."""
    dialect = dialect_of(folder)
    for vector, tx, call in spoken(folder):
        if tx.kind is Kind.CLOSE_SESSION:
            continue
        for reason in Reason:
            answer = no_other_than(Missing, dialect.encode_response, Declined(reason=reason), tx, call)
            if isinstance(answer, Response):
                heard = dialect.decode_response(answer, tx, call)
                assert not isinstance(heard, Accepted), f"{vector.name}: {reason} is heard as accepted: {answer}"


def test_a_yes_to_the_rollback_of_nothing_is_declared(folder: str) -> None:
    """Where a page has the word for "done" alone, what that says hangs on what its wallet still remembers (rule 14)."""
    dialect = dialect_of(folder)
    for vector, tx, call in spoken(folder):
        if isinstance(tx.act, Rollback) and not dialect.as_wallet.yes_to_unknown:
            no = Declined(reason=Reason.TRANSACTION_NOT_FOUND, balance=Decimal("1.00"), currency=tx.currency)
            answer = no_other_than(Missing, dialect.encode_response, no, tx, call)
            heard = dialect.decode_response(answer, tx, call) if isinstance(answer, Response) else None
            assert not isinstance(heard, Accepted), f"{vector.name}: yes_to_unknown is not declared: {answer}"


# ---------------------------------------------------------------- whatever comes in


def decoded(dialect: Dialect, request: Request, call: Call) -> None:
    """Reads a request that anybody may have sent; what is refused must be answerable."""
    name = no_other_than(NoCall, dialect.route, request, call.settings)
    call = replace(call, request=request, name="" if isinstance(name, NoCall) else name)
    no_other_than(Refused, dialect.auth.verify, request, [demo_key(dialect, call.settings)], call.settings, call.now)
    if call.name:
        found = no_other_than(Refused, dialect.decode_request, request, call)
        assert isinstance(found, Refused | Transaction)
        if isinstance(found, Refused):
            found = found.outcome()
            assert isinstance(dialect.encode_response(found, None, call), Response)
    for outcome in (Unknown(), Declined(reason=Reason.BAD_SIGNATURE)):
        answer = no_other_than(Missing, dialect.encode_response, outcome, None, call)
        assert isinstance(answer, Response | Missing)


def test_law_9_a_field_removed_or_of_another_type(folder: str) -> None:
    dialect, seen = dialect_of(folder), set()
    for vector, call in heard_by(folder):
        fields = no_other_than(Refused, read_json, vector.request.body)
        if vector.transaction is None or isinstance(fields, Refused) or shape(dialect, vector) in seen:
            continue
        seen.add(shape(dialect, vector))
        for body in (text_of(changed).encode() for changed in altered(fields)):
            decoded(dialect, replace(vector.request, body=body), call)


def test_what_only_describes_stops_no_win_and_no_rollback(folder: str) -> None:
    """A field without which, and with another value of which, the same money moves in the same way in each vector of a call
    is for people: whatever stands there, in JSON, a form, a query or XML, and signed as its sender would sign it, the win is
    paid and the stake goes back.

    *A win died of a game called 2048, a cancel of `[]` for no note: the player never saw the money.*
    """
    wrong = stopped(dialect_of(folder), heard_by(folder))
    assert not wrong, "\n".join(wrong)


def test_law_9_a_parameter_removed_or_changed(folder: str) -> None:
    dialect = dialect_of(folder)
    for vector, call in heard_by(folder):
        for query in pairs_changed(vector.request.query):
            decoded(dialect, replace(vector.request, query=query, target=f"{vector.request.path}?{query}"), call)


def test_law_9_a_field_of_a_form_removed_or_changed(folder: str) -> None:
    dialect, seen = dialect_of(folder), set()
    for vector, call in heard_by(folder):
        if vector.request.header("content-type").startswith(FORM) and shape(dialect, vector) not in seen:
            seen.add(shape(dialect, vector))
            for body in pairs_changed(vector.request.body.decode()):
                decoded(dialect, replace(vector.request, body=body.encode()), call)


FUZZ = settings(
    max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@FUZZ
@given(data=st.data())
def test_law_9_any_request(folder: str, data: st.DataObject) -> None:
    dialect = dialect_of(folder)
    vector, call = data.draw(st.sampled_from(some(heard_by(folder), folder)))
    request = vector.request
    header = st.text(st.characters(max_codepoint=255), max_size=20)
    headers = st.dictionaries(st.sampled_from(sorted(request.headers) or ["x"]), header, max_size=2)
    request = replace(
        request,
        method=data.draw(st.sampled_from([request.method, "GET", "POST", "PUT"])),
        path=data.draw(st.just(request.path) | st.text(max_size=30).map("/".__add__)),
        query=data.draw(st.just(request.query) | st.text(max_size=30)),
        headers={**request.headers, **data.draw(headers)},
        body=data.draw(bodies(request.body)),
    )
    decoded(dialect, request, call)


@FUZZ
@given(data=st.data())
def test_law_9_any_answer(folder: str, data: st.DataObject) -> None:
    dialect = dialect_of(folder)
    vector, tx, call = data.draw(st.sampled_from(some(spoken(folder), folder)))
    body = data.draw(bodies(vector.response.body))
    status = data.draw(st.sampled_from([vector.response.status, 200]) | st.integers(100, 599))
    heard = dialect.decode_response(replace(vector.response, status=status, body=body), tx, call)
    assert isinstance(heard, Accepted | Declined | Unknown)


def test_law_9_nothing_broken_is_read_as_what_it_does_not_say(folder: str, pytestconfig: pytest.Config) -> None:
    """Fields dropped, doubled, of another type, bytes cut in: an answer of the dialect comes, in its words, and no movement
    of an amount, an id or a player that the bytes do not say. `gateway laws NAME --inputs 100000` tries more."""
    dialect, heard, told = dialect_of(folder), heard_by(folder), spoken(folder)
    cut = cuts(vector for vector, _ in heard)
    for number in range(int(pytestconfig.getoption("--inputs", None) or INPUTS)):
        chance = Random(f"{folder}:{number}")  # noqa: S311  # no secret: the same broken inputs every time
        vector, _ = heard[chance.randrange(len(heard))]
        wrong = try_request(dialect, vector, chance, cut=cut)
        assert not wrong, f"request {number}, of {vector.name}: {wrong}"
        vector, tx, call = told[chance.randrange(len(told))]
        wrong = try_answer(dialect, vector, tx, call, chance)
        assert not wrong, f"answer {number}, of {vector.name}: {wrong}"


INPUTS = 300


def test_an_answer_with_a_field_removed_or_of_another_type(folder: str) -> None:
    dialect = dialect_of(folder)
    for vector, tx, call in spoken(folder):
        fields = no_other_than(Refused, read_json, vector.response.body)
        for changed in altered(fields) if isinstance(fields, dict) else ():
            response = replace(vector.response, body=text_of(changed).encode())
            heard = dialect.decode_response(response, tx, call)
            assert isinstance(heard, Accepted | Declined | Unknown)


# ---------------------------------------------------------------- every word it has


def test_law_10_each_act_has_a_yes_and_a_no(folder: str) -> None:
    said = {(v.transaction.kind, type(v.outcome)) for v in vectors_of(folder) if v.transaction is not None}
    missing = [
        f"{kind.value} {outcome.__name__.lower()}"
        for kind in sorted(dialect_of(folder).speaks)
        for outcome in (Accepted, Declined)
        if (kind, outcome) not in said
    ]
    assert not missing, f"{folder}/vectors lacks: {', '.join(missing)}"
    heard = {v.transaction.kind for v in vectors_of(folder) if v.transaction is not None and "in" in v.ends}
    unspoken = heard - dialect_of(folder).speaks
    assert not unspoken, f"vectors hold kinds that no call of the dialect lists: {sorted(unspoken)}"


def refusals() -> Iterator[Outcome]:
    yield Unknown()
    yield from (Declined(reason=reason, message="a text", wallet_id="w-1") for reason in Reason)
    yield from (Declined(reason=Reason.INVALID_REQUEST, flaw=flaw, field="amount") for flaw in Flaw)
    yield from (Declined(reason=Reason.BAD_SIGNATURE, field=part) for part in ("secret", "api_key", "networks"))
    yield Declined(reason=Reason.DUPLICATE_MISMATCH, replayed=True)


def test_every_refusal_can_be_said(folder: str) -> None:
    dialect, seen = dialect_of(folder), set()
    for vector, call in heard_by(folder):
        if (call.name, str(call.settings), vector.transaction is None) in seen:
            continue
        seen.add((call.name, str(call.settings), vector.transaction is None))
        strange = [replace(call, request=replace(vector.request, body=body)) for body in (b"", b"\xff", b"[]")]
        for outcome in refusals():
            for tx, asked_ in [
                (vector.transaction, call),
                *((None, c) for c in (call, replace(call, name=""), *strange)),
            ]:
                answer = no_other_than(Missing, dialect.encode_response, outcome, tx, asked_)
                assert isinstance(answer, Response | Missing), f"{vector.name}: {outcome}"


def test_a_yes_can_be_said_or_names_what_it_needs(folder: str) -> None:
    dialect = dialect_of(folder)
    for vector, call in heard_by(folder):
        if vector.transaction is not None:
            for outcome in (Accepted(wallet_id="w-1"), Accepted(wallet_id="w-1", replayed=True)):
                answer = no_other_than(Missing, dialect.encode_response, outcome, vector.transaction, call)
                assert isinstance(answer, Response | Missing), vector.name


def test_it_says_which_kinds_need_a_session(folder: str) -> None:
    """A session is looked for beforehand where one is needed always, and nowhere else: a call that is told without one
    would become another call."""
    dialect = dialect_of(folder)
    needed: dict[Kind, set[bool]] = {}
    for vector, tx, _ in spoken(folder):
        call = replace(vector.call, name="", request=None)
        said = no_other_than(Refused, dialect.encode_request, replace(tx, session=""), call)
        needed.setdefault(tx.kind, set()).add(isinstance(said, Missing) and said.field == "session")
    assert dialect.as_wallet.sessions == {kind for kind, found in needed.items() if found == {True}}


def test_what_its_ids_domain_makes_survives_the_wire(folder: str) -> None:
    """Rule 3: an id that a wallet of this dialect is told, of a movement and of what it names, is read there as it was told,
    wherever it stands on this wire at all; with the dialect's usual settings. It may be read behind the game provider's
    name, which makes it unique there (Valkyrie)."""
    dialect = dialect_of(folder)
    made = [dialect.as_wallet.ids.made(f"acme:debit:{n}", bare=bare) for n in range(3) for bare in (True, False)]
    assert all(dialect.as_wallet.ids.holds(id) for id in made)
    for vector, tx, call in spoken(folder):
        if tx.kind not in MONEY_KINDS or call.settings != dialect.settings():
            continue
        for change, read in ((renamed, own_id), (renaming, named_id)):
            heard = [read(heard_again(dialect, change(tx, id), call)) for id in made]
            # One word for all: it stands nowhere on this wire, or is no id there (Evolution's wins are known by their bets).
            # A word of the call may stand before it, where one id on the wire has several key spaces.
            same = len({*heard}) == 1 or all(one.endswith(id) for one, id in zip(heard, made, strict=True))
            assert same, f"{vector.name}: told {made}, read as {heard}"


def test_what_it_says_it_means(folder: str) -> None:
    """A wallet that speaks this dialect understands what was meant, or is not told it: a free round takes no money and a
    win for the books pays none, what a rollback undoes is what its word may mean, of a part only that part is given
    back, and no round ends that went on.

    *A dialect that passed all other laws took 5.00 for a free bet of 5.00.*
    """
    dialect, wrong = dialect_of(folder), []
    for vector, tx, call in spoken(folder):
        for meant in meant_otherwise(tx):
            heard = no_other_than(Refused, heard_again, dialect, meant, call)
            if isinstance(heard, Transaction) and not same_meaning(dialect, meant, heard):
                wrong.append(
                    f"{vector.name}: meant {meant.act} ({meant.round}), understood {heard.act} ({heard.round})"
                )
    assert not wrong, "\n".join(wrong)


def test_what_it_declares_it_has_words_for(folder: str) -> None:
    """It was not declared for nothing: one of its vectors, or one of them with that word, is said."""
    dialect = dialect_of(folder)
    unsaid = {*dialect.as_wallet.tells, *dialect.as_wallet.undoes}
    for _, tx, call in spoken(folder):
        for item in tx.act.items if isinstance(tx.act, Batch) else (tx,):
            for word, meant in worded(item):
                said = no_other_than(Refused, dialect.encode_request, meant, called(call)) if word in unsaid else None
                if isinstance(said, Request):
                    unsaid.discard(word)
    rolls_back = any(isinstance(tx.act, Rollback) for _, tx, _ in spoken(folder))
    assert not unsaid or (unsaid == {Kind.DEBIT} and not rolls_back), f"declared, and never said: {sorted(unsaid)}"


def test_any_transaction_is_said_or_refused(folder: str, sender: str) -> None:
    """What any provider may mean: this dialect says it, or says what it lacks, and that is no word of what only describes a
    win or a rollback."""
    dialect = dialect_of(folder)
    ours = Call(
        settings=dialect.settings(), now=DEFAULT_NOW, nonce="6b1f0d5e-3f0b-4a53-9a51-0e2f4f3b7a10", provider="acme",
        currencies=CURRENCIES,
    )  # fmt: skip
    vectors = no_other_than(Exception, vectors_of, sender)  # a broken sender fails its own tests, not this one's
    for vector in vectors if isinstance(vectors, list) else ():
        if vector.transaction is None:
            continue
        said = no_other_than(Refused, dialect.encode_request, vector.transaction, ours)
        assert isinstance(said, Request | Refused)
        if isinstance(said, Request):
            assert dialect.route(said, ours.settings), "it does not know its own call"
            if is_owed(vector.transaction):
                described = no_other_than(Refused, dialect.encode_request, oddly_described(vector.transaction), ours)
                assert isinstance(described, Request), f"{vector.name}: a description stops it: {described}"
        elif vector.transaction.kind in dialect.speaks - {Kind.BATCH} and sender == folder and "out" in vector.ends:
            assert isinstance(said, Missing) or said.reason is Reason.UNSUPPORTED or vector.call.settings, vector.name
