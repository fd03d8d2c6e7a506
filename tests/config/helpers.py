"""A good configuration in pieces, and how the mistakes of a bad one are read."""

from __future__ import annotations

from pathlib import Path

from gateway.serve.config import ConfigErrors, Loaded, load

ENVIRON = {"SECRET": "s-1", "OTHER": "s-2", "WALLET": "whsec_bmF0aXZlIHRlc3Qga2V5", "EMPTY": ""}
HEAD = """\
version: 1
server: {listen: "127.0.0.1:8080"}
admin: {listen: "127.0.0.1:9090"}
journal: {url: "sqlite:///var/journal.db"}
"""
PROVIDERS = """\
providers:
  acme: {dialect: scorpio_play, keys: [{id: k1, secret: {env: SECRET}}]}
"""
WALLETS = """\
wallets:
  main:
    dialect: native
    url: https://wallet.example/api
    keys: [{id: w1, secret: {env: WALLET}}]
    repeats: safe
"""
ROUTES = "routes: [{wallet: main}]\n"
GOOD = HEAD + PROVIDERS + WALLETS + ROUTES


def written(folder: Path, text: str) -> Path:
    path = folder / "gateway.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def good(folder: Path, text: str = GOOD) -> Loaded:
    return load(written(folder, text), ENVIRON)


def mistakes(folder: Path, text: str) -> list[str]:
    """Every mistake, as it is printed, without the folder."""
    try:
        load(written(folder, text), ENVIRON)
    except ConfigErrors as errors:
        return [str(problem).removeprefix(f"{folder}/") for problem in errors.problems]
    return []


def with_provider(text: str) -> str:
    """The good configuration with another provider, `other`, whose body is this flow map."""
    return HEAD + PROVIDERS + f"  other: {text}\n" + WALLETS + ROUTES


def with_wallet(text: str, provider: str = "acme") -> str:
    """The good configuration with another wallet, `other`, that one provider is routed to."""
    routes = f"routes:\n  - {{wallet: other, when: {{provider: {provider}}}}}\n  - wallet: main\n"
    return HEAD + PROVIDERS + WALLETS + f"  other: {text}\n" + routes
