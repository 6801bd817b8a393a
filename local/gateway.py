"""A gateway for development: the routes, headers and limits of OpenFaaS' gateway and watchdog, for this computer."""

import asyncio
import logging
import re
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from urllib.parse import quote

import aiohttp
import yarl
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

from .process import Process
from .protocol import error

_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
# What aiohttp reads a byte as that is not UTF-8. It cannot send it on.
_NOT_TEXT = re.compile(r"[\ud800-\udfff]")

_NAMESPACE = ".openfaas-fn"

# The function that people open in a browser.
_PAGE = "index"

_log = logging.getLogger(__name__)

# In seconds: connections to a function are kept as long as the watchdog keeps them.
_KEEP_ALIVE = 0.5

_HOP_BY_HOP = (
    "Connection", "Expect", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "TE",
    "Trailer", "Transfer-Encoding", "Upgrade",
)  # fmt: skip
_OWN_HEADERS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


class Route:
    """A function's process, and the number of its requests in flight."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.function = process.function
        self.inflight = 0


class Gateway:
    """Forwards ``/function/NAME/...``; ``routes`` are by function name."""

    def __init__(self, routes: Mapping[str, Route]) -> None:
        self._routes = routes
        self._session: aiohttp.ClientSession | None = None

    async def session(self, _app: web.Application) -> AsyncIterator[None]:
        """The HTTP client's lifetime: that of the application."""
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE)
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(connector=connector, cookie_jar=jar, auto_decompress=False) as self._session:
            yield

    async def forward(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"].removesuffix(_NAMESPACE)
        if name not in self._routes:
            raise web.HTTPNotFound(text=f"There is no function {name}, only {', '.join(self._routes)}.")
        route = self._routes[name]
        limit = route.function.max_inflight
        if limit and route.inflight >= limit:
            headers = {"X-OpenFaaS-Internal": "faas-middleware"}
            text = f"Concurrent request limit exceeded. Max concurrent requests: {limit}\n"
            return web.Response(status=429, text=text, headers=headers)
        route.inflight += 1
        response = web.StreamResponse()
        try:
            async with asyncio.timeout(route.function.exec_timeout):
                await self._forward(request, route, response)
        except (TimeoutError, aiohttp.ClientError, ConnectionError) as problem:
            if response.prepared:
                # The status has been sent already. An answer that is cut off must not look complete.
                _abort(request)
            elif isinstance(problem, TimeoutError):
                raise web.HTTPGatewayTimeout(text=f"{route.function.name} took longer than its exec_timeout.") from None
            else:
                raise web.HTTPBadGateway(text=f"{route.function.name} cannot be reached.") from problem
        finally:
            route.inflight -= 1
        return response

    async def elsewhere(self, request: web.Request) -> web.Response:
        """Redirect ``GET /`` to the page, if there is one. There is nothing else outside of the functions."""
        if request.path == "/" and request.method in ("GET", "HEAD") and _PAGE in self._routes:
            return web.Response(status=302, headers={"Location": f"/function/{_PAGE}"})
        raise web.HTTPNotFound(text=f"There is nothing here, only {', '.join(f'/function/{n}' for n in self._routes)}.")

    async def _forward(self, request: web.Request, route: Route, response: web.StreamResponse) -> None:
        assert self._session is not None  # noqa: S101
        start = time.monotonic()
        async with self._session.request(
            request.method,
            yarl.URL(route.process.url + _path_and_query(request), encoded=True),
            headers=_request_headers(request),
            data=request.content if request.body_exists else None,
            skip_auto_headers=_OWN_HEADERS,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None),
        ) as upstream:
            response.set_status(upstream.status, upstream.reason)
            response.headers.extend(_end_to_end(upstream.headers))
            response.headers["X-Duration-Seconds"] = f"{time.monotonic() - start:.6f}"
            await response.prepare(request)
            async for block in upstream.content.iter_any():
                await response.write(block)
            await response.write_eof()


def _path_and_query(request: web.Request) -> str:
    """What follows ``/function/NAME``, as it was sent, but with percent-encoding for bytes that are not ASCII."""
    rest = "/" + "".join(request.rel_url.raw_path.split("/", 3)[3:])
    query = request.rel_url.raw_query_string
    target = f"{rest}?{query}" if query else rest
    return _NOT_ASCII.sub(lambda found: quote(found[0], errors="surrogateescape"), target)


def _text(value: str) -> str:
    return _NOT_TEXT.sub("", value)


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def _end_to_end(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    named = [name.strip() for value in headers.getall("Connection", ()) for name in value.split(",")]
    kept = CIMultiDict((name, _text(value)) for name, value in headers.items())
    for name in (*_HOP_BY_HOP, *named):
        kept.popall(name, None)
    return kept


def _request_headers(request: web.Request) -> CIMultiDict[str]:
    headers = _end_to_end(request.headers)
    headers.setdefault("X-Forwarded-Host", headers.pop("Host", ""))
    headers.setdefault("X-Forwarded-For", request.remote or "")
    headers["X-Call-Id"] = request["call_id"]
    headers["X-Start-Time"] = request["start_time"]
    # The watchdog always sends a body on in chunks.
    headers.popall("Content-Length", None)
    return headers


@web.middleware
async def errors_as_json(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Set each request's call id and start time, and answer the gateway's own errors in the form of the functions'."""
    request["call_id"] = _text(request.headers.get("X-Call-Id", "")) or str(uuid.uuid4())
    request["start_time"] = str(time.time_ns())
    try:
        return await handler(request)
    except web.HTTPException as problem:
        code = problem.reason.lower().replace(" ", "_")
        return error(problem.status, code, problem.text or "")
    except ConnectionError:  # the client has gone and reads no answer
        return error(400, "bad_request", "The request ended early.")
    except Exception:
        _log.exception("the gateway failed")
        return error(500, "internal", "The gateway failed. It says why where it was started.")


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add the gateway's headers right before they are sent: for a streamed response a middleware would be too late."""
    if "call_id" in request:  # not for a request that was refused before
        response.headers.setdefault("X-Call-Id", request["call_id"])
        response.headers["X-Start-Time"] = request["start_time"]
    response.headers.popall("Server", None)


async def meet_expectation(request: web.Request) -> web.Response | None:
    """Tell a client that waits for it to send its body. Refuse any other expectation, as Go's server does."""
    if request.headers.get("Expect", "").lower() != "100-continue":
        return error(417, "expectation_failed", "Expect can only be 100-continue.")
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0  # this was not an answer yet
    return None
