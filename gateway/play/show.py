"""Prints a translation so that people can read it: what came, what it means, what was sent, what was answered."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Sequence

import click

from gateway.codec.plain import transaction_to_plain
from gateway.currency import Currencies
from gateway.http import Response
from gateway.model import Accepted, Batch, Declined, Outcome, Transaction
from gateway.play.caller import Heard
from gateway.play.mask import Mask
from gateway.play.teller import Exchange

LABEL_WIDTH, WIDTH_MAX = 18, 150
_QUIET = ("provider", "session", "launch_token", "request_id", "occurred_at", "extra", "items", "kind", "scope")


class Screen:
    """Where it is printed; colour only on a terminal, and not where NO_COLOR is set."""

    def __init__(self, write: Callable[[str], None] = click.echo, colour: bool | None = None) -> None:
        self._write = write
        self.colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") if colour is None else colour
        self.width = min(shutil.get_terminal_size((110, 24)).columns, WIDTH_MAX)

    def line(self, text: str = "") -> None:
        self._write(text)

    def paint(self, text: str, colour: str, *, bold: bool = False) -> str:
        return click.style(text, fg=colour, bold=bold) if self.colour else text

    def title(self, text: str) -> None:
        self.line(self.paint(text, "cyan", bold=True))

    def say(self, label: str, text: str, colour: str = "") -> None:
        """A labelled paragraph, wrapped below itself."""
        room = max(self.width - LABEL_WIDTH - 2, 40)
        rows = [row for part in text.split("\n") for row in _wrapped(part, room)] or [""]
        for number, row in enumerate(rows):
            head = self.paint(f"{label if number == 0 else '':>{LABEL_WIDTH}}", "bright_black")
            self.line(f"{head}  {self.paint(row, colour) if colour else row}")


def spaced(text: str) -> str:
    """JSON with a space behind every comma and colon, so that it can be wrapped; all else as it is."""
    if not text.startswith("{"):
        return text
    inside, after, parts = False, "", []
    for sign in text:
        parts.append(sign)
        if sign == '"' and after != "\\":
            inside = not inside
        elif sign in ",:" and not inside:
            parts.append(" ")
        after = "" if after == "\\" else sign
    return "".join(parts)


def _wrapped(text: str, room: int) -> list[str]:
    return textwrap.wrap(text, room, break_on_hyphens=False, subsequent_indent="  ") or [""]


def translation(
    screen: Screen, heard: Heard, meaning: Transaction | None, asked: Sequence[tuple[str, Mask, Exchange]], mask: Mask
) -> None:
    """One call from end to end. `asked`: (wallet, its mask, exchange), in order."""
    request = heard.request
    again = f"  (attempt {heard.attempts})" if heard.attempts > 1 else ""
    screen.say(
        "provider says", f"{request.method} {mask.target(request)}{again}\n{spaced(mask.body(request.body))}".rstrip()
    )
    nothing = "nothing: the signature does not verify"
    screen.say("which means", nothing if meaning is None else meaning_of(meaning), "yellow")
    for wallet, its_mask, exchange in asked:
        sent = exchange.request
        body = spaced(its_mask.body(sent.body))
        screen.say(f"{wallet} is asked", f"{sent.method} {its_mask.target(sent)}\n{body}".rstrip())
        screen.say("and answers", _answer(exchange.response, its_mask, exchange.fault))
    if not asked:
        screen.say("wallet", "is not asked", "bright_black")
    if heard.response is not None:
        screen.say("provider hears", _answer(heard.response, mask))
    word, colour = outcome_of(heard.outcome)
    screen.say("that is", word, colour)


def _answer(response: Response, mask: Mask, fault: str = "") -> str:
    lost = f"  ({fault}: this answer never arrives)" if fault == "drop-after" else ""
    return f"{response.status} {spaced(mask.body(response.body))}{lost}".rstrip()


def meaning_of(tx: Transaction) -> str:
    """The canonical transaction on one line."""
    plain = transaction_to_plain(tx, "", Currencies())
    words = [f"{name}={_word(value)}" for name, value in plain.items() if name not in _QUIET and value is not False]
    if plain.get("scope") == "round":
        words.append("scope=round")
    if isinstance(tx.act, Batch):
        words += [f"[{meaning_of(item)}]" for item in tx.act.items]
    return " ".join([tx.kind.value.upper(), *words])


def _word(value: object) -> str:
    return "yes" if value is True else str(value)


def outcome_of(outcome: Outcome) -> tuple[str, str]:
    """An outcome in words, and its colour."""
    if isinstance(outcome, Accepted):
        balance = "" if outcome.balance is None else f", balance {outcome.balance:f} {outcome.currency}".rstrip()
        return "accepted" + (" (decided before)" if outcome.replayed else "") + balance, "green"
    if isinstance(outcome, Declined):
        return f"declined: {outcome.reason.value}", "red"
    return f"doubt: {outcome.detail}", "magenta"
