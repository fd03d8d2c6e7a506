"""One configuration with everything in it, and every key of it where it belongs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.oid import NameOID

from gateway.model import Kind
from gateway.serve.config import load
from tests.config.helpers import ENVIRON, written

TEXT = """\
version: 1
server:
  listen: 0.0.0.0:8080
  max_body: 64KiB
  trusted_proxies: []
  demo: false
  tls: {cert: {file: c.pem}, key: {file: k.pem}, client_ca: {file: ca.pem}}
admin:
  listen: 127.0.0.1:9090
  keys: [{id: ops, secret: {env: ADMIN_KEY}}]
journal: {url: "sqlite:///var/journal.db", password: {env: PG_PASSWORD}}
retention: {decided: 35d, sessions: 7d}
currencies: {BTC: 8}
providers:
  acme-kyren:
    id: acme-kyren
    dialect: kyren
    guard:
      networks: [203.0.113.0/24]
      api_key: [{id: a, secret: {env: ACME_KEY}}]
      path_token: [{id: p, secret: {env: ACME_PATH}}]
      hmac: [{id: h, secret: {env: ACME_HMAC}}]
      client_cert: ["CN=acme"]
    keys:
      - {id: "2026-11", secret: {env: KYREN_SECRET}}
      - {id: "2026-05", secret: {env: KYREN_OLD}, until: 2026-12-01T00:00:00Z}
    currency: EUR
    answer_within: {default: 4s, debit: 3s}
    after_doubt: {silent: 10m}
    brand: acme
    allow_weak: true
    settings: {family_md5: true}
wallets:
  main:
    dialect: native
    url: https://wallet.example/api
    moved_from: https://old.example/api
    keys: [{id: w1, secret: {env: WALLET}}]
    send: {headers: {X-Brand: acme}, api_key: {env: W_KEY}, hmac: {env: W_HMAC}, ca: {file: ca.pem}, \
client_cert: {file: c.pem}, client_key: {file: k.pem}, proxy: "http://proxy:3128"}
    answer_within: 2500ms
    give_up_after: 30s
    in_flight_max: 2m
    repeats: {debit: safe, credit: safe, rollback: safe}
    remembers: 48h
    tombstones: true
    ids: as_is
    currency: EUR
    settings: {}
routes:
  - when: {provider: [acme-kyren], brand: acme, currency: [EUR, USD], player: "^vip-", game: "^live_"}
    wallet: main
    players: {to_wallet: "acme-{player}"}
    games: {file: games.csv}
    sessions: {to_wallet: "{player}"}
"""
SECRETS = (
    "ADMIN_KEY",
    "PG_PASSWORD",
    "ACME_KEY",
    "ACME_PATH",
    "ACME_HMAC",
    "KYREN_SECRET",
    "KYREN_OLD",
    "W_KEY",
    "W_HMAC",
)


def write_pem(folder: Path) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "acme")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=3650))
        .sign(key, None)
        .public_bytes(serialization.Encoding.PEM)
    )
    for file in ("c.pem", "ca.pem"):
        (folder / file).write_bytes(certificate)
    (folder / "k.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def test_every_key_of_the_contract(tmp_path: Path) -> None:
    write_pem(tmp_path)
    (tmp_path / "games.csv").write_text("live_1,g-1\n")
    loaded = load(written(tmp_path, TEXT), dict.fromkeys(SECRETS, "a-secret") | ENVIRON)
    provider, wallet = loaded.setup.providers["acme-kyren"], loaded.setup.wallets["main"]
    assert loaded.server.tls is not None
    assert loaded.server.tls.client_ca == tmp_path / "ca.pem"
    assert [key.id for key in loaded.admin.keys] == ["ops"]
    assert provider.guard.client_cert == ("CN=acme",)
    assert [key.id for key in provider.keys] == ["2026-11", "2026-05"]
    assert provider.limit(Kind.DEBIT) == timedelta(seconds=3)
    assert provider.after_doubt == timedelta(minutes=10)
    assert wallet.moved_from == "https://old.example/api"
    assert wallet.send.hmac == "a-secret"
    assert wallet.send.client_key.startswith(b"-----BEGIN PRIVATE KEY-----")
    assert loaded.setup.routes[0].games == {"live_1": "g-1"}
    assert not loaded.no_way
    assert "a-secret" not in repr(loaded)
