"""A configuration with all six dialects as providers: demo keys, guards, and keys whose time is over."""

from __future__ import annotations

import copy
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.end_to_end.processes import free_port

NATIVE_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD_NATIVE_SECRET = "whsec_b2xkLW5hdGl2ZS1zZWNyZXQtMDE="
SCORPIO_SECRET = "sp-test-token-7f3a"
GAMEBALL_KEY = {"api_key": "gb-api-test-1", "secret_key": "gb-sec-test-1"}
API_KEY = "guard-api-key-000000001"
HMAC_SECRET = "gw-test-secret-01"
PATH_TOKEN = "1f" * 32
LONG_AGO = "2025-12-01T00:00:00Z"
SAFE = {"debit": "safe", "credit": "safe", "rollback": "safe"}
PATIENT = {"breaker": {"failures": 100_000}}  # limits of a wallet that is asked however often it fails
STRICT = {"debit": "never", "credit": "never", "rollback": "safe"}


def old(secret: Any) -> dict[str, Any]:
    return {"id": "old", "secret": secret, "until": LONG_AGO}


PROVIDERS: Mapping[str, Mapping[str, Any]] = {
    "ng": {
        "dialect": "netgaming",
        "guard": {"api_key": [{"id": "k1", "secret": API_KEY}, old("old-api-key-0000000001")]},
    },
    "dg": {
        "dialect": "dragon_gaming",
        "guard": {"hmac": [{"id": "k1", "secret": HMAC_SECRET}, old("old-hmac-secret-00001")]},
    },
    "ky": {
        "dialect": "kyren",
        "currency": "EUR",
        "guard": {
            "path_token": [{"id": "p1", "secret": PATH_TOKEN}, old("0a" * 32)],
            "api_key": [{"id": "k1", "secret": API_KEY}, old("old-api-key-0000000001")],
        },
    },
    "sp": {"dialect": "scorpio_play", "keys": [{"id": "k1", "secret": SCORPIO_SECRET}, old("sp-old-token-0001")]},
    "gb": {
        "dialect": "gameball",
        "currency": "EUR",
        "keys": [
            {"id": "k1", **GAMEBALL_KEY},
            {"id": "old", "api_key": "gb-api-old-1", "secret_key": "gb-sec-old-1", "until": LONG_AGO},
        ],
    },
    "na": {"dialect": "native", "keys": [{"id": "k1", "secret": NATIVE_SECRET}, old(OLD_NATIVE_SECRET)]},
}


def native_wallet(url: str, **more: Any) -> dict[str, Any]:
    keys = [{"id": "w1", "secret": NATIVE_SECRET}]
    return {"dialect": "native", "url": url, "keys": keys, "repeats": SAFE, **more}


def configuration(wallets: Mapping[str, Any], **sections: Any) -> dict[str, Any]:
    """All providers in front of `wallets`, the first of which takes every call; `sections` replace whole ones."""
    config: dict[str, Any] = {
        "version": 1,
        "server": {"listen": f"127.0.0.1:{free_port()}", "demo": True},
        "admin": {"listen": f"127.0.0.1:{free_port()}"},
        "journal": {"url": "sqlite:///journal.db"},
        "providers": PROVIDERS,
        "wallets": wallets,
        "routes": [{"wallet": next(iter(wallets))}],
    }
    return copy.deepcopy(config | sections)


def write(folder: Path, config: Mapping[str, Any]) -> Path:
    yaml = YAML()
    yaml.representer.ignore_aliases = lambda data: True
    text = io.StringIO()
    yaml.dump(config, text)
    path = folder / "gateway.yaml"
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe").load(path)
    return found
