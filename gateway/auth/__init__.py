"""Signatures from parts: what is covered, how it is digested, where it is carried.

A dialect declares its `Auth`; the house verifies and signs. Secrets are compared in one place,
`gateway.auth.compare`, in constant time.
"""

from gateway.auth.compare import same
from gateway.auth.covers import js_number, sorted_form, sorted_pairs, sorted_values
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
from gateway.auth.stamped import Stamp, Stamped

__all__ = [
    "Auth",
    "InBody",
    "InHeader",
    "Key",
    "Part",
    "Signed",
    "Stamp",
    "Stamped",
    "StaticHeaders",
    "Unsigned",
    "When",
    "base64_text",
    "digest_of",
    "hex_text",
    "hmac_of",
    "js_number",
    "live",
    "loosely",
    "raw_body",
    "same",
    "sorted_form",
    "sorted_pairs",
    "sorted_values",
]
