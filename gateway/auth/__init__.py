"""Signatures from parts: what is covered, how it is digested, where it is carried.

A dialect declares its `Auth`; the house verifies and signs. Secrets are compared in one place,
`gateway.auth.compare`, in constant time.
"""

from gateway.auth.compare import same
from gateway.auth.covers import compacted, js_number, sorted_pairs, sorted_values
from gateway.auth.keys import Key, live
from gateway.auth.scheme import (
    Auth,
    InBody,
    InHeader,
    Part,
    Signed,
    StaticHeaders,
    Unsigned,
    When,
    base64_text,
    digest_of,
    hex_text,
    hmac_of,
    loosely,
    raw_body,
)
from gateway.auth.stamped import Stamped

__all__ = [
    "Auth",
    "InBody",
    "InHeader",
    "Key",
    "Part",
    "Signed",
    "Stamped",
    "StaticHeaders",
    "Unsigned",
    "When",
    "base64_text",
    "compacted",
    "digest_of",
    "hex_text",
    "hmac_of",
    "js_number",
    "live",
    "loosely",
    "raw_body",
    "same",
    "sorted_pairs",
    "sorted_values",
]
