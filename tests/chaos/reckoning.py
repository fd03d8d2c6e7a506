"""When all is quiet: what providers were told, what the journal says and what the wallet did must be one story."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from msgspec import Struct

from tests.chaos.players import Movement
from tests.chaos.stage import WALLET_WITHIN, Stage

AGAIN_SECONDS = 2.0  # stamps are whole seconds, and one asking may have been under way
Place = tuple[str, str, str]


class Row(Struct, frozen=True, kw_only=True):
    """A movement in the journal."""

    key: str
    provider: str
    kind: str
    id: str
    reference: str
    state: str
    told: str
    undone_by: str
    note: str
    decided_at: int | None  # Unix microseconds


def journal_rows(stage: Stage) -> list[Row]:
    names = Row.__struct_fields__
    found = stage.postgres.execute(f"SELECT {', '.join(names)} FROM movements")
    return [Row(**dict(zip(names, row, strict=True))) for row in found]


class Reckoning:
    def __init__(
        self, stage: Stage, movements: list[Movement], rows: list[Row], book: list[dict[str, Any]], log: list[dict[str, Any]]
    ) -> None:  # fmt: skip
        self.stage, self.movements, self.rows, self.book, self.log = stage, movements, rows, book, log
        self.figures: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._moved: dict[Place, Decimal] = {}
        self._undone: Counter[tuple[str, str]] = Counter()
        self._asked: dict[Place, list[dict[str, Any]]] = {}

    def reckon(self, purses: list[dict[str, Any]]) -> None:
        self._read_book()
        self._read_log()
        for movement in self.movements:
            if movement.kind == "debit":
                self._bet(movement)
            else:
                self._win(movement)
        self._journal()
        self._twins()
        self._purses(purses)

    def _fail(self, movement: Movement, what: str) -> None:
        asked = "; ".join(
            f"{heard.node.name if heard.node else 'nobody'} {heard.since % 1000:.2f}-{heard.until % 1000:.2f} {heard.word}"
            for heard in movement.asked
        )
        self.wrong.append(f"{movement.name} {movement.kind} {movement.id} of {movement.cents}: {what} [{asked}]")

    # -- the wallet

    def _read_book(self) -> None:
        applied = Counter((row["provider"], row["kind"], row["id"]) for row in self.book)
        for place, times in applied.items():
            if times > 1:
                self.wrong.append(f"{'/'.join(place)} was applied {times} times")
        known = {(m.name, m.id) for m in self.movements}
        for row in self.book:
            place, delta = (row["provider"], row["kind"], row["id"]), Decimal(row["delta"]) * 100
            self._moved[place] = self._moved.get(place, Decimal(0)) + delta
            if row["kind"] == "rollback":
                self._undone[row["provider"], row["reference"]] += delta  # type: ignore[assignment]  # exact cents
            name = row["reference"] if row["kind"] == "rollback" else row["id"]
            if (row["provider"], name) not in known:
                self.wrong.append(f"{'/'.join(place)}: no provider ever asked for it")

    def _read_log(self) -> None:
        for line in self.log:
            provider = line["headers"].get("webhook-id", "").partition("/")[0]
            self._asked.setdefault((provider, line["kind"], line["transaction_id"]), []).append(line)

    # -- what providers believe

    def _bet(self, bet: Movement) -> None:
        taken = self._moved.get((bet.name, "debit", bet.id), Decimal(0))
        net = taken + self._undone[bet.name, bet.id]
        state = "cancelled" if bet.cancelled else bet.state
        self.figures[f"bets {state}"] += 1
        if net not in (0, -bet.cents):
            self._fail(bet, f"the wallet's net is {net}")
        elif state == "accepted" and net != -bet.cents:
            self._fail(bet, f"accepted, and the wallet's net is {net}")
        elif state in ("refused", "cancelled") and net:
            self._fail(bet, f"{state}, and the wallet's net is {net}")
        elif state == "nothing" and net and bet.read:
            self._fail(bet, "its cancel was read and never carried out")
        elif state == "nothing" and net and bet.silent:
            self._silent(bet)
        if bet.poor and taken:
            self._fail(bet, "refused for lack of money, and the wallet took it")
        self._no_grave_robbing(bet)

    def _silent(self, bet: Movement) -> None:
        """It heard doubt, went silent, and the stake is still taken: wrong, if the node that told it lived on."""
        last = bet.asked[-1]
        assert last.node is not None
        if last.node.down.meet(last.since, last.until + self.stage.options.silent):
            self.figures["bets whose doubt died with its node"] += 1  # rule 26: it counts as heard
        else:
            self._fail(bet, "its provider heard doubt and went silent, the stake is still taken")

    def _win(self, win: Movement) -> None:
        paid = self._moved.get((win.name, "credit", win.id))
        self.figures[f"wins {win.state}"] += 1
        if win.state == "accepted" and paid != win.cents:
            self._fail(win, f"accepted, and the wallet paid {paid}")
        elif paid not in (None, win.cents):
            self._fail(win, f"the wallet paid {paid}")
        elif paid is None and win.read:
            self._fail(win, "read and never paid")
        self._no_grave_robbing(win)

    def _no_grave_robbing(self, movement: Movement) -> None:
        """What was decided is never asked again."""
        for line in self._asked.get((movement.name, movement.kind, movement.id), []):
            stamp = float(line["headers"].get("webhook-timestamp", "0"))
            if movement.state == "accepted" and stamp > movement.accepted_at + AGAIN_SECONDS:
                self._fail(
                    movement, f"accepted at {movement.accepted_at % 1000:.2f}, asked again at {stamp % 1000:.0f}"
                )

    # -- the journal

    def _journal(self) -> None:
        """Every decision that was heard is in it, and nothing is open."""
        found: Mapping[Place, Row] = {(row.provider, row.kind, row.id): row for row in self.rows}
        undone = {(row.provider, row.reference) for row in self.rows if row.kind == "rollback" and _decided(row)}
        for row in self.rows:
            if not _decided(row):
                self.wrong.append(f"{row.key} is {row.state} after all was quiet: {row.note}")
        for movement in self.movements:
            kept = found.get((movement.name, movement.kind, movement.id))
            state = kept.state if kept is not None else "not there"
            if movement.cancelled and (movement.name, movement.id) not in undone:
                self._fail(movement, "cancelled, and the journal knows of no cancel")
            if movement.state == "accepted" and state != "accepted":
                self._fail(movement, f"accepted, and in the journal it is {state}")
            elif movement.state == "accepted" and kept is not None and _later(kept, movement.accepted_at):
                self._fail(movement, "accepted before that was durable: the decision in the journal is younger")
            refused = kept is not None and (state == "declined" or kept.undone_by)
            if movement.state == "refused" and not refused and (movement.name, movement.id) not in undone:
                self._fail(movement, f"refused, and in the journal it is {state}")

    def _twins(self) -> None:
        """One wallet call for one id, where nothing was broken."""
        for bet in self.movements:
            lines = self._asked.get((bet.name, "debit", bet.id), [])
            slow = any(heard.until - heard.since > WALLET_WITHIN for heard in bet.asked)
            if not bet.twins or slow or any(line["fault"] not in ("", "forget") for line in lines):
                continue
            self.figures["twins that made one wallet call"] += 1
            if len(lines) != 1:
                self._fail(bet, f"came to two nodes at once, and the wallet was asked {len(lines)} times")

    # -- the purses

    def _purses(self, purses: list[dict[str, Any]]) -> None:
        unsure = {m.player for m in self.movements if m.state == "nothing" and not m.cancelled}
        ledger: Counter[str] = Counter()
        for m in self.movements:
            if m.state == "accepted" and not m.cancelled:
                ledger[m.player] += m.cents if m.kind == "credit" else -m.cents
        book: Counter[str] = Counter()
        for row in self.book:
            book[row["player"]] += int(Decimal(row["delta"]) * 100)
        for row in purses:
            player = row["player"]
            moved = int((Decimal(row["balance"]) - Decimal(row["opening"])) * 100)
            if moved != book[player]:
                self.wrong.append(f"purse {player} moved by {moved}, its book says {book[player]}")
            if player not in unsure:
                self.figures["players whose providers know everything"] += 1
                if moved != ledger[player]:
                    self.wrong.append(f"purse {player} moved by {moved}, its provider's ledger says {ledger[player]}")


def _later(row: Row, heard_at: float) -> bool:
    return row.decided_at is not None and row.decided_at / 1_000_000 > heard_at


def _decided(row: Row) -> bool:
    return row.state in ("accepted", "declined")
