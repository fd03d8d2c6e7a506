"""Signatures from parts: what is covered, how it is digested, where it is carried.

A dialect declares its `Auth`; the house verifies and signs. Secrets are compared in one place,
`gateway.auth.compare`, in constant time.
"""

from gateway.auth.answers import Edition, InXml, Mutual, leaf, named_leaves, one_leaf
from gateway.auth.compare import same
from gateway.auth.covers import filled_pairs, js_number, sorted_form, sorted_pairs, sorted_values, spaced_body
from gateway.auth.keys import Key, live
from gateway.auth.named import InCall, Named
from gateway.auth.query import InQuery, canonical_query, listed_values, query_values
from gateway.auth.rsa import RsaSigned
from gateway.auth.scheme import (
    Auth,
    InBody,
    InForm,
    InHeader,
    OneOf,
    Part,
    Signed,
    StaticBody,
    StaticHeaders,
    StaticQuery,
    Unsigned,
    When,
    base64_bytes,
    base64_text,
    digest_of,
    hex_text,
    hmac_of,
    loosely,
    raw_body,
    raw_target,
    upper_hex,
)
from gateway.auth.shared import SharedKey
from gateway.auth.stamped import Stamp, Stamped
from gateway.auth.steps import Composed, Cover, Field, Proof, Steps, steps_of, told

__all__ = [
    "Auth",
    "Composed",
    "Cover",
    "Edition",
    "Field",
    "InBody",
    "InCall",
    "InForm",
    "InHeader",
    "InQuery",
    "InXml",
    "Key",
    "Mutual",
    "Named",
    "OneOf",
    "Part",
    "Proof",
    "RsaSigned",
    "SharedKey",
    "Signed",
    "Stamp",
    "Stamped",
    "StaticBody",
    "StaticHeaders",
    "StaticQuery",
    "Steps",
    "Unsigned",
    "When",
    "base64_bytes",
    "base64_text",
    "canonical_query",
    "digest_of",
    "filled_pairs",
    "hex_text",
    "hmac_of",
    "js_number",
    "leaf",
    "listed_values",
    "live",
    "loosely",
    "named_leaves",
    "one_leaf",
    "query_values",
    "raw_body",
    "raw_target",
    "same",
    "sorted_form",
    "sorted_pairs",
    "sorted_values",
    "spaced_body",
    "steps_of",
    "told",
    "upper_hex",
]
