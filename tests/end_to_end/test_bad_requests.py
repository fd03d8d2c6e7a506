"""Bad requests over HTTP: each is answered in the dialect's own words, moves nothing, and a good call still works.

Expected is what the pages say.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from msgspec import Struct
from msgspec.structs import replace

from tests.end_to_end import configuration as c
from tests.end_to_end.speakers import GAMEBALL_PATH, SPEAKERS, YES, Body, Speaker, Word, new_id, speak
from tests.end_to_end.stages import Stage, in_book, staged

pytestmark = pytest.mark.asyncio(loop_scope="module")
HUGE = "9007199254740993"  # 2^53 + 1: a float makes it ...992
BIGINT = "18446744073709551001"
LONG = json.dumps("i" * 129)


class Case(Struct, frozen=True):
    """A good bet made bad, and what is heard."""

    name: str
    spoil: Callable[[Body], Body | bytes]
    word: Word


def put(name: str, word: Word, **raw: str) -> Case:
    return Case(name, lambda good: good.put(**raw), word)


def without(*names: str, word: Word) -> Case:
    return Case(f"without {' and '.join(names)}", lambda good: good.without(*names), word)


def unreadable(word: Word) -> list[Case]:
    """What is no JSON object, in any dialect."""
    raw: dict[str, Callable[[Body], Body | bytes]] = {
        "broken": lambda good: good.bytes()[:-1],
        "comma too many": lambda good: good.bytes()[:-1] + b",}",
        "single quotes": lambda good: good.bytes().replace(b'"', b"'"),
        "empty": lambda good: b"",
        "list": lambda good: b"[" + good.bytes() + b"]",
        "text": lambda good: b'"bet"',
        "not UTF-8": lambda good: good.bytes().replace(b"}", b', "note": "\xff\xfe"}'),
        "two objects": lambda good: good.bytes() * 2,
    }
    return [Case(name, spoil, word) for name, spoil in raw.items()]


def cents(player: str) -> list[Case]:
    """NetGaming and Dragon Gaming: one family, one list of numbers."""

    def no(number: int, field: str) -> Word:
        return 200, number, f"INVALID_{field}"

    return [
        *unreadable(no(2006, "REQUEST_BODY")),
        Case("amount twice", lambda good: good.twice("amount"), no(2006, "REQUEST_BODY")),
        put("amount NaN", no(2006, "REQUEST_BODY"), amount="NaN"),
        put("amount Infinity", no(2006, "REQUEST_BODY"), amount="Infinity"),
        without("amount", word=no(2001, "AMOUNT")),
        without("token", word=no(2001, "TOKEN")),
        without(player, word=no(2001, player.upper())),
        without("transaction_id", word=no(2001, "TRANSACTION_ID")),
        without(player, "amount", word=no(2001, player.upper())),
        put("amount null", no(2002, "AMOUNT"), amount="null"),
        put("id null", no(2002, "TRANSACTION_ID"), transaction_id="null"),
        put("amount blank", no(2003, "AMOUNT"), amount='""'),
        put("id blank", no(2003, "TRANSACTION_ID"), transaction_id='""'),
        put("id of 129 characters", no(2005, "TRANSACTION_ID"), transaction_id=LONG),
        put("id a list", no(2006, "TRANSACTION_ID"), transaction_id="[]"),
        put("player an object", no(2006, player.upper()), **{player: "{}"}),
        put("amount_type unheard of", no(2006, "AMOUNT_TYPE"), amount_type='"cash"'),
        put("currency unknown", no(2006, "CURRENCY"), currency='"QQQ"'),
        put("currency a number", no(2006, "CURRENCY"), currency="978"),
        put("amount a word", no(2008, "AMOUNT"), amount='"much"'),
        put("amount a boolean", no(2008, "AMOUNT"), amount="true"),
        put("amount an object", no(2008, "AMOUNT"), amount="{}"),
        put("amount a fraction", no(2008, "AMOUNT"), amount="100.5"),
        put("amount NaN as text", no(2008, "AMOUNT"), amount='"NaN"'),
        put("amount 1_0", no(2008, "AMOUNT"), amount='"1_0"'),
        put("amount below the yen", no(2008, "AMOUNT"), amount="15050", currency='"JPY"'),
        put("amount 1e400", no(2009, "AMOUNT"), amount="1e400"),
        put("amount negative", no(2010, "AMOUNT"), amount="-250"),
        put("amount negative as text", no(2010, "AMOUNT"), amount='"-250"'),
    ]


KYREN = [
    *unreadable((200, 7)),
    Case("amount twice", lambda good: good.twice("amount"), (200, 7)),
    put("keys that differ by case", (200, 7), AMOUNT='"2.50"'),
    put("amount NaN", (200, 7), amount="NaN"),
    put("amount NaN as text", (200, 7), amount='"NaN"'),
    put("amount 1e400", (200, 7), amount="1e400"),
    put("amount 1e400 as text", (200, 7), amount='"1e400"'),
    put("amount negative", (200, 7), amount='"-2.50"'),
    put("amount below the cent", (200, 7), amount='"2.505"'),
    put("amount an artefact as text", (200, 7), amount='"0.30000000000000004"'),
    put("amount below the yen", (200, 7), amount='"2.50"', currency='"JPY"'),
    put("amount a list", (200, 7), amount="[2.5]"),
    put("amount null", (200, 7), amount="null"),
    put("currency unknown", (200, 7), currency='"QQQ"'),
    put("reference of 129 characters", (200, 7), reference=LONG),
    put("reference an object", (200, 7), reference="{}"),
    put("userId a boolean", (200, 7), userId="true"),
    *(without(name, word=(200, 7)) for name in ("userId", "amount", "reference", "roundId", "currency")),
]
_UNKNOWN: Word = (200, "ERR_UNKNOWN")
_INTEGRITY: Word = (200, "ERR_INTEGRITY_CHECK_FAILED")
SCORPIO = [
    # what is no JSON object carries no values that could be signed
    *unreadable(_UNKNOWN),
    Case("amount twice", lambda good: good.twice("amount"), _INTEGRITY),
    put("an object inside", _INTEGRITY, extra='{"a": 1}'),
    put("a list inside", _INTEGRITY, extra="[1]"),
    put("amount NaN", _UNKNOWN, amount="NaN"),
    put("amount NaN as text", _UNKNOWN, amount='"NaN"'),
    put("amount 1e400", _UNKNOWN, amount="1e400"),
    put("amount negative", _UNKNOWN, amount="-2.5"),
    put("amount below the cent", _UNKNOWN, amount="2.505"),
    put("amount an artefact as text", _UNKNOWN, amount='"0.30000000000000004"'),
    put("amount below the yen", _UNKNOWN, amount="2.5", currency='"JPY"'),
    put("amount a boolean", _UNKNOWN, amount="true"),
    put("amount null", _UNKNOWN, amount="null"),
    put("currency unknown", _UNKNOWN, currency='"QQQ"'),
    put("id of 129 characters", _UNKNOWN, transactionId=LONG),
    put("command unheard of", _UNKNOWN, command='"jackpot"'),
    put("command a number", _UNKNOWN, command="7"),
    put("isRoundFinished maybe", _UNKNOWN, isRoundFinished='"maybe"'),
    *(
        without(name, word=_UNKNOWN)
        for name in ("command", "transactionId", "playerId", "roundId", "gameCode", "currency", "amount")
    ),
]


def _payload(status: int, code: int) -> Word:
    return status, code, "PAYLOAD_ERROR"


_VALUE = _payload(422, 3003)
GAMEBALL = [
    *unreadable(_payload(400, 3016)),
    Case("amount twice", lambda good: good.twice("amount"), _payload(400, 3016)),
    put("amount NaN", _payload(400, 3016), amount="NaN"),
    *(without(name, word=_payload(400, 3000)) for name in ("customerId", "transactionId", "transactionTime", "amount")),
    put("customerId null", _payload(422, 3001), customerId="null"),
    put("id null", _payload(422, 3001), transactionId="null"),
    put("amount null, so none of three", _payload(400, 3000), amount="null"),
    put("amount and points", _VALUE, points="25"),
    put("amount and holdReference", _VALUE, holdReference='"h-1"'),
    put("amount 1e400", _VALUE, amount="1e400"),
    put("amount NaN as text", _VALUE, amount='"NaN"'),
    put("amount negative", _VALUE, amount="-2.5"),
    put("amount zero", _VALUE, amount="0"),
    put("amount below the cent", _VALUE, amount="2.505"),
    put("amount an artefact as text", _VALUE, amount='"0.30000000000000004"'),
    put("amount a boolean", _VALUE, amount="true"),
    put("points a fraction", _VALUE, points="2.5", amount="null"),
    put("id of 129 characters", _VALUE, transactionId=LONG),
    put("customerId a list", _VALUE, customerId="[]"),
    put("time no time", _VALUE, transactionTime='"yesterday"'),
    put(
        "time ahead",
        (422, 9007, "TRANSACTIONS_ERROR"),
        transactionTime=json.dumps((datetime.now(UTC) + timedelta(hours=1)).isoformat()),
    ),
]
_BAD: Word = (400, "invalid_request")
NATIVE = [
    *unreadable(_BAD),
    Case("amount twice", lambda good: good.twice("amount"), _BAD),
    put("amount a number", _BAD, amount="2.5"),
    put("amount NaN", _BAD, amount="NaN"),
    put("amount NaN as text", _BAD, amount='"NaN"'),
    put("amount an exponent", _BAD, amount='"1e2"'),
    put("amount 1e400", _BAD, amount='"1e400"'),
    put("amount negative", _BAD, amount='"-2.50"'),
    put("amount below the cent", _BAD, amount='"2.505"'),
    put("amount below the yen", _BAD, amount='"2.50"', currency='"JPY"'),
    put("amount null", _BAD, amount="null"),
    put("currency unknown", _BAD, currency='"QQQ"'),
    put("currency in lower case", _BAD, currency='"eur"'),
    put("kind of another path", _BAD, kind='"credit"'),
    put("free_round a text", _BAD, free_round='"yes"'),
    put("id a list", _BAD, transaction_id="[]"),
    put("id of a thousand characters", _BAD, transaction_id=json.dumps("i" * 1000)),
    *(without(name, word=_BAD) for name in ("kind", "provider", "transaction_id", "player", "currency", "amount")),
]
CASES = {"ng": cents("player_id"), "dg": cents("account_id"), "ky": KYREN, "sp": SCORPIO, "gb": GAMEBALL, "na": NATIVE}
TABLE = [pytest.param(name, case, id=f"{name}-{case.name}") for name, cases in CASES.items() for case in cases]
PROVIDERS = pytest.mark.parametrize("name", SPEAKERS)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with staged(tmp_path_factory.mktemp("bad_requests")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def slow(stage: Stage) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A caller that began a request before all the others and never ends it."""
    url = stage.client.base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(b"POST /na/debit HTTP/1.1\r\nhost: slow\r\ncontent-length: 100\r\n\r\n{")
    await writer.drain()
    yield reader, writer
    writer.close()


async def good_call(stage: Stage, speaker: Speaker) -> None:
    """A bet like any other, which is taken."""
    tx_id = new_id()
    answer = await speak(stage.client, speaker.good("bet", tx_id, "anna"))
    assert speaker.word(answer) == YES, answer.text
    assert in_book(stage.wallet)[-1] == tx_id


@pytest.mark.parametrize(("name", "case"), TABLE)
async def test_bad_request(stage: Stage, name: str, case: Case) -> None:
    speaker, asked = SPEAKERS[name], len(stage.wallet.teller.purse.book)
    said = case.spoil(speaker.say("bet", new_id(), "anna", ""))
    answer = await speak(stage.client, speaker.sent("bet", said))
    assert speaker.word(answer) == case.word
    assert len(stage.wallet.teller.purse.book) == asked
    await good_call(stage, speaker)


@PROVIDERS
async def test_nesting_without_end(stage: Stage, name: str) -> None:
    """Refused, whether as too deep or as a field that must not be there; never a failure of ours."""
    speaker = SPEAKERS[name]
    deep = b'{"a":' * 5000 + b"1" + b"}" * 5000
    answer = await speak(
        stage.client, speaker.prove(replace(speaker.good("bet", "1", "anna"), body=deep), speaker.secrets)
    )
    assert answer.status_code in (200, 400)
    assert speaker.word(answer)[1] not in ("yes", speaker.doubt[1]) or name == "sp"
    await good_call(stage, speaker)


# ---------------------------------------------------------------- what is strange, and right


@PROVIDERS
@pytest.mark.parametrize("call", ["bet", "win"])
async def test_ids_beyond_two_to_the_53rd_are_exact(stage: Stage, name: str, call: str) -> None:
    speaker = SPEAKERS[name]
    tx_id = f"{HUGE}{list(SPEAKERS).index(name)}{('bet', 'win').index(call)}"
    raw = json.dumps(tx_id) if name == "na" else tx_id  # all but native take bare integers
    said = speaker.say(call, tx_id, "bea", "").put(**{speaker.id_field: raw})
    assert speaker.word(await speak(stage.client, speaker.sent(call, said))) == YES
    assert in_book(stage.wallet, {"bet": "debit", "win": "credit"}[call])[-1] == tx_id


@pytest.mark.parametrize(
    ("name", "field"), [("ng", "round_id"), ("dg", "round_id"), ("ky", "roundId"), ("sp", "roundId")]
)
async def test_rounds_of_64_unsigned_bits_are_exact(stage: Stage, name: str, field: str) -> None:
    speaker = SPEAKERS[name]
    said = speaker.say("bet", new_id(), "bea", "").put(**{field: BIGINT})
    assert speaker.word(await speak(stage.client, speaker.sent("bet", said))) == YES
    assert stage.wallet.teller.purse.book[-1].round_id == BIGINT


@PROVIDERS
async def test_an_id_of_128_characters_is_taken(stage: Stage, name: str) -> None:
    speaker = SPEAKERS[name]
    tx_id = new_id() + "i" * 118
    said = speaker.say("bet", tx_id, "bea", "round")
    assert speaker.word(await speak(stage.client, speaker.sent("bet", said))) == YES
    assert in_book(stage.wallet)[-1] == tx_id


STRANGE = [
    ("ng", {"amount": "250.0"}, "-2.50"),
    ("ng", {"amount": "2.5e2"}, "-2.50"),
    ("ng", {"amount": '"250"'}, "-2.50"),
    ("ng", {"currency": '"eur"'}, "-2.50"),
    ("ng", {"amount": "0"}, "0.00"),
    ("dg", {"amount": "1e2"}, "-1.00"),
    ("ky", {"amount": "0.30000000000000004"}, "-0.30"),
    ("ky", {"amount": "1e1"}, "-10.00"),
    ("ky", {"amount": '"2.5000"'}, "-2.50"),
    ("sp", {"amount": "0.30000000000000004"}, "-0.30"),
    ("sp", {"amount": '"10.5"'}, "-10.50"),
    ("sp", {"isRoundFinished": "1"}, "-2.50"),
    ("gb", {"amount": "0.30000000000000004"}, "-0.30"),
    ("gb", {"points": "25", "amount": "0"}, "-2.50"),
    ("gb", {"points": "0"}, "-2.50"),
    ("na", {"amount": '"2.5000"'}, "-2.50"),
    ("na", {"session": "null"}, "-2.50"),
]


@pytest.mark.parametrize(("name", "raw", "delta"), STRANGE)
async def test_strange_spellings_that_the_cards_allow(stage: Stage, name: str, raw: dict[str, str], delta: str) -> None:
    speaker, tx_id = SPEAKERS[name], new_id()
    answer = await speak(stage.client, speaker.sent("bet", speaker.say("bet", tx_id, "cleo", "").put(**raw)))
    assert speaker.word(answer) == YES, answer.text
    entry = stage.wallet.teller.purse.book[-1]
    assert (entry.id, f"{entry.delta:f}") == (tx_id, delta)


@PROVIDERS
async def test_the_same_id_with_another_amount(stage: Stage, name: str) -> None:
    speaker, tx_id = SPEAKERS[name], new_id()
    said = speaker.say("bet", tx_id, "dora", "")
    other = said.put(amount={"na": '"3.50"', "ky": '"3.50"', "ng": "350", "dg": "350"}.get(name, "3.5"))
    assert speaker.word(await speak(stage.client, speaker.sent("bet", said))) == YES
    word = {
        "ng": (200, 103, "DUPLICATE_TRANSACTION"),
        "dg": (200, 103, "DUPLICATE_TRANSACTION"),
        "ky": (200, 120),
        "sp": _UNKNOWN,
        "gb": (422, 9004, "TRANSACTIONS_ERROR"),
        "na": (200, "duplicate_mismatch"),
    }[name]
    assert speaker.word(await speak(stage.client, speaker.sent("bet", other))) == word
    assert in_book(stage.wallet).count(tx_id) == 1


# ---------------------------------------------------------------- sizes, methods, paths


@PROVIDERS
async def test_a_body_of_one_mebibyte(stage: Stage, name: str) -> None:
    speaker = SPEAKERS[name]
    said = speaker.say("bet", new_id(), "anna", "").put(note=json.dumps("x" * (1 << 20)))
    answer = await speak(stage.client, speaker.sent("bet", said))
    assert answer.status_code == 413
    assert len(answer.text.splitlines()) == 1
    await good_call(stage, speaker)


WRONG_METHODS = [
    *((name, "GET", SPEAKERS[name].paths["bet"], "POST") for name in SPEAKERS),
    *((name, "DELETE", SPEAKERS[name].paths["undo"], "POST") for name in SPEAKERS),
    ("gb", "POST", f"{GAMEBALL_PATH}/customers/anna/balance", "GET"),
    ("gb", "PUT", f"{GAMEBALL_PATH}/transactions/hold/h-1", "GET, DELETE"),
    ("na", "POST", "/transactions/na/debit/1", "GET"),
]


@pytest.mark.parametrize(("name", "method", "path", "allow"), WRONG_METHODS)
async def test_wrong_methods(stage: Stage, name: str, method: str, path: str, allow: str) -> None:
    speaker = SPEAKERS[name]
    answer = await stage.client.request(method, speaker.prefix + path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allow
    assert len(answer.text.splitlines()) == 1
    await good_call(stage, speaker)


WRONG_PATHS = [
    "/", "/nobody", "/nobody/debit", "/ng", "/ng/", "/ng/nothing", "/ng/debit/more", "/NG/debit", "/dg/", "/dg/v1/debit",
    f"/ky/{c.PATH_TOKEN}", f"/ky/{c.PATH_TOKEN}/v1/Nothing", "/ky/v1/Bet", "/ky", f"/ky/{'2f' * 32}/v1/Bet",
    f"/ky/{'0a' * 32}/v1/Bet", f"/ky/{c.PATH_TOKEN[:-1]}/v1/Bet", "/sp/bet/more", "/gb", "/gb/transactions/redeem",
    "/gb/api/v3.0/integrations/transactions/redeem", f"/gb{GAMEBALL_PATH}/transaction/redeem", "/na", "/na/nonsense",
    "/na/status", "//debit", "/%6Eg/debit",
]  # fmt: skip


@pytest.mark.parametrize("path", WRONG_PATHS)
async def test_wrong_paths(stage: Stage, path: str) -> None:
    sent = {"content-type": "application/json", "x-api-key": c.API_KEY}
    answer = await stage.client.post(str(stage.client.base_url).rstrip("/") + path, headers=sent, content=b"{}")
    assert answer.status_code == 404
    assert len(answer.text.splitlines()) == 1


@pytest.mark.parametrize("path", ["/bet", "/bet/", "/"])
async def test_scorpio_may_append_the_command(stage: Stage, path: str) -> None:
    speaker, tx_id = SPEAKERS["sp"], new_id()
    sent = speaker.good("bet", tx_id, "anna")
    answer = await stage.client.post(f"/sp{path}", headers=dict(sent.headers), content=sent.body)
    assert speaker.word(answer) == YES


@pytest.mark.parametrize("name", ["ng", "dg", "ky", "gb", "na"])
async def test_a_trailing_slash_changes_nothing(stage: Stage, name: str) -> None:
    speaker, tx_id = SPEAKERS[name], new_id()
    sent = speaker.good("bet", tx_id, "anna")
    answer = await stage.client.post(sent.target + "/", headers=dict(sent.headers), content=sent.body)
    assert speaker.word(answer) == YES


NOT_COVERED = [
    ("/transactions/cashback", (422, 6001)),
    ("/payments", (422, 6001)),
    ("/orders", (422, 6001)),
    ("/transactions/otp", (403, 8000)),
]


@pytest.mark.parametrize(("path", "word"), NOT_COVERED)
async def test_gameball_calls_that_are_no_movement(stage: Stage, path: str, word: Word) -> None:
    speaker = SPEAKERS["gb"]
    sent = speaker.good("bet", new_id(), "anna")
    answer = await stage.client.post(f"/gb{GAMEBALL_PATH}{path}", headers=dict(sent.headers), content=sent.body)
    assert speaker.word(answer)[:2] == word


async def test_gameball_wants_json(stage: Stage) -> None:
    speaker = SPEAKERS["gb"]
    sent = speaker.good("bet", new_id(), "anna").but(content_type="text/plain")
    assert speaker.word(await speak(stage.client, sent)) == (415, 3013, "PAYLOAD_ERROR")
    await good_call(stage, speaker)


async def test_scorpios_older_protocol_is_refused(stage: Stage) -> None:
    speaker = SPEAKERS["sp"]
    raw = b'{"command": "bet", "data": {"transactionId": "1"}, "check": "21,22"}'
    assert speaker.word(await speak(stage.client, speaker.sent("bet", raw)))[1] != "yes"
    await good_call(stage, speaker)


# ---------------------------------------------------------------- who calls

BAD_SIGNATURE: dict[str, Word] = {
    "ng": (200, 1001, "INVALID_API_KEY"),
    "dg": (200, 1001, "INVALID_API_KEY"),
    "ky": (200, 5),
    "sp": _INTEGRITY,
    "gb": (401, 1000, "AUTHENTICATION_ERROR"),
    "na": (401, "bad_signature"),
}
FOREIGN = {
    "ng": {"api_key": "another-providers-key"},
    "dg": {"hmac": "another-providers-secret"},
    "ky": {"api_key": "another-providers-key"},
    "sp": {"secret": "sp-another-token"},
    "gb": {"api_key": "gb-api-other-1", "secret_key": "gb-sec-test-1"},
    "na": {"secret": "whsec_YW5vdGhlciBwcm92aWRlcidzIHNlY3JldA=="},
}
EXPIRED = {
    "ng": {"api_key": "old-api-key-0000000001"},
    "dg": {"hmac": "old-hmac-secret-00001"},
    "ky": {"api_key": "old-api-key-0000000001"},
    "sp": {"secret": "sp-old-token-0001"},
    "gb": {"api_key": "gb-api-old-1", "secret_key": "gb-sec-old-1"},
    "na": {"secret": c.OLD_NATIVE_SECRET},
}
PROOFS = ("x-api-key", "x-gw-signature", "x-request-signature", "apikey", "webhook-signature")


COVERS_THE_BODY = ("dg", "sp", "na")  # the others show a shared key
PROVEN_WRONG = [
    (name, how)
    for name in SPEAKERS
    for how in ("forged", "missing", "foreign", "expired", "other body")
    if how != "other body" or name in COVERS_THE_BODY
]


@pytest.mark.parametrize(("name", "how"), PROVEN_WRONG)
async def test_who_cannot_prove_it_is_not_believed(stage: Stage, name: str, how: str) -> None:
    speaker, tx_id, moved = SPEAKERS[name], new_id(), len(stage.wallet.teller.purse.book)
    said = speaker.say("bet", tx_id, "emil", "")
    true = speaker.sent("bet", said)
    proof = next(header for header in PROOFS if header in true.headers)
    if how == "forged":
        value = true.headers[proof]
        sent = true.but(**{proof: value[:-8] + ("A" if value[-8] != "A" else "B") + value[-7:]})
    elif how == "missing":
        sent = true.but(**{proof: None})
    elif how in ("foreign", "expired"):
        sent = speaker.sent("bet", said, {"foreign": FOREIGN, "expired": EXPIRED}[how][name])
    else:
        sent = replace(true, body=said.put(amount='"900.00"' if name == "na" else "900").bytes())
    assert speaker.word(await speak(stage.client, sent)) == BAD_SIGNATURE[name]
    assert len(stage.wallet.teller.purse.book) == moved
    assert speaker.word(await speak(stage.client, true)) == YES
    assert in_book(stage.wallet)[-1] == tx_id


async def test_gameballs_second_key_has_a_code_of_its_own(stage: Stage) -> None:
    speaker = SPEAKERS["gb"]
    sent = speaker.good("bet", new_id(), "anna")
    word = (401, 1001, "AUTHENTICATION_ERROR")
    assert speaker.word(await speak(stage.client, sent.but(secretkey=None))) == word
    assert speaker.word(await speak(stage.client, sent.but(secretkey="gb-sec-test-2"))) == word
    await good_call(stage, speaker)


@pytest.mark.parametrize(("name", "header"), [("dg", "x-gw-timestamp"), ("na", "webhook-timestamp")])
@pytest.mark.parametrize("stamp", ["", "soon", "1767225600", "99999999999999999999"])
async def test_stale_and_strange_timestamps(stage: Stage, name: str, header: str, stamp: str) -> None:
    speaker = SPEAKERS[name]
    sent = speaker.good("bet", new_id(), "anna").but(**{header: stamp})
    assert speaker.word(await speak(stage.client, sent)) == BAD_SIGNATURE[name]
    await good_call(stage, speaker)


@pytest.mark.parametrize("name", ["ng", "dg"])
async def test_the_key_may_stand_in_the_body_where_the_card_says_so(stage: Stage, name: str) -> None:
    speaker, tx_id = SPEAKERS[name], new_id()
    said = speaker.say("bet", tx_id, "anna", "").put(api_key=json.dumps(c.API_KEY))
    sent = speaker.sent("bet", said).but(x_api_key=None)
    assert speaker.word(await speak(stage.client, sent)) == YES


# ---------------------------------------------------------------- slow callers


async def test_a_slow_caller_is_sent_away_and_stopped_nobody(
    stage: Stage, slow: tuple[asyncio.StreamReader, asyncio.StreamWriter]
) -> None:
    """Last in this file: its ten seconds began before the first test."""
    async with asyncio.timeout(15):
        heard = await slow[0].read()
    assert heard.startswith(b"HTTP/1.1 408 ")
    await good_call(stage, SPEAKERS["na"])
    assert stage.process.running
    levels = {json.loads(line)["level"] for line in stage.process.complained().splitlines()}
    assert levels == {"info"}, "nothing in this file is a fault of ours"
