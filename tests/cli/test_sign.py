"""`gateway sign`: signed, explained, compared."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path

import pytest

from adapters.hub88.dialect import DIALECT
from gateway.vectors import demo_key
from tests.cli.helpers import CONFIG, SECRETS, call, folder_with, vector_request

BET = vector_request("scorpio_play", "bet_accepted", prefix="/scorp")


def header(text: str, name: str) -> str:
    return next(line.split(": ", 1)[1] for line in text.splitlines() if line.lower().startswith(name.lower() + ": "))


def scorpio(secret: str) -> str:
    """The signature, made without any of the gateway's code."""
    fields = json.loads(BET.split(b"\n\n", 1)[1], parse_float=str, parse_int=str)
    values = [str(v).lower() if isinstance(v, bool) else str(v) for _, v in sorted(fields.items())]
    return base64.b64encode(hmac.new(secret.encode(), ",".join(values).encode(), hashlib.sha512).digest()).decode()


def test_signed_as_a_provider_does(tmp_path: Path) -> None:
    result = call("sign", "--config", folder_with(tmp_path), "--provider", "scorp", stdin=BET)
    assert result.exit_code == 0
    assert header(result.stdout, "x-request-signature") == scorpio(SECRETS["SCORPIO"])
    assert result.stdout.startswith("POST /scorp/ HTTP/1.1")
    translated = call(
        "translate", "--config", tmp_path / "gateway.yaml", "--provider", "scorp", stdin=result.stdout_bytes
    )
    assert translated.exit_code == 0
    assert "verified: key new" in translated.stdout


def test_half_an_emoji_is_signed_as_javascript_signs_it(tmp_path: Path) -> None:
    """Where the values of fields are signed: a text that was cut within an emoji was no text, and its win was refused."""
    cut = BET.replace(b"Aurora", rb"Aurora \ud83c").replace(b"Content-Length: 311", b"Content-Length: 318")
    result = call("sign", "--config", folder_with(tmp_path), "--provider", "scorp", "--explain", stdin=cut)
    assert "message 1: 12.5,bet,EUR,nl_aurora,Aurora \ufffd,false" in result.stdout
    signed = call("sign", "--config", tmp_path / "gateway.yaml", "--provider", "scorp", stdin=cut)
    told = call("translate", "--config", tmp_path / "gateway.yaml", "--provider", "scorp", stdin=signed.stdout_bytes)
    assert "verified: key new" in told.stdout


def test_a_request_in_a_file_with_crlf(tmp_path: Path) -> None:
    pasted = tmp_path / "bet.http"
    pasted.write_bytes(vector_request("scorpio_play", "bet_accepted", end="\r\n"))
    result = call("sign", "--config", folder_with(tmp_path), "--provider", "scorp", pasted)
    assert header(result.stdout, "x-request-signature") == scorpio(SECRETS["SCORPIO"])


def test_the_exact_text_that_is_signed(tmp_path: Path) -> None:
    result = call("sign", "--config", folder_with(tmp_path), "--provider", "scorp", "--explain", stdin=BET)
    assert "message 1: 12.5,bet,EUR,nl_aurora,Aurora,false,false,plr-8821,14," in result.stdout
    assert f"signature 1: {scorpio(SECRETS['SCORPIO'])}" in result.stdout
    assert SECRETS["SCORPIO"] not in result.stdout


@pytest.mark.parametrize(
    ("secret", "said", "status"),
    [("SCORPIO", "the same: signature 1 of key new", 0), ("SCORPIO_OLD", "the same: signature 1 of key old", 0)],
)
def test_signatures_that_are_right(tmp_path: Path, secret: str, said: str, status: int) -> None:
    given = scorpio(SECRETS[secret])
    result = call("sign", "--config", folder_with(tmp_path), "--provider", "scorp", "--against", given, stdin=BET)
    assert result.exit_code == status
    assert said in result.stdout


def test_signatures_that_differ(tmp_path: Path) -> None:
    config = folder_with(tmp_path)

    def against(given: str) -> str:
        result = call("sign", "--config", config, "--provider", "scorp", "--against", given, stdin=BET)
        assert result.exit_code == 1
        return result.stdout

    right = scorpio(SECRETS["SCORPIO"])
    assert "hex and base64 are mixed up" in against(base64.b64decode(right).hex())
    assert "it holds 32 bytes where 64 are wanted" in against(base64.b64encode(bytes(32)).decode())
    assert "neither hex nor base64" in against("!!!")
    wrong = against(scorpio("another"))
    assert "no common mistake explains it" in wrong
    assert "they differ from character" in wrong


def test_signed_as_we_do_for_a_wallet(tmp_path: Path) -> None:
    request = b'POST /debit HTTP/1.1\nContent-Type: application/json\n\n{"kind":"debit"}'
    config = folder_with(tmp_path)
    result = call("sign", "--config", config, "--wallet", "main", stdin=request)
    message = f"{header(result.stdout, 'webhook-id')}.{header(result.stdout, 'webhook-timestamp')}.".encode()
    secret = base64.b64decode(SECRETS["WALLET"].removeprefix("whsec_"))
    wanted = base64.b64encode(hmac.new(secret, message + b'{"kind":"debit"}', hashlib.sha256).digest()).decode()
    assert header(result.stdout, "webhook-signature") == f"v1,{wanted}"
    # Their own time stamp counts, and a line end that only they signed is found out.
    stamped = result.stdout_bytes
    signed = base64.b64encode(hmac.new(secret, message + b'{"kind":"debit"}\n', hashlib.sha256).digest()).decode()
    compared = call("sign", "--config", config, "--wallet", "main", "--against", f"v1,{signed}", stdin=stamped)
    assert compared.exit_code == 1
    assert "it signs the body with a line end behind it" in compared.stdout


def test_the_guards_hmac(tmp_path: Path) -> None:
    config = folder_with(tmp_path)
    request = vector_request("netgaming", "debit_accepted", prefix="/slots")
    signed = call("sign", "--config", config, "--provider", "slots", stdin=request)
    timestamp = header(signed.stdout, "x-gw-timestamp")
    body = request.split(b"\n\n", 1)[1]
    wanted = hmac.new(SECRETS["GUARD"].encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert header(signed.stdout, "x-gw-signature") == wanted
    good = call("translate", "--config", config, "--provider", "slots", stdin=signed.stdout_bytes)
    assert "verified: h" in good.stdout
    same = call("sign", "--config", config, "--provider", "slots", "--against", wanted, stdin=signed.stdout_bytes)
    assert "the same: the hmac of guard key h" in same.stdout


@pytest.mark.parametrize("pasted", ["/transactions/acme/debit/t-1", "/api/transactions/acme/debit/t-1"])
def test_the_target_is_signed_as_it_is_sent_to_a_wallet(tmp_path: Path, pasted: str) -> None:
    """A call without a body is covered by its target: the path of the wallet's url stands in front, pasted or not."""
    wallet = "    keys: [{id: w, secret: {env: WALLET}}]\n"
    config = folder_with(tmp_path, CONFIG.replace(wallet, wallet + "    send: {hmac: {env: GUARD}}\n"))
    signed = call("sign", "--config", config, "--wallet", "main", stdin=f"GET {pasted} HTTP/1.1\n\n".encode())
    target = "/api/transactions/acme/debit/t-1"
    assert signed.stdout.startswith(f"GET {target} HTTP/1.1")
    message = f"{header(signed.stdout, 'x-gw-timestamp')}.{target}".encode()
    wanted = hmac.new(SECRETS["GUARD"].encode(), message, hashlib.sha256).hexdigest()
    assert header(signed.stdout, "x-gw-signature") == wanted


def test_the_target_is_signed_as_its_provider_calls_it(tmp_path: Path) -> None:
    config = folder_with(tmp_path)
    signed = call("sign", "--config", config, "--provider", "slots", stdin=b"GET /get-balance?a=1 HTTP/1.1\n\n")
    assert signed.stdout.startswith("GET /slots/get-balance?a=1 HTTP/1.1")
    message = f"{header(signed.stdout, 'x-gw-timestamp')}./slots/get-balance?a=1".encode()
    wanted = hmac.new(SECRETS["GUARD"].encode(), message, hashlib.sha256).hexdigest()
    assert header(signed.stdout, "x-gw-signature") == wanted
    alone = hmac.new(SECRETS["GUARD"].encode(), message.replace(b"/slots", b""), hashlib.sha256).hexdigest()
    compared = call("sign", "--config", config, "--provider", "slots", "--against", alone, stdin=signed.stdout_bytes)
    assert "it signs the dialect's own path alone" in compared.stdout


def test_secrets_and_sessions_are_hidden(tmp_path: Path) -> None:
    config = folder_with(tmp_path)
    request = vector_request("netgaming", "debit_accepted", prefix="/slots")
    session = json.loads(request.split(b"\n\n", 1)[1])["token"]
    explained = call("sign", "--config", config, "--provider", "slots", "--explain", stdin=request).stdout
    assert session not in explained
    assert SECRETS["GUARD"] not in explained
    shown = call(
        "sign", "--config", config, "--provider", "slots", "--explain", "--show-sessions", stdin=request
    ).stdout
    assert session in shown
    key = call("sign", "--config", config, "--provider", "bacc", stdin=vector_request("kyren", "bet_accepted"))
    assert SECRETS["GUARD"] not in key.stdout


def test_wrong_calls(tmp_path: Path) -> None:
    config = folder_with(tmp_path)
    assert call("sign", "--config", config, stdin=BET).exit_code == 2
    assert call("sign", "--config", config, "--provider", "scorpp", stdin=BET).exit_code == 2
    assert call("sign", "--config", config, "--provider", "scorp", "--wallet", "main", stdin=BET).exit_code == 2
    assert call("sign", "--config", config, "--provider", "scorp", tmp_path / "none.http").exit_code == 2


@pytest.mark.parametrize(
    ("request_text", "said"),
    [
        (b"", "this is no HTTP request"),
        (b"hello", "this is no HTTP request"),
        (b"POST bet HTTP/1.1\n\n{}", "does not begin with a slash"),
        (b"POST /bet HTTP/1.1\nnonsense\n\n{}", "standard input:2:1: this is no header"),
        (b"POST /bet HTTP/1.1\nContent-Length: 9\n\n{}", "Content-Length says 9 bytes, there are 2"),
        (b"POST /bet HTTP/1.1\nContent-Length: x\n\n{}", "is no number"),
        (b"POST /bet HTTP/1.1\nTransfer-Encoding: chunked\n\n{}", "the body is chunked"),
        (b"POST /bet HTTP/1.1\n\n\xff\xfe", "cannot be signed"),
    ],
)
def test_what_is_no_request(tmp_path: Path, request_text: bytes, said: str) -> None:
    result = call("sign", "--config", folder_with(tmp_path), "--provider", "scorp", stdin=request_text)
    assert result.exit_code == 1
    assert said in result.stderr


def test_of_a_pair_the_half_that_verifies_is_enough_to_explain(tmp_path: Path) -> None:
    """A provider gave its public key: what it signs can be told, and nothing can be signed as it does."""
    config = folder_with(tmp_path, CONFIG.replace("  scorp:\n", HUB + "  scorp:\n"))
    (tmp_path / "hub.pem").write_text(demo_key(DIALECT, DIALECT.settings()).part("public_key"))
    bet = vector_request("hub88", "bet_accepted", prefix="/hub")
    result = call("sign", "--config", config, "--provider", "hub", "--explain", stdin=bet)
    assert result.exit_code == 0
    assert "signature 1: made with the sender's private key" in result.stdout
    assert '"amount":50000' in result.stdout
    refused = call("sign", "--config", config, "--provider", "hub", stdin=bet)
    assert refused.exit_code == 1
    assert "a public key verifies, and signs nothing" in refused.stderr
    translated = call("translate", "--config", config, "--provider", "hub", stdin=bet)
    assert "verified: key k" in translated.stdout


HUB = """\
  hub:
    dialect: hub88
    keys: [{id: k, public_key: {file: hub.pem}}]
"""


def test_of_a_pair_the_half_that_verifies_is_enough_to_compare(tmp_path: Path) -> None:
    """What was signed is verified, so that nothing has to be signed again."""
    config = folder_with(tmp_path, CONFIG.replace("  scorp:\n", HUB + "  scorp:\n"))
    (tmp_path / "hub.pem").write_text(demo_key(DIALECT, DIALECT.settings()).part("public_key"))
    bet = vector_request("hub88", "bet_accepted", prefix="/hub")
    proof = header(bet.decode(), "x-hub88-signature")
    good = call("sign", "--config", config, "--provider", "hub", "--against", proof, stdin=bet)
    assert (good.exit_code, good.stdout) == (0, "the same: signature 1 of key k\n")
    body = bet.split(b"\n\n", 1)[1]
    respelled = bet.split(b"Content-Length", 1)[0] + b"\n" + json.dumps(json.loads(body), indent=1).encode()
    compared = call("sign", "--config", config, "--provider", "hub", "--against", proof, stdin=respelled)
    assert compared.exit_code == 1
    assert "it signs the body as compact JSON (signature 1 of key k)" in compared.stdout


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        (SECRETS["GUARD"], 0, "the same: the secret of guard key a (header X-Api-Key)"),
        (SECRETS["SCORPIO_OLD"], 1, "it is another key: key old of the provider scorp (scorpio_play), its secret"),
        ("nobody's", 1, "header X-Api-Key: no common mistake explains it: another key"),
    ],
)
def test_a_guards_key_is_compared_and_never_shown(tmp_path: Path, given: str, status: int, said: str) -> None:
    """Of a dialect that signs nothing; its guards are told one by one."""
    request = vector_request("kyren", "bet_accepted")
    compared = call("sign", "--config", folder_with(tmp_path), "--provider", "bacc", "--against", given, stdin=request)
    assert compared.exit_code == status
    assert said in compared.stdout
    assert not any(secret in compared.stdout for secret in SECRETS.values())
    if status:
        assert "the dialect itself is unsigned: it signs nothing" in compared.stdout
        assert "guard networks: the caller's address (10.0.0.0/8). It signs nothing of the call" in compared.stdout
        assert "guard path_token: a word in the path" in compared.stdout


def test_sessions_are_hidden_where_two_texts_differ(tmp_path: Path) -> None:
    """Before anything is cut out of them: half a token is one, too."""
    config = folder_with(tmp_path)
    request = vector_request("netgaming", "debit_accepted", prefix="/slots")
    signed = call("sign", "--config", config, "--provider", "slots", stdin=request)
    stamp, body = header(signed.stdout, "x-gw-timestamp"), request.split(b"\n\n", 1)[1]
    compact = json.dumps(json.loads(body), separators=(",", ":")).encode()
    given = hmac.new(SECRETS["GUARD"].encode(), stamp.encode() + b"." + compact, hashlib.sha256).hexdigest()
    ask = ("sign", "--config", config, "--provider", "slots", "--against", given)
    compared = call(*ask, stdin=signed.stdout_bytes).stdout
    session = json.loads(body)["token"]
    assert "it signs the body as compact JSON (the hmac of guard key h)" in compared
    assert "the signed texts differ from character 21 on" in compared
    assert session[:4] not in compared
    assert session[:4] in call(*ask, "--show-sessions", stdin=signed.stdout_bytes).stdout


@pytest.mark.parametrize(("action", "word"), [("balance", "<session>"), ("unheard_of", "<hidden>")])
def test_a_session_that_is_signed_encoded_is_hidden_too(tmp_path: Path, action: str, word: str) -> None:
    """As a form encodes it, also where the values were signed without the names that tell what is one, and where nobody can
    make sense of the call."""
    text = CONFIG.replace("  scorp:\n", FORM + "  scorp:\n")
    head = b"POST /slotty HTTP/1.1\nX-Merchant-Id: m-1\nX-Timestamp: 1767225600\nX-Nonce: n-1\n\n"
    request = head + f"action={action}&session_id=se/ss%20ion%7E1&player_id=p-1&currency=EUR".encode()
    values = f"se%2Fss+ion%7E1&p-1&EUR&{action}&1767225600&n-1&m-1".encode()
    given = hmac.new(SECRETS["SCORPIO"].encode(), values, hashlib.sha1).hexdigest()
    ask = ("sign", "--config", folder_with(tmp_path, text), "--provider", "slotty", "--against", given)
    said = call(*ask, stdin=request).stdout
    assert "it signs the fields sorted by their names, from z to a, and it signs the values alone" in said
    assert f"given: '{word}&p-1&EUR" in said
    assert "ion%7E1" not in said
    assert "ion%7E1" in call(*ask, "--show-sessions", stdin=request).stdout


FORM = """\
  slotty:
    dialect: slotegrator
    allow_weak: true
    guard: {networks: [10.0.0.0/8]}
    keys: [{id: s, merchant_id: m-1, secret: {env: SCORPIO}}]
"""


# ---------------------------------------------------------------- answers

BETGAMES = """\
version: 1
server: {listen: "127.0.0.1:8080"}
admin: {listen: "127.0.0.1:9090"}
journal: {url: "sqlite:///:memory:"}
providers:
  bg: {dialect: betgames, allow_weak: true, guard: {networks: [10.0.0.0/8]}, keys: [{id: b, secret: {file: key}}]}
wallets:
  main: {dialect: native, url: "https://w.example", keys: [{id: w, secret: {file: key}}], repeats: safe}
routes: [{wallet: main}]
"""
RESPONSE_ID = "4f1c2f0e-5d1b-4e0a-9c3a-000000000051"
ANSWER = f"""\
HTTP/1.1 200 OK
Content-Type: text/xml

<root><method>request_new_token</method><token>bt-42</token><success>1</success><response_id>{RESPONSE_ID}</response_id>\
<params><new_token>bt-43</new_token></params></root>
""".encode()


def test_an_answer_that_is_signed(tmp_path: Path) -> None:
    """Its own proof, which covers another id than its request's: signed, explained, compared, and no session is shown."""
    secret, config = "whsec_bmF0aXZlIHRlc3Qga2V5", folder_with(tmp_path, BETGAMES)
    (tmp_path / "key").write_text(secret)
    right = hmac.new(secret.encode(), RESPONSE_ID.encode(), hashlib.sha256).hexdigest()

    def sign(*more: str) -> str:
        return call("sign", "--config", config, "--provider", "bg", *more, stdin=ANSWER).stdout

    assert sign().startswith("HTTP/1.1 200\nContent-Type: text/xml\nContent-Length: ")
    assert f"<signature>{right}</signature></root>" in sign()
    assert f"message 1: {RESPONSE_ID}" in sign("--explain")
    assert "bt-4" not in sign("--explain")
    assert "the same: signature 1 of key b" in sign("--against", right)
    assert "only upper and lower case differ" in sign("--against", right.upper())
    of_its_request = hmac.new(secret.encode(), b"4f1c2f0e-5d1b-4e0a-9c3a-000000000050", hashlib.sha256).hexdigest()
    for told in (sign("--explain"), sign("--against", of_its_request)):
        assert (
            "that the answer signs the id of its request, or carries that one as its own, cannot be seen here" in told
        )
    ended = hmac.new(secret.encode(), RESPONSE_ID.encode() + b"\n", hashlib.sha256).hexdigest()
    assert "with a line end behind it" in sign("--against", ended)


@pytest.mark.parametrize(
    ("provider", "answer", "told"),
    [
        ("scorp", b"HTTP/1.1 200 OK\n\n{}", "scorpio_play does not sign its answers"),
        ("scorp", b"HTTP/1.1 OK\n\n{}", "standard input:1:1: this is no HTTP answer (write HTTP/1.1 200 OK)"),
        ("scorp", b"HTTP/1.1 200 OK\nno header\n\n{}", "standard input:2:1: this is no header"),
    ],
)
def test_an_answer_that_cannot_be_signed(tmp_path: Path, provider: str, answer: bytes, told: str) -> None:
    """In a sentence with its place, and a request alone is translated."""
    config = folder_with(tmp_path)
    result = call("sign", "--config", config, "--provider", provider, stdin=answer)
    assert (result.exit_code, result.stdout) == (1, "")
    assert told in result.stderr
    translated = call("translate", "--config", config, "--provider", provider, stdin=answer)
    assert "this is no HTTP request" in translated.stderr or "this is no header" in translated.stderr
