"""`/async-function/NAME`: accepted at once, called later, one after the other as OpenFaaS' queue worker does."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from .gateway import Gateway, end_to_end, path_and_query, request_headers

# What fits in a message of the platform's queue.
MAX_BODY_BYTES = 256_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Call:
    function: str
    target: str
    headers: CIMultiDict[str]
    body: bytes
    callback: str


class Queue:
    """Calls functions through the gateway at `url`, as the queue worker does."""

    def __init__(self, gateway: Gateway, url: str) -> None:
        self._gateway = gateway
        self._url = url
        self._calls: asyncio.Queue[_Call] = asyncio.Queue()

    async def accept(self, request: web.Request) -> web.Response:
        route = self._gateway.route(request)
        callback = request.headers.get("X-Callback-Url", "")
        if callback and not _is_address(callback):
            raise web.HTTPBadRequest(text="X-Callback-Url must be an http or https address.")
        body = await request.content.read(MAX_BODY_BYTES + 1)
        while len(body) <= MAX_BODY_BYTES and (block := await request.content.read(MAX_BODY_BYTES + 1 - len(body))):
            body += block
        if len(body) > MAX_BODY_BYTES:
            raise web.HTTPRequestEntityTooLarge(MAX_BODY_BYTES, text=f"The queue takes {MAX_BODY_BYTES:,} bytes.")
        headers = request_headers(request)
        self._calls.put_nowait(_Call(route.function.name, path_and_query(request), headers, body, callback))
        return web.Response(status=202)

    async def worker(self, _app: web.Application) -> AsyncIterator[None]:
        """The worker's lifetime: that of the application."""
        task = asyncio.create_task(self._work())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def _work(self) -> None:
        async with aiohttp.ClientSession(auto_decompress=False) as session:
            while True:
                call = await self._calls.get()
                try:
                    await self._call(session, call)
                except (aiohttp.ClientError, TimeoutError) as error:
                    _log.warning("the result of %s did not reach %s: %s", call.function, call.callback, error)

    async def _call(self, session: aiohttp.ClientSession, call: _Call) -> None:
        start = time.monotonic()
        url = f"{self._url}/function/{call.function}{call.target}"
        async with session.post(url, data=call.body, headers=call.headers) as answer:
            status, result = answer.status, await answer.read()
            headers = end_to_end(answer.headers)
        if not call.callback:
            return
        headers.popall("Content-Length", None)
        headers["X-Call-Id"] = call.headers["X-Call-Id"]
        headers["X-Duration-Seconds"] = f"{time.monotonic() - start:.6f}"
        headers["X-Function-Name"] = call.function
        headers["X-Function-Status"] = str(status)
        async with session.post(call.callback, data=result, headers=headers) as answer:
            _log.info("the result of %s was posted to %s: %s", call.function, call.callback, answer.status)


def _is_address(text: str) -> bool:
    try:
        return urlsplit(text).scheme in ("http", "https")
    except ValueError:
        return False
