"""The demo's script: what is played, in order, so that each translation shows one hard thing."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from gateway.dialect import Call
from gateway.http import Request
from gateway.model import (
    Act,
    Authenticate,
    CloseRound,
    Credit,
    Debit,
    Declined,
    Game,
    Reason,
    Refused,
    Rollback,
    Round,
    Settle,
    Transaction,
)
from gateway.play.caller import Caller, Heard
from gateway.play.faults import Fault
from gateway.play.ledger import Ledger
from gateway.play.player import Player, totals_for
from gateway.play.purse import SESSION_PREFIX
from gateway.play.show import Screen, translation
from gateway.play.stage import LINKS, Link, Stage, link_of

GAME = Game(id="42", name="Polar Fox", type="slots", studio="Nordlicht")
ROUNDS_UNSEEN = 4
LOST = Fault(kind="drop-after", rate=1.0)


class Part(Struct, frozen=True, kw_only=True):
    """One provider on stage with one player."""

    link: Link
    caller: Caller
    player: str
    round_id: str = "880011"

    def tx(self, act: Act, tx_id: str = "", *, closed: bool | None = None) -> Transaction:
        return Transaction(
            act=act,
            id=tx_id,
            player=self.player,
            session=SESSION_PREFIX + self.player,
            currency=self.link.currency,
            round=Round(self.round_id, closed),
            game=GAME,
            occurred_at=self.caller.clock(),
            request_id=self.caller.nonce(),
        )

    def bet(self, amount: str, tx_id: str) -> Transaction:
        return self.tx(Debit(amount=Decimal(amount)), tx_id, closed=False)

    def win(self, amount: str, tx_id: str) -> Transaction:
        return self.tx(Credit(amount=Decimal(amount)), tx_id, closed=True)


class Director:
    """Plays the scenes; every attempt of every call is shown and booked."""

    def __init__(self, stage: Stage, screen: Screen, ledger: Ledger) -> None:
        self.stage, self.screen, self.ledger = stage, screen, ledger
        self._seen = dict.fromkeys(stage.asked, 0)
        self.calls = 0

    def part(self, name: str, player: str = "") -> Part:
        link = link_of(name)

        def heard(one: Heard) -> None:
            self._show(link, one)

        caller = replace(self.stage.callers[name], heard=heard)
        return Part(link=link, caller=caller, player=player or next(iter(link.players)))

    def title(self, part: Part, text: str) -> None:
        wallet = self.stage.wallets[part.link.wallet].teller.dialect
        self.screen.title(f"{part.caller.dialect.name} → {wallet.name}: {text}")

    def _show(self, link: Link, heard: Heard) -> None:
        self.calls += 1
        asked = []
        for name, exchanges in self.stage.asked.items():
            mask = self.stage.masks[self.stage.wallets[name].teller.dialect.name]
            asked += [(name, mask, exchange) for exchange in exchanges[self._seen[name] :]]
            self._seen[name] = len(exchanges)
        forged = isinstance(heard.outcome, Declined) and heard.outcome.reason is Reason.BAD_SIGNATURE
        meaning = None if forged else _meaning(self.stage.callers[link.name], heard.request)
        translation(self.screen, heard, meaning, asked, self.stage.masks[link.dialect])
        self.screen.line()
        self.ledger.hear(link.name, heard.tx, heard.outcome)

    def forget_seen(self) -> None:
        """What was asked unseen is not shown later."""
        self._seen = {name: len(exchanges) for name, exchanges in self.stage.asked.items()}


def _meaning(caller: Caller, request: Request) -> Transaction | None:
    """What the gateway's own dialect makes of the request; None where it is none."""
    dialect = caller.dialect
    call = Call(
        settings=caller.settings, now=caller.clock(), nonce=caller.nonce(), request=request, currency=caller.currency
    )
    try:
        return dialect.decode_request(request, replace(call, name=dialect.route(request, caller.settings)))
    except Refused:
        return None


def _forged(header: str) -> Callable[[Request], Request]:
    """Another signature than the one that was made: its first sign is exchanged."""

    def alter(request: Request) -> Request:
        proof = request.header(header)
        return request.put((header, ("B" if proof[0] != "B" else "C") + proof[1:]))

    return alter


# ---------------------------------------------------------------- the scenes


async def play_all(director: Director) -> None:
    for scene in (_launch, _cents, _guarded, _round, _empty, _early_cancel, _points, _settle, _unseen):
        await scene(director)


async def _launch(director: Director) -> None:
    part = director.part("nordlicht")
    director.title(part, "the player arrives (the wallet has no such call: the launch handed over says who it is)")
    await part.caller.say(part.tx(Authenticate()))


async def _cents(director: Director) -> None:
    part = director.part("nordlicht")
    director.title(part, "a bet and a win, in cents here and in major units there")
    bet = part.bet("2.50", "ngt-700")
    await part.caller.say(bet)
    await part.caller.say(part.win("10.00", "ngt-701"))
    director.title(part, "the same bet again: the first decision stands, nobody moves money twice")
    await part.caller.say(bet, again=True)


async def _guarded(director: Director) -> None:
    part = director.part("jade")
    director.title(part, "a bet; then a win with a forged signature, which nobody believes")
    await part.caller.say(part.bet("1.20", "dgt-4001"))
    await part.caller.say(part.win("9999.00", "dgt-4009"), _forged("x-gw-signature"))
    director.title(part, "a win whose answer is lost on its way: asked again, paid once")
    director.stage.wallets[part.link.wallet].next_faults.append(LOST)
    await part.caller.insist(part.win("3.60", "dgt-4002"))


async def _round(director: Director) -> None:
    part = replace(director.part("baccarat"), round_id="6200100300")
    director.title(part, "two bets, then a refund of their round that names neither bet, amount nor session")
    await part.caller.say(part.bet("12.50", "ky-ref-501"))
    await part.caller.say(part.bet("5.00", "ky-ref-502"))
    act = Rollback(reference="ky-round-refund-1", scope="round")
    await part.caller.insist(part.tx(act, "refund:ky-round-refund-1"))
    director.title(part, "the round ends (the wallet has no such call: answered by a balance)")
    await part.caller.say(part.tx(CloseRound(), closed=True))


async def _empty(director: Director) -> None:
    part = director.part("baccarat", "dora")
    director.title(part, "an empty purse")
    await part.caller.say(part.bet("20.00", "ky-ref-600"))


async def _early_cancel(director: Director) -> None:
    part = replace(director.part("aurora"), round_id="77000123456789012")
    director.title(part, "a cancel that comes before its bet, and the late bet, which must not be taken any more")
    late = part.bet("2.500", "SPX-90001")
    await part.caller.say(part.caller.undo(late, "SPX-90003"))
    await part.caller.say(late)
    director.title(part, "a forged bet, then the true one, in a currency of thousandths")
    await part.caller.say(part.bet("1.250", "SPX-90004"), _forged("x-request-signature"))
    await part.caller.say(part.bet("1.250", "SPX-90004"))
    await part.caller.say(part.win("4.000", "SPX-90005"))


async def _points(director: Director) -> None:
    part = director.part("points")
    director.title(part, "points are redeemed, part of them comes back, and the redemption is sent twice")
    redeem = part.bet("10.00", "rdm-1001")
    await part.caller.say(redeem)
    undo = part.caller.undo(redeem, "rfd-1001")
    assert isinstance(undo.act, Rollback)
    await part.caller.say(replace(undo, act=replace(undo.act, amount=Decimal("4.00"))))
    await part.caller.say(redeem, again=True)


async def _settle(director: Director) -> None:
    part = director.part("ours")
    director.title(part, "a bet and its win in one movement, for a wallet that knows only single ones")
    await part.caller.say(part.tx(Settle(debit=Decimal(500), credit=Decimal(1200)), "set-1", closed=True))


async def _unseen(director: Director) -> None:
    """Some rounds of each provider by seeded chance, booked but not shown."""
    director.screen.title(f"and {ROUNDS_UNSEEN} rounds of every provider, played by chance and not shown")
    for number, link in enumerate(LINKS):
        player = next(iter(link.players))
        totals = totals_for(player, link.currency)
        playing = Player(director.stage.callers[link.name], totals, 1, number)
        for _ in range(ROUNDS_UNSEEN):
            await playing.play()
        director.calls += sum(totals.calls.values())
        director.ledger.add(player, totals.bets, totals.wins, totals.refunds)
        calls = ", ".join(f"{count} {word}" for word, count in sorted(totals.calls.items()))
        director.screen.say(link.dialect, f"{calls}" + (f"; in doubt: {totals.in_doubt}" if totals.in_doubt else ""))
    director.forget_seen()
