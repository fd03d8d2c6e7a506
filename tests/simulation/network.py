"""The network: what becomes of a request on its way to a wallet, and of a provider's call to us."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from gateway.engine.pipeline import Answer
from gateway.engine.setup import Wallet
from gateway.engine.world import Silence
from gateway.http import Request, Response
from gateway.model import Accepted, Kind
from gateway.play.book import Place
from tests.simulation.draw import WALLET_FAULTS
from tests.simulation.node import Line, Node
from tests.simulation.scheduler import Moment
from tests.simulation.setups import at
from tests.simulation.tills import Till

if TYPE_CHECKING:
    from tests.simulation.history import History
    from tests.simulation.players import Story

NETWORK, OUTSIDE = object(), object()
Whole = tuple[Response, Place | None]
"""An answer, and whose yes it is, if it is one and whole."""
HTML = {"content-type": "text/html"}


class Network:
    def __init__(self, history: History) -> None:
        self.history, self.scheduler = history, history.scheduler
        self.chance = history.chance

    # -- to a wallet

    async def to_wallet(self, node: Node, wallet: Wallet, request: Request, seconds: float) -> Response:
        """The port of the world. What left goes on when the process that sent it dies."""
        till = self.history.tills[at(wallet.url)]
        fault = self._scripted(till, request) or self._fault()
        if fault == "unreachable":
            await self.scheduler.sleep(self.chance.uniform(0.0, 0.2))
            raise Silence("unreachable", "no connection", left=False)
        way = self.scheduler.spawn(self._way(till, request, fault), NETWORK)
        await self.scheduler.wait([way], seconds)
        if not way.done():
            raise Silence("timeout", f"no answer in {seconds:g} s", left=True)
        found = way.result()
        if found is None:
            raise Silence("broken", "connection reset", left=True)
        response, yes = found
        if yes is not None:
            node.hears(till.plan.name, yes)
        return response  # type: ignore[no-any-return]  # the task is untyped inside

    def _scripted(self, till: Till, request: Request) -> str:
        """The fault that a test wrote for the next request of this kind."""
        script = self.history.script
        if not any(script.values()):
            return ""
        kind = till.kind_of(request)
        left = script.get(kind, ())
        script[kind] = left[1:]
        return left[0] if left else ""

    def _fault(self) -> str:
        for name in WALLET_FAULTS:
            if self.history.hit(name):
                return name
        return ""

    async def _way(self, till: Till, request: Request, fault: str) -> Whole | None:
        """One request to its end; None: the connection broke."""
        sent, chance, plan = self.scheduler.now, self.chance, till.plan
        if plan.lie == "repeated" and self.history.lying(0.5):
            self.scheduler.spawn(self._again(till, request, sent), NETWORK)
        if plan.lie == "too_late" and self.history.lying(0.35):
            self.scheduler.spawn(self._too_late(till, request, sent), NETWORK)
            return None
        await self.scheduler.sleep(chance.uniform(0.005, 0.1))
        if fault == "lost_before":
            return None
        if fault == "hang":
            await self.scheduler.sleep(plan.give_up_after + 1)
            return None
        if fault == "error_before":
            return Response(status=500, headers=HTML, body=b"<h1>500</h1>"), None
        if fault == "queued":
            wait = chance.uniform(1.0, plan.queued_max)
            if chance.random() < 0.5:  # a proxy let go of us and kept the request
                self.scheduler.spawn(self._later(till, request, sent, wait), NETWORK)
                return None
            await self.scheduler.sleep(wait)
        response, yes = self._arrive(till, request, sent)
        if fault == "too_late_to_hear":  # written by a test: its provider has hung up by then
            await self.scheduler.sleep(plan.give_up_after * 0.8)
        if fault == "late":
            await self.scheduler.sleep(chance.uniform(0.3, plan.give_up_after * 1.1))
        if fault == "lost_after":
            return None
        if fault == "cut":
            return replace(response, body=response.body[: chance.randrange(max(1, len(response.body)))]), None
        if fault == "error_after":
            return Response(status=500, headers=HTML, body=b"<h1>500</h1>"), None
        if fault == "garbage":
            return replace(response, body=b"<html>maintenance</html>"), None
        return response, yes

    async def _later(self, till: Till, request: Request, sent: float, wait: float) -> None:
        await self.scheduler.sleep(wait)
        self._arrive(till, request, sent)

    async def _too_late(self, till: Till, request: Request, sent: float) -> None:
        await self.scheduler.sleep(till.plan.in_flight_max * self.chance.uniform(1.1, 2.5))
        self._arrive(till, request, sent, "too_late")

    async def _again(self, till: Till, request: Request, sent: float) -> None:
        await self.scheduler.sleep(self.chance.uniform(0.05, till.plan.queued_max))
        self._arrive(till, request, sent, "repeated")

    def _arrive(self, till: Till, request: Request, sent: float, lie: str = "") -> Whole:
        history = self.history
        if till.purse.mood == "key_rotated":
            return till.rejects(request, history.true_time()), None
        # Signatures carry the gateway's time; its purse has a clock of its own.
        exchange = till.teller.answer(request, self.scheduler.clock(), self.scheduler.nonce())
        tx, items = exchange.tx, till.reads(exchange.tx)
        history.note("wallet", till.plan.name, tx, exchange.outcome)
        if tx is None or not items:
            return exchange.response, None
        history.names(till, request, items)
        place = till.place_of(items[0])
        till.says(items, exchange.outcome)
        if lie:
            history.fire(lie)
        # The first copy may not have been read, or refused for a moment, which no wallet remembers (rule 6).
        rejects = history.plan.rate("key_rotated") > 0 or history.plan.rate("refuses") > 0
        rejects = rejects or ("balks" in till.plan.habits and items[0].kind is Kind.CREDIT)
        if lie == "too_late" or (lie == "repeated" and (till.purse.takes_again(items[0]) != "safe" or rejects)):
            till.lies(items, lie)
        elif not lie:
            history.arrived(till, items[0].kind, place, sent)
        response = exchange.response
        if till.plan.lie == "other_answer" and tx.kind in till.last and history.lying(0.3):
            history.fire("other_answer")
            till.lies(items, "other_answer")
            return till.last[tx.kind], None
        till.last[tx.kind] = response
        yes = isinstance(exchange.outcome, Accepted) and all(
            isinstance(each, Accepted) for each in exchange.outcome.items
        )
        return response, place if yes else None

    # -- from a provider

    async def from_provider(
        self, name: str, request: Request, seconds: float, stories: list[Story], answers: list[Answer]
    ) -> Response:
        """What its provider reads; `answers`: what was meant by it, where it came whole."""
        history, chance = self.history, self.chance
        if history.hit("call_lost"):
            await self.scheduler.sleep(seconds)
            raise Silence("timeout", "lost on its way", left=True)
        wait = chance.uniform(0.3, seconds * 1.3) if history.hit("call_late") else chance.uniform(0.0, 0.02)
        line = Line()
        if history.hit("call_twice"):
            first = Line()
            first.gone = True
            self.scheduler.spawn(self._call(name, request, first, wait * chance.random(), stories), OUTSIDE)
        self.scheduler.spawn(self._call(name, request, line, wait, stories), OUTSIDE)
        began = self.scheduler.now
        await self.scheduler.wait([line], seconds)
        if not line.done():
            line.gone = True
            raise Silence("timeout", "no answer in time", left=True)
        response: Response | None = line.result()
        if response is None:
            raise Silence("unreachable", "nobody listens", left=False)
        if history.hit("answer_lost"):
            history.unread(stories)
            await self.scheduler.sleep(seconds - (self.scheduler.now - began))
            raise Silence("timeout", "the answer was lost", left=True)
        answers += line.answers
        if history.hit("answer_cut"):
            history.unread(stories)
            return replace(response, body=response.body[: chance.randrange(max(1, len(response.body)))])
        return response

    async def _call(self, name: str, request: Request, line: Line, wait: float, stories: list[Story]) -> None:
        await self.scheduler.sleep(wait)
        node = self.history.some_node()
        if node is None:
            line.finished.resolve(None)
            return
        spans = [story.begin(self.scheduler.now) for story in stories]
        self.history.carried[line] = (stories, spans)
        task = self.scheduler.spawn(node.serve(name, request, line), node)
        ended = Moment()
        task.finished.wake.append(ended.resolve)
        await ended  # never, if its process dies: `cut_off` ends the spans then
        for span in spans:
            span[1] = self.scheduler.now
