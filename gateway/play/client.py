"""The HTTP client of a simulated provider: one request, one complete answer, or `Silence`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx

from gateway.engine.world import Silence
from gateway.http import Request, Response

ANSWER_MAX = 1 << 20


def sender(client: httpx.AsyncClient, origin: str) -> Callable[[Request, float], Awaitable[Response]]:
    """Sends `request.target` to `origin` exactly as it stands: a query may be signed byte by byte."""

    async def send(request: Request, seconds: float) -> Response:
        prepared = client.build_request(
            request.method,
            origin,
            headers=dict(request.headers),
            content=request.body,
            timeout=seconds,
            extensions={"target": (request.target or request.url).encode()},
        )
        try:
            answer = await client.send(prepared)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol) as error:
            raise Silence("unreachable", str(error) or "no connection", left=False) from None
        except httpx.TimeoutException:
            raise Silence("timeout", f"no answer within {seconds:g} s", left=True) from None
        except httpx.HTTPError as error:
            raise Silence("broken", str(error) or type(error).__name__, left=True) from None
        if len(answer.content) > ANSWER_MAX:
            raise Silence("broken", "the answer is too long", left=True)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Response(status=answer.status_code, headers=headers, body=answer.content)

    return send
