"""Hides secrets and sessions in what people are shown: requests, answers, logs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from gateway.dialect import Dialect
from gateway.http import Request

HIDDEN = "•••"
_USUAL = frozenset(
    {"authorization", "x-api-key", "x-gw-signature", "webhook-signature", "token", "session", "sessionid", "session_id"}
    | {"secret", "secretkey", "apikey", "api_key", "hash", "password", "sign", "signature", "launch_token", "key"}
    | {"gamesessionid", "originalsessionid", "supplier_user_token", "otp"}
)


class Mask:
    """What one dialect's messages hide. `values`: texts that are hidden wherever they stand."""

    def __init__(self, dialect: Dialect, values: Iterable[str] = ()) -> None:
        self._names = _USUAL | {name.lower() for name in dialect.hides}
        self._values = sorted({value for value in values if len(value) >= 6}, key=len, reverse=True)
        names = "|".join(sorted(map(re.escape, self._names)))
        self._json = re.compile(rf'("(?:{names})"\s*:\s*)("(?:[^"\\]|\\.)*"|[^\s,}}\]]+)', re.IGNORECASE)
        self._form = re.compile(rf"((?:^|[&?])(?:{names})=)[^&\s]+", re.IGNORECASE)
        self._xml = re.compile(rf"(<({names})>)[^<]*(</)", re.IGNORECASE)

    def hides(self, name: str) -> bool:
        """Whether what stands under this name is hidden."""
        return name.lower() in self._names

    def text(self, text: str) -> str:
        """A body or a target without what is secret."""
        text = self._json.sub(rf'\1"{HIDDEN}"', text)
        text = self._xml.sub(rf"\1{HIDDEN}\3", self._form.sub(rf"\1{HIDDEN}", text))
        for value in self._values:
            text = text.replace(value, HIDDEN)
        return text

    def body(self, body: bytes) -> str:
        return self.text(body.decode(errors="backslashreplace"))

    def target(self, request: Request) -> str:
        return self.text(request.target or request.url)

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        hidden = ("signature", "secret", "token", "sign")
        return {
            name: HIDDEN if name in self._names or name.endswith(hidden) else self.text(value)
            for name, value in headers.items()
        }
