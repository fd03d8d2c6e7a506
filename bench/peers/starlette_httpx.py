"""What a user could write by hand in an afternoon: Starlette + httpx, stateless, no journal.

It does the same work for the one call that the benchmark plays: verify the signature over the
sorted values, translate Scorpio Play's bet to NetGaming's debit, ask the wallet, answer.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOKEN = os.environ["BENCH_TOKEN"].encode()
WALLET = os.environ["BENCH_WALLET"]


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    async with httpx.AsyncClient(base_url=WALLET, limits=limits, timeout=5) as client:
        app.state.client = client
        yield


def text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


async def bet(request: Request) -> Response:
    body = json.loads(await request.body())
    message = ",".join(text(body[key]) for key in sorted(body)).encode()
    wanted = base64.b64encode(hmac.new(TOKEN, message, hashlib.sha512).digest()).decode()
    if not hmac.compare_digest(wanted, request.headers.get("x-request-signature", "")):
        return JSONResponse({"balance": 0, "statusCode": "ERR_INTEGRITY_CHECK_FAILED"})
    debit = {
        "token": body["playerId"], "player_id": body["playerId"], "amount": round(body["amount"] * 100),
        "amount_type": "real", "currency": body["currency"], "game_id": body["gameCode"],
        "game_name": body["gameName"], "round_id": int(body["roundId"]), "transaction_id": body["transactionId"],
        "game_ended": body["isRoundFinished"],
    }  # fmt: skip
    answer = (await request.app.state.client.post("/debit", json=debit)).json()
    if answer["status"] != 1:
        return JSONResponse({"balance": 0, "statusCode": "ERR_UNKNOWN"})
    return JSONResponse({"balance": answer["balance"] / 100, "statusCode": "OK"})


app = Starlette(routes=[Route("/scorpio", bet, methods=["POST"])], lifespan=lifespan)
