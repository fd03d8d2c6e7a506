"""What a body may hold before anybody has proved who sent it."""

from __future__ import annotations

import msgspec

IN_TEXTS = 2048  # commas within the texts of one call: its longest text is an id, a name, a detail


def too_many_values(body: bytes, most: int) -> bool:
    """Whether a JSON body, or a form, holds more than so many values, told without reading them one by one.

    A forger's 64 KiB of small numbers would else cost what ten accepted bets cost. Commas within texts are no values: where
    there are many commas, they are looked for, and a body that cannot be read then has nothing that anybody needs.
    """
    begins = body.lstrip()[:1]
    if most and begins not in (b"{", b"[", b"<"):  # XML has a bound of its own (gateway/xml.py)
        return body.count(b"&") >= most
    commas = body.count(b",") if most else 0
    if commas < most or not commas or begins == b"<":
        return False
    if commas > most + IN_TEXTS:
        return True
    try:
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return True
    if len(fields) > most:
        return True
    values = [bytes(raw) for raw in fields.values()]
    return commas - sum(value.count(b",") for value in values if value.startswith(b'"')) >= most
