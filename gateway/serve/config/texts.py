"""Texts of the configuration that mean more than themselves: addresses, networks, URLs, templates."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from msgspec import Struct

from gateway.currency import CODE
from gateway.serve.config.shapes import Text, matching

POSTGRES = "write postgresql://user@host/db; the password stands in journal.password"


class Listen(Struct, frozen=True):
    """Where a listener is bound. Port 0 = any free one."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class JournalUrl(Struct, frozen=True):
    """`sqlite:///relative`, `sqlite:////absolute`, `sqlite:///:memory:`; `path` is as written.
    `postgresql://user@host/db`: there is no path."""

    url: str
    path: str


def _listen(text: str) -> Listen:
    instead = "write HOST:PORT: 0.0.0.0:8080, 127.0.0.1:9090, [::1]:9090"
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})", text)
    if not found or int(found[3]) > 65535:
        raise ValueError(instead)
    host = found[1] or found[2]
    if found[1] or re.fullmatch(r"[\d.]+", host):
        try:
            ip_address(host)
        except ValueError:
            raise ValueError(instead) from None
    return Listen(host, int(found[3]))


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError:
        try:
            return_instead = str(ip_network(text, strict=False))
        except ValueError:
            return_instead = "203.0.113.0/24, 2001:db8::/32 or one address"
        raise ValueError(f"write {return_instead}") from None


def _url(text: str) -> str:
    """An http(s) URL without a trailing slash; nothing secret, nothing behind the path."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("write https://wallet.example/api") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or re.search(r"[\s\x00-\x1f]", text):
        raise ValueError("write https://wallet.example/api")
    if parts.username is not None or parts.password is not None:
        raise ValueError("leave user and password out; keys and send carry what is secret")
    if "?" in text or "#" in text:
        raise ValueError("leave out what follows ? or #; the dialect's own paths are appended")
    return text.rstrip("/")


def _proxy(text: str) -> str:
    found = _url(text)
    if urlsplit(found).path:
        raise ValueError("write http://proxy:3128")
    return found


def _journal(text: str) -> JournalUrl:
    if text.startswith(("postgresql:", "postgres:")):
        return JournalUrl(_postgres(text), "")
    if text in ("sqlite:///:memory:", "sqlite://:memory:", ":memory:"):
        return JournalUrl(text, ":memory:")
    path = text.removeprefix("sqlite:///")
    if path == text or not path.strip("/") or path.endswith("/") or re.search(r"[?#\x00]", path):
        raise ValueError(
            "write sqlite:///var/journal.db (relative), sqlite:////var/lib/gateway/journal.db (absolute)"
            " or postgresql://user@host/db"
        )
    return JournalUrl(text, path)


def _postgres(text: str) -> str:
    """As libpq reads it: several hosts and parameters such as `?sslmode=verify-full` are fine."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict  # 0.1 s that only those pay who have it

    try:
        parts = conninfo_to_dict(text)
    except ProgrammingError:
        raise ValueError(POSTGRES) from None
    if not text.startswith("postgresql://") or "password" in parts or not parts.get("dbname"):
        raise ValueError(POSTGRES)
    return text


def _player_template(text: str) -> str:
    if text.count("{player}") != 1 or re.search(r"[{}]", text.replace("{player}", "")):
        raise ValueError('write {player} exactly once, so that the inverse exists: "acme-{player}"')
    return text


def _session_template(text: str) -> str:
    if not text.strip() or re.search(r"[{}]", text.replace("{player}", "")):
        raise ValueError('the only name in braces is {player}: "{player}"')
    return text


def _regex(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"it does not compile: {error}") from None


def _subject(text: str) -> str:
    if not re.fullmatch(r"CN=\S(.*\S)?", text):
        raise ValueError('write the subject of the certificate: "CN=acme"')
    return text


LISTEN = Text(_listen, "an address to listen on")
NETWORK = Text(_network, "a network")
URL = Text(_url, "a URL", r"^https?://", quiet=True)
PROXY = Text(_proxy, "the URL of a proxy", r"^https?://", quiet=True)
JOURNAL = Text(_journal, "a journal", r"^(sqlite://|postgresql://|:memory:$)", quiet=True)
PLAYER_TEMPLATE = Text(_player_template, "a template with an inverse")
SESSION_TEMPLATE = Text(_session_template, "a template")
REGEX = Text(_regex, "a regular expression")
SUBJECT = Text(_subject, "a certificate's subject", "^CN=")
NAME = matching(r"[a-z0-9][a-z0-9_-]{0,63}", "a name", "write a-z, 0-9, _ and -, at most 64 of them")
# No colon and no slash: both stand between the parts of keys and aliases.
IDENTITY = matching(
    r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "an id", "write letters, digits, point, _ and -, at most 64 of them"
)
KEY_ID = matching(
    r"[A-Za-z0-9][A-Za-z0-9._:@+-]{0,63}", "a key's id", "write letters, digits and . _ : @ + -, at most 64"
)
CURRENCY = matching(CODE.pattern, "a currency code", "write 2 to 16 letters, digits, _, - or .: EUR, BTC, mBTC")
WORD = matching(r"[^\s\x00-\x1f](?:[^\x00-\x1f]{0,126}[^\s\x00-\x1f])?", "a short text", "write 1 to 128 characters")
HEADER_NAME = matching(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}", "a header's name", "write it as X-Brand")
