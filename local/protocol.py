"""The gateway's side of a connection: it accepts what the real gateway accepts, and its own errors are JSON."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

# The real gateway's limits: aiohttp's own are too small for a long list of labels in a query.
MAX_HEADER_BYTES = 1 << 20
_MAX_HEADERS = 10_000
_BACKLOG = 128


def error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status)


class _Protocol(web.RequestHandler):
    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        super().handle_error(request, status, exc, message)  # logs it
        if isinstance(exc, LineTooLong):
            answer = error(431, "headers_too_large", "The request line or a header is too large.")
        elif status < 500:
            answer = error(status, "bad_request", "This is not a valid HTTP request.")
        else:
            answer = error(status, "internal", "The gateway failed.")
        answer.force_close()
        return answer


@asynccontextmanager
async def listening(app: web.Application, listener: socket.socket) -> AsyncIterator[None]:
    """Serve the gateway's application at a socket until the block ends; what is being answered then has a second."""
    # As Go's server does it: a function learns that its caller has gone, and the caller's place is free.
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1)
    await runner.setup()
    connections = runner.server
    assert connections is not None  # noqa: S101
    loop = asyncio.get_running_loop()

    def accepted() -> _Protocol:
        return _Protocol(
            connections,
            loop=loop,
            auto_decompress=False,
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
            max_headers=_MAX_HEADERS,
        )

    server = await loop.create_server(accepted, sock=listener, backlog=_BACKLOG)
    try:
        yield
    finally:
        server.close()
        await runner.cleanup()
