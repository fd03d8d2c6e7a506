"""The one place where secrets and signatures are compared."""

from __future__ import annotations

import hmac


def same(given: str | bytes, wanted: str | bytes) -> bool:
    """Whether two secrets are equal, in time that does not tell where they differ."""
    return hmac.compare_digest(_bytes(given), _bytes(wanted))


def _bytes(value: str | bytes) -> bytes:
    # A header may hold anything; what cannot be UTF-8 must still be compared, not raise.
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
