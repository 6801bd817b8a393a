"""The gateway's side of a connection: it accepts what the real gateway accepts, and its own errors are JSON."""

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.http_parser import HttpRequestParserPy

# The real gateway's limits: aiohttp's own are too small for a long list of labels in a query.
MAX_HEADER_BYTES = 1 << 20


def error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status)


class _Protocol(web.RequestHandler):
    def __init__(self, manager: web.Server, *, loop: asyncio.AbstractEventLoop, **options: Any) -> None:
        super().__init__(manager, loop=loop, **options)
        # curl sends `labels=猫` as it is. aiohttp's parser in Python accepts a target that is not ASCII, that in C does
        # not.
        self._parser = HttpRequestParserPy(
            self,
            loop,
            self._read_bufsize,
            max_line_size=self.max_line_size,
            max_field_size=self.max_field_size,
            max_headers=self.max_headers,
            payload_exception=web.RequestPayloadError,
            auto_decompress=False,
            max_msg_queue_size=self._max_msg_queue_size,
        )

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


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        return _Protocol(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """Runs the gateway's application with this protocol."""

    def __init__(self, app: web.Application) -> None:
        super().__init__(
            app,
            access_log=None,
            # As Go's server does it: a function learns that its caller has gone, and the caller's place is free.
            handler_cancellation=True,
            shutdown_timeout=1,
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
            max_headers=10_000,
        )

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(
            made.request_handler,
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            **made._kwargs,  # noqa: SLF001 - aiohttp has no public way
        )
