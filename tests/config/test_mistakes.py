"""Values that are impossible, each said once, with its place and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from gateway.serve.config.secrets import pem_ok
from tests.config.helpers import GOOD, HEAD, PROVIDERS, mistakes, with_provider, with_wallet

SCORPIO = "dialect: scorpio_play, keys: [{id: k, secret: {env: SECRET}}]"
KYREN = "dialect: kyren, guard: {networks: [10.0.0.0/8]}"
WALLET = "dialect: native, url: 'https://w.example', repeats: safe, keys: [{id: w, secret: {env: WALLET}}]"
NETGAMING = "dialect: netgaming, url: 'https://w.example', repeats: safe"


def only(found: list[str], line: int) -> str:
    assert len(found) == 1, found
    assert found[0].startswith(f"gateway.yaml:{line}:"), found
    return found[0].split(": ", 1)[1]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{dialect: scorpio_pley}", "unknown dialect 'scorpio_pley' (write scorpio_play)"),
        ("{dialect: scorpio_play}", "keys are missing: scorpio_play signs (write keys: [{id: k1, secret: ...}])"),
        (f"{{{SCORPIO}, gard: {{}}}}", "unknown key 'gard' (write guard)"),
        ("{dialect: kyren}", "kyren does not sign: without a guard anybody may call"),
        ("{dialect: kyren, guard: {}}", "kyren does not sign: without a guard anybody may call"),
        ("{dialect: kyren, guard: {networks: []}}", "the list is empty (name at least one, or leave the key out)"),
        (f"{{{KYREN}, keys: [{{id: k, secret: {{env: SECRET}}}}]}}", "kyren does not sign with these settings"),
        (
            f"{{{KYREN}, settings: {{family_md5: true}}, keys: [{{id: k, secret: {{env: SECRET}}}}]}}",
            "kyren signs weakly with these settings",
        ),
        (f"{{{SCORPIO}, allow_weak: true}}", "allow_weak needs a guard"),
        (f"{{{KYREN}, settings: {{family_md5: 1}}}}", "family_md5: 1 is not possible (write true | false)"),
        (f"{{{KYREN}, settings: {{famly_md5: true}}}}", "unknown setting of kyren 'famly_md5' (write family_md5)"),
        (f"{{{KYREN}, settings: [1]}}", "this is a list, not a section"),
        (f"{{{SCORPIO}, settings: {{amount_unit: cents}}}}", "amount_unit: cents is not possible (write major | minor)"),
        (f"{{{SCORPIO}, currency: EUS}}", "unknown currency EUS"),
        (f"{{{SCORPIO}, currency: eur}}", "unknown currency eur (an ISO 4217 code, or add eur and its digits to currencies)"),
        (f"{{{SCORPIO}, answer_within: 4}}", "this is an integer, not a duration"),
        (f"{{{SCORPIO}, answer_within: 0s}}", "'0s' is not a duration"),
        (f"{{{SCORPIO}, answer_within: {{debits: 3s}}}}", "unknown key 'debits' (write debit)"),
        (f"{{{SCORPIO}, after_doubt: 10m}}", "this is a text, not a section"),
        (f"{{{SCORPIO}, id: 'a:b'}}", "'a:b' is not an id"),
        (f"{{{SCORPIO}, guard: {{networks: [10.0.0.1/8]}}}}", "'10.0.0.1/8' is not a network (write 10.0.0.0/8)"),
        (f"{{{SCORPIO}, guard: {{client_cert: ['CN=acme']}}}}", "client_cert needs server.tls.client_ca"),
        (f"{{{SCORPIO}, guard: {{path_token: [{{id: p, secret: {{env: WITH_SLASH}}}}]}}}}", "the environment variable"),
        ("{dialect: scorpio_play, keys: [{id: k, secret: plain}]}", "a secret stands here in plain text"),
        ("{dialect: scorpio_play, keys: [{id: k, secret: {env: NOBODY}}]}", "the environment variable NOBODY is not set"),
        ("{dialect: scorpio_play, keys: [{id: k, secret: {env: EMPTY}}]}", "the environment variable EMPTY is empty"),
        ("{dialect: scorpio_play, keys: [{id: k, secret: {file: none.txt}}]}", "cannot be read: No such file"),
        ("{dialect: scorpio_play, keys: [{id: k, secret: {file: .}}]}", "cannot be read: Is a directory"),
        ("{dialect: scorpio_play, keys: [{id: k, secret: {enf: X}}]}", "'enf' is no kind of reference"),
        ("{dialect: scorpio_play, keys: [{id: k}]}", "the key has no secret"),
        ("{dialect: scorpio_play, keys: [{secret: {env: SECRET}}]}", "id is missing"),
        (
            "{dialect: scorpio_play, keys: [{id: k, secret: {env: SECRET}, api_key: {env: OTHER}}]}",
            "unknown part of a key of scorpio_play 'api_key' (one of secret)",
        ),
        (
            "{dialect: scorpio_play, keys: [{id: k, secret: {env: SECRET}}, {id: k, secret: {env: OTHER}}]}",
            "two keys are called k",
        ),
        (f"{{{SCORPIO[:-2]}, until: tomorrow}}]}}", "this is not a time (write it as 2026-12-01T00:00:00Z)"),
        ("{dialect: native, keys: [{id: k, secret: {env: SECRET}}]}", "whsec_"),
        (f"{{{SCORPIO}, id: acme}}", "providers acme and other have one id, acme"),
    ],
)  # fmt: skip
def test_mistakes_of_a_provider(tmp_path: Path, body: str, said: str) -> None:
    assert said in only(mistakes(tmp_path, with_provider(body)), 7)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{dialect: native, url: 'https://w.example', keys: [{id: w, secret: {env: WALLET}}]}", "repeats is missing"),
        (f"{{{WALLET}, answer_within: 4s}}", "answer_within 4000ms is not less than that of the provider acme"),
        (f"{{{WALLET}, give_up_after: 1s}}", "give_up_after is less than answer_within"),
        (f"{{{WALLET}, in_flight_max: 29s}}", "in_flight_max is less than give_up_after"),
        (f"{{{WALLET}, in_flight_max: 29s}}", "(write at least 30s as in_flight_max, or give up earlier)"),
        (f"{{{WALLET}, give_up_after: 150s}}", "(write at least 150s as in_flight_max, or give up earlier)"),
        (f"{{{WALLET}, give_up_after: 4m, in_flight_max: 3m}}", "(write at least 4m as in_flight_max"),
        (f"{{{WALLET}, moved_from: 'https://w.example/'}}", "moved_from is the wallet's own url"),
        (f"{{{WALLET}, moved_from: old.example}}", "this is not a URL (write https://"),
        (f"{{{WALLET.replace('safe', 'apply')}}}", "'apply' is not possible here (safe or applied or query or never)"),
        (f"{{{WALLET}, ids: as-is}}", "'as-is' is not possible here (alias or as_is)"),
        (f"{{{WALLET}, tombstones: yes}}", "this is a text, not true or false"),
        (f"{{{WALLET}, send: {{headers: {{Host: x}}}}}}", "the header Host is ours to set"),
        (f"{{{WALLET}, send: {{headers: {{Authorization: Bearer x}}}}}}", "a secret stands here in plain text"),
        (f"{{{WALLET}, send: {{api_key: plain}}}}", "a secret stands here in plain text"),
        (f"{{{WALLET}, send: {{ca: {{env: SECRET}}}}}}", "this holds no certificate in PEM form"),
        (
            f"{{{WALLET}, send: {{proxy: 'http://u:p@proxy:1'}}}}",
            "this is not the URL of a proxy (leave user and password",
        ),
        (f"{{{WALLET.replace('w.example', 'u:pw@w.example')}}}", "this is not a URL (leave user and password out"),
        (f"{{{WALLET.replace('https:', 'ftp:')}}}", "this is not a URL (write https://"),
        (
            f"{{{NETGAMING}, ids: as_is}}",
            "acme has several key spaces (credit, debit, rollback) and netgaming keeps one",
        ),
        (f"{{{NETGAMING.replace('safe', 'query')}}}", "netgaming cannot ask what became of a debit"),
        (
            f"{{{NETGAMING.replace('safe', '{debit: safe, credit: query, rollback: safe}')}}}",
            "netgaming cannot ask what became of a credit",
        ),
        (f"{{{NETGAMING.replace('safe', '{debit: safe}')}}}", "credit is missing"),
        (
            "{dialect: gameball, url: 'https://w.example', repeats: query, keys: [{id: g, api_key: {env: SECRET}, "
            "secret_key: {env: OTHER}}]}",
            "gameball cannot ask what became of a debit",
        ),
    ],
)
def test_mistakes_of_a_wallet(tmp_path: Path, body: str, said: str) -> None:
    found = mistakes(tmp_path, with_wallet(body))
    assert any(said in mistake for mistake in found), found
    assert all(mistake.startswith("gateway.yaml:13:") for mistake in found)


@pytest.mark.parametrize(
    ("route", "said"),
    [
        ("{wallet: mian}", "unknown wallet 'mian' (write main)"),
        ("{wallet: main, when: {provider: [acmee]}}", "unknown provider 'acmee' (write acme)"),
        ("{wallet: main, when: {player: '('}}", "'(' is not a regular expression"),
        ("{wallet: main, when: {currency: [EUS]}}", "unknown currency EUS"),
        ("{wallet: main, players: {to_wallet: 'x'}}", "write {player} exactly once"),
        ("{wallet: main, players: {to_wallet: '{player}{player}'}}", "write {player} exactly once"),
        ("{wallet: main, sessions: {to_wallet: '{session}'}}", "the only name in braces is {player}"),
        ("{wallet: main, games: {file: none.csv}}", "cannot be read"),
        ("{wallet: main, games: games.csv}", "this is not a file (write {file: PATH})"),
        ("{when: {brand: a}}", "wallet is missing"),
    ],
)
def test_mistakes_of_a_route(tmp_path: Path, route: str, said: str) -> None:
    found = mistakes(tmp_path, GOOD.replace("{wallet: main}", route))
    assert said in only(found, 13)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('admin: {listen: "127.0.0.1:9090"}', 'admin: {listen: "0.0.0.0:9090"}', "admin.keys are missing"),
        ("9090", "8080", "admin and server listen on the same port"),
        ('"127.0.0.1:8080"', '"127.0.0.1"', "'127.0.0.1' is not an address to listen on"),
        ('"127.0.0.1:8080"', '"1.2.3.4.5:80"', "is not an address to listen on"),
        ('"127.0.0.1:8080"', '"a:99999"', "is not an address to listen on"),
        (
            "sqlite:///var/journal.db",
            "postgresql://u@h",
            "write postgresql://user@host/db; the password stands in journal.password",
        ),
        ("sqlite:///var/journal.db", "sqlite:///", "this is not a journal"),
        ("sqlite:///var/journal.db", "postgres://u@h/db", "write postgresql://user@host/db"),
        ("sqlite:///var/journal.db", "postgresql://u@h/db?password=x", "write postgresql://user@host/db"),
        ("sqlite:///var/journal.db", "postgresql://u@h/db?sslmod=x", "write postgresql://user@host/db"),
        ("version: 1", 'version: "1"', "this is not a number"),
        ('8080"}', '8080", max_body: 64KB}', "'64KB' is not a size"),
        ('8080"}', '8080", tls: {cert: {file: a.pem}}}', "key is missing"),
    ],
)
def test_mistakes_of_the_head(tmp_path: Path, before: str, after: str, said: str) -> None:
    found = mistakes(tmp_path, GOOD.replace(before, after, 1))
    assert any(said in mistake for mistake in found), found


def test_the_same_port_is_told_once_for_any_free_one(tmp_path: Path) -> None:
    assert mistakes(tmp_path, GOOD.replace(":8080", ":0").replace(":9090", ":0")) == []


def test_games_have_places_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "games.csv").write_text("a,b\na,c\nd\n")
    found = mistakes(tmp_path, GOOD.replace("{wallet: main}", "{wallet: main, games: {file: games.csv}}"))
    assert found == [
        "games.csv:2:1: the game a stands twice (keep one line)",
        "games.csv:3:1: this line does not hold two ids (the provider's id, a comma, the wallet's id)",
    ]


def test_a_currency_may_be_called_as_an_aggregator_calls_it(tmp_path: Path) -> None:
    assert not mistakes(tmp_path, GOOD + "currencies: {mBTC: 5, USDT_TRC20: 6, 1INCH: 8, IDR2: 4}\n")


def test_currencies_have_zero_to_twelve_digits(tmp_path: Path) -> None:
    found = mistakes(tmp_path, GOOD + "currencies: {BTC: 13, EUR: 3, b/c: 1}\n")
    assert [mistake.split(": ", 1)[1] for mistake in found] == [
        "this is not a number that is possible here: 13 (write 0 to 12)",
        "EUR has 2 digits in ISO 4217 (leave it out)",
        "'b/c' is not a currency code (write 2 to 16 letters, digits, _, - or .: EUR, BTC, mBTC)",
    ]


def test_ids_as_they_are_for_several_providers(tmp_path: Path) -> None:
    text = (
        HEAD
        + PROVIDERS
        + PROVIDERS.split("\n", 1)[1].replace("acme", "b")
        + (f"wallets: {{main: {{{NETGAMING}, ids: as_is}}}}\nroutes: [{{wallet: main}}]\n")
    )
    assert any("ids: as_is with several providers (acme, b)" in mistake for mistake in mistakes(tmp_path, text))


def test_no_message_holds_a_secret(tmp_path: Path) -> None:
    text = with_provider("{dialect: scorpio_play, keys: [{id: k, secret: hunter2-secret}]}")
    text = text.replace("https://wallet.example", "https://user:hunter2-secret@wallet.example")
    text = text.replace("sqlite:///var/journal.db", "postgresql://user:hunter2-secret@host/db")
    found = mistakes(tmp_path, text)
    assert len(found) == 3
    assert "hunter2" not in "".join(found)


def test_pem() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    public = (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )
    assert pem_ok("private key", private)
    assert pem_ok("public key", public)
    assert not pem_ok("public key", private)
    assert not pem_ok("certificate", public)
