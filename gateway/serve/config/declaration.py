"""The whole configuration, declared once; docs/configuration.md explains it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.model import Kind
from gateway.serve.config.secrets import FileOf, Part, Pem, PemPath, Secret
from gateway.serve.config.sections import Anything, Either, Field, Map, Named
from gateway.serve.config.shapes import DURATION, SIZE, Bool, Choice, Integer, Items, Moment, Shape, Share
from gateway.serve.config.texts import (
    CURRENCY,
    HEADER_NAME,
    IDENTITY,
    JOURNAL,
    KEY_ID,
    LISTEN,
    NAME,
    NETWORK,
    PLAYER_TEMPLATE,
    PROXY,
    REGEX,
    SESSION_TEMPLATE,
    SUBJECT,
    URL,
    WORD,
)


def _section(fields: Mapping[str, Field]) -> Map:
    return Map(fields)


def _need(shape: Shape, help: str = "") -> Field:
    return Field(shape, help, required=True)


_UNTIL = Field(Moment(), "until when the key holds; absent = no end")

SHARED_KEY = _section({"id": _need(KEY_ID), "secret": _need(Secret()), "until": _UNTIL})
DIALECT_KEY = Map({"id": _need(KEY_ID), "until": _UNTIL}, extra=Part())

SERVER = _section(
    {
        "listen": _need(LISTEN, "providers call here"),
        "max_body": Field(SIZE, "longer requests are answered 413; default 64KiB"),
        "trusted_proxies": Field(Items(NETWORK, empty=True), "networks whose X-Forwarded-For is believed"),
        "demo": Field(Bool(), "literal secrets are allowed, and moving money needs no admin key", default=False),
        "tls": Field(
            _section(
                {
                    "cert": _need(PemPath("certificate")),
                    "key": _need(PemPath("private key")),
                    "client_ca": Field(PemPath("certificate"), "client certificates are asked for"),
                }
            )
        ),
    }
)

ADMIN = _section(
    {
        "listen": _need(LISTEN, "metrics, health, API, console; never the server's port"),
        "keys": Field(Items(SHARED_KEY), "required unless listen is loopback; header Authorization: Bearer"),
    }
)

GUARD = _section(
    {
        "networks": Field(Items(NETWORK), "addresses that may call"),
        "api_key": Field(Items(SHARED_KEY), "header X-Api-Key, or the body field that the dialect names"),
        "path_token": Field(Items(SHARED_KEY), "a path segment behind the provider's name; a wrong one is 404"),
        "hmac": Field(Items(SHARED_KEY), "headers X-Gw-Timestamp and X-Gw-Signature"),
        "client_cert": Field(Items(SUBJECT), "subjects; needs server.tls.client_ca"),
    }
)

ANSWER_WITHIN = Either(
    DURATION, _section({"default": Field(DURATION)} | {kind.value: Field(DURATION) for kind in Kind})
)

REQUESTS_MAX = 1000  # the wallet client keeps as many connections
_RESERVE = Field(Share(), "the share that is kept for credits and rollbacks; default 0.2")

CALLER_LIMITS = _section(
    {"in_flight": Field(Integer(1, 100_000), "calls that are carried at once; default 2000"), "reserve": _RESERVE}
)

WALLET_LIMITS = _section(
    {
        "in_flight": Field(Integer(1, REQUESTS_MAX), f"requests that are under way at once; default {REQUESTS_MAX}"),
        "reserve": _RESERVE,
        "breaker": Field(
            _section(
                {
                    "failures": Field(
                        Integer(1, 100_000), "so many in a row, and the wallet is left alone; default 20"
                    ),
                    "cool_off": Field(DURATION, "until it is tried again; default 5s"),
                }
            )
        ),
    }
)

PROVIDER = _section(
    {
        "id": Field(IDENTITY, "immutable; part of every key; default: the name"),
        "dialect": _need(NAME, "see `gateway dialects`"),
        "guard": Field(GUARD, "who may call; every guard named must hold"),
        "keys": Field(Items(DIALECT_KEY), "what the dialect's own signature needs; several may live at once"),
        "currency": Field(CURRENCY, "where the dialect sends none and no session says it"),
        "answer_within": Field(ANSWER_WITHIN, "how long the provider waits; default: the dialect's"),
        "after_doubt": Field(
            _section({"silent": _need(DURATION)}),
            "absent = as the dialect says, mostly never rolled back by the gateway itself",
        ),
        "brand": Field(WORD, "for routes and logs"),
        "limits": Field(CALLER_LIMITS, "more than that is answered with doubt, at once"),
        "allow_weak": Field(Bool(), "required for signatures that are weak; needs a guard", default=False),
        "settings": Field(Anything(), "the dialect's own"),
    }
)

_REPEAT = Choice(("safe", "applied", "query", "never"))
REPEATS = Either(_REPEAT, _section({"debit": _need(_REPEAT), "credit": _need(_REPEAT), "rollback": _need(_REPEAT)}))

SEND = _section(
    {
        "headers": Field(Named(HEADER_NAME, Part()), "sent with every call"),
        "api_key": Field(Secret(), "header X-Api-Key"),
        "hmac": Field(Secret(), "headers X-Gw-Timestamp and X-Gw-Signature"),
        "ca": Field(Pem("certificate"), "who signs the wallet's certificate"),
        "client_cert": Field(Pem("certificate")),
        "client_key": Field(Pem("private key")),
        "proxy": Field(PROXY),
    }
)

WALLET = _section(
    {
        "dialect": _need(NAME, "see `gateway dialects`"),
        "url": _need(URL, "the dialect's own paths are appended"),
        "moved_from": Field(URL, "its url before, while unresolved movements still know that one"),
        "keys": Field(Items(DIALECT_KEY), "the first signs, or each where the dialect sends several"),
        "send": Field(SEND, "what is sent beside the dialect's own signature"),
        "answer_within": Field(DURATION, "one attempt's share, less than the provider's; default 2500ms"),
        "give_up_after": Field(DURATION, "until then the call goes on; default 30s"),
        "in_flight_max": Field(
            DURATION, "how long a request may be queued at the wallet, not less than give_up_after; default 2m"
        ),
        "repeats": _need(REPEATS, "how the wallet takes a second asking"),
        "remembers": Field(DURATION, "how long the wallet knows an id; default 48h"),
        "tombstones": Field(Bool(), "it remembers rollbacks of movements it never saw; default: the dialect's"),
        "ids": Field(Choice(("alias", "as_is")), "what the wallet is told as id; default: the dialect's"),
        "currency": Field(CURRENCY),
        "limits": Field(WALLET_LIMITS, "how much it takes at once, and when it is left alone"),
        "settings": Field(Anything(), "the dialect's own"),
    }
)

ROUTE = _section(
    {
        "when": Field(
            _section(
                {
                    "provider": Field(Items(NAME, or_one=True), "names of providers"),
                    "brand": Field(Items(WORD, or_one=True)),
                    "currency": Field(Items(CURRENCY, or_one=True)),
                    "player": Field(REGEX, "found anywhere in the player's id"),
                    "game": Field(REGEX, "found anywhere in the game's id"),
                }
            ),
            "every condition named must hold; absent = always",
        ),
        "wallet": _need(NAME, "the name of a wallet"),
        "players": Field(_section({"to_wallet": _need(PLAYER_TEMPLATE)}), "how players are called there"),
        "games": Field(FileOf(), "CSV: the provider's id, the wallet's id"),
        "sessions": Field(_section({"to_wallet": _need(SESSION_TEMPLATE)}), "where nobody gave a session"),
    }
)

ROOT = _section(
    {
        "version": _need(Integer(1, 1)),
        "server": _need(SERVER),
        "admin": _need(ADMIN),
        "journal": _need(
            _section(
                {
                    "url": _need(JOURNAL, "sqlite:///relative, sqlite:////absolute or postgresql://user@host/db"),
                    "password": Field(Secret()),
                }
            )
        ),
        "retention": Field(
            _section({"decided": Field(DURATION, "default 35d"), "sessions": Field(DURATION, "default 7d")})
        ),
        "currencies": Field(Named(CURRENCY, Integer(0, 12)), "digits of codes that are not ISO 4217"),
        "providers": Field(Named(NAME, PROVIDER), "who calls us; the name is the first path segment"),
        "wallets": Field(Named(NAME, WALLET), "whom we call"),
        "routes": Field(Items(ROUTE, empty=True), "the first that matches wins"),
    }
)


def json_schema() -> dict[str, Any]:
    """The JSON schema that editors use; `config/schema.json` is this, written down."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "gateway configuration, version 1"}
    return head | ROOT.schema()
