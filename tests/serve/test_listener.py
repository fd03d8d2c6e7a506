"""How callers come in, on the loop that `serve` runs on."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack
from typing import Any

import uvloop

from gateway.serve.accepting import ACCEPTS
from gateway.serve.config import Listen
from gateway.serve.listener import Listener, bind


async def nobody(scope: Any, receive: Any, send: Any) -> None:
    """No call comes."""


class Turns:
    """Counts the turns of the loop."""

    def __init__(self) -> None:
        self.number, self.over = 0, False
        self._turn()

    def _turn(self) -> None:
        if not self.over:
            self.number += 1
            asyncio.get_running_loop().call_soon(self._turn)


async def turns_for(callers: int) -> int:
    """How many turns of the loop it takes to let in so many who have come already."""
    with bind(Listen("127.0.0.1", 0)) as bound, ExitStack() as stack:
        listener = Listener(nobody, bound)
        serving = asyncio.create_task(listener.run_until_told())
        await listener.ready.wait()
        for _ in range(callers):
            stack.enter_context(socket.create_connection(bound.getsockname()))
        turns = Turns()
        async with asyncio.timeout(10):
            while len(listener.server_state.connections) < callers:  # noqa: ASYNC110  # turns are what is counted
                await asyncio.sleep(0)
        turns.over = True
        listener.should_exit = True
        await serving
        return turns.number


def test_a_turn_of_the_loop_lets_many_in() -> None:
    """*Two hundred new connections at twice the load: the last ones waited seven seconds to be let in, because each turn
    of a busy loop let in one.*"""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(turns_for(4 * ACCEPTS)) < ACCEPTS
