"""A NetGaming wallet that answers every call at once: the load that is not ours, where nginx is not here.

A bare asyncio protocol over httptools, so that the wallet is never the bottleneck.
"""

from __future__ import annotations

import asyncio
import sys

import httptools
import uvloop

from bench.bets import WALLET_ANSWER

BODY = WALLET_ANSWER.encode()
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(BODY), BODY)


class Wallet(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        self.transport.write(ANSWER)  # type: ignore[attr-defined]  # TCP: a transport that writes


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Wallet, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
