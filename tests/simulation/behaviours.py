"""What becomes of one request on its way to a wallet: the network of the bench, scripted call by call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from gateway.engine.world import Silence
from gateway.http import Request, Response
from gateway.model import Outcome

if TYPE_CHECKING:
    from tests.simulation.bench import Bench, Till


class Post(Struct, frozen=True):
    """One request on its way to a wallet."""

    bench: Bench
    till: Till
    request: Request

    def arrive(self) -> Response:
        """The wallet reads it, decides and answers."""
        world = self.bench.scheduler
        exchange = self.till.teller.answer(self.request, world.clock(), world.nonce())
        self.till.exchanges.append(exchange)
        return exchange.response


Behaviour = Callable[[Post], Awaitable[Response]]
"""What becomes of one request; raises `Silence` where no answer comes."""


async def arrives(post: Post) -> Response:
    return post.arrive()


async def unreachable(post: Post) -> Response:
    raise Silence("unreachable", "no connection", left=False)


async def lost_before(post: Post) -> Response:
    """It left and never arrived; the connection breaks."""
    raise Silence("broken", "connection reset", left=True)


async def lost_after(post: Post) -> Response:
    """The wallet applied it; its answer is lost."""
    post.arrive()
    raise Silence("broken", "connection reset", left=True)


def late(seconds: float) -> Behaviour:
    """The wallet applies it at once and answers after so many seconds."""

    async def behave(post: Post) -> Response:
        response = post.arrive()
        await post.bench.scheduler.sleep(seconds)
        return response

    return behave


def queued(seconds: float) -> Behaviour:
    """The request waits so long before the wallet reads it."""

    async def behave(post: Post) -> Response:
        await post.bench.scheduler.sleep(seconds)
        return post.arrive()

    return behave


def kept_back(seconds: float) -> Behaviour:
    """A proxy lets go of us at once and keeps the request so long; then the wallet reads it."""

    async def behave(post: Post) -> Response:
        async def arrive() -> None:
            await post.bench.scheduler.sleep(seconds)
            post.arrive()

        post.bench.scheduler.spawn(arrive())
        raise Silence("broken", "connection reset", left=True)

    return behave


def silent(seconds: float) -> Behaviour:
    """The wallet never reads it; the connection breaks after so many seconds."""

    async def behave(post: Post) -> Response:
        await post.bench.scheduler.sleep(seconds)
        raise Silence("timeout", "no answer", left=True)

    return behave


def answers(response: Response) -> Behaviour:
    """A forced answer; nothing is applied."""

    async def behave(post: Post) -> Response:
        return response

    return behave


def says(outcome: Outcome) -> Behaviour:
    """A forced decision in the wallet dialect's words; nothing is applied."""

    async def behave(post: Post) -> Response:
        return post.till.words(outcome, post.request)

    return behave


def after(alter: Callable[[Response], Response]) -> Behaviour:
    """The wallet applied it; its answer is altered on the way."""

    async def behave(post: Post) -> Response:
        return alter(post.arrive())

    return behave


error_after = after(lambda response: Response(status=500, headers={"content-type": "text/html"}, body=b"<h1>500</h1>"))
garbage = after(lambda response: replace(response, body=b"<html>maintenance</html>"))


def cut(byte: int) -> Behaviour:
    return after(lambda response: replace(response, body=response.body[:byte]))
