"""A NetGaming wallet that answers every refund at once: the load that is not ours.

A bare asyncio protocol over httptools, so that the wallet is never the bottleneck.
"""

from __future__ import annotations

import asyncio
import sys

import httptools
import uvloop

BODY = (
    b'{"status":1,"player_id":"plr-8821","token":"plr-8821","currency":"EUR",'
    b'"bonus_amount":0,"balance":24075,"transaction_id":"w-10003"}'
)
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
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
