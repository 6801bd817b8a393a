"""The Flask application: an HTTP request -> the handler's event -> its result -> an HTTP response."""

import json
import logging
import time
from collections.abc import Mapping
from typing import Any

from flask import Flask, Request, Response, request
from waitress.task import hop_by_hop  # type: ignore[import-untyped]

from . import log, trace
from .errors import CALLER_GONE, CANNOT_START, INTERNAL, STARTING, Problem
from .health import Health
from .interface import Context, Event
from .loader import Loader
from .settings import Settings

_log = logging.getLogger("function")

# In the WSGI environment: when the first byte of the request arrived, on the clock of time.monotonic.
BEGUN = "function.begun"


class Application:
    """Answers requests with the handler's results; ``wsgi`` is the Flask application."""

    def __init__(self, loader: Loader, health: Health, settings: Settings) -> None:
        self._loader = loader
        self._health = health
        self._settings = settings
        self.wsgi = Flask("function", static_folder=None)
        # Answering before the routing leaves every path and every method to the handler.
        self.wsgi.before_request(self._serve)

    def _serve(self) -> Response:
        start = time.monotonic()
        trace.identify(request.headers.get(trace.CALL_ID, ""), request.headers.get(trace.TRACEPARENT, ""))
        body = request.environ["wsgi.input"].take()
        asks_ready = request.path == "/ready" and request.method in ("GET", "HEAD")
        response = self._ready() if asks_ready else self._preflight(request) or self._answer(request, body)
        response.headers[trace.CALL_ID] = trace.call_id.get()
        response.headers.extend(self._settings.allow_origins.headers(request.headers.get("Origin", "")))
        size, code = response.content_length or 0, _code_of(response)
        if request.method == "HEAD":
            response.response = []
        if not asks_ready:  # this is asked every few seconds and would fill the log
            seconds = time.monotonic() - start
            log.request(request.method, request.path, response.status_code, code, seconds, len(body), size)
        return response

    def _preflight(self, request: Request) -> Response | None:
        headers = self._settings.allow_origins.preflight(request.method, request.headers)
        return None if headers is None else Response(status=204, headers=headers)

    def _ready(self) -> Response:
        if self._loader.wait(0) is None:
            return self._not_ready()
        return Response('{"ready": true}', content_type="application/json")

    def _answer(self, request: Request, body: bytes) -> Response:
        deadline = request.environ[BEGUN] + self._settings.request_timeout
        gone = request.environ["waitress.client_disconnected"]
        handle = self._loader.wait(min(self._settings.handler_wait, max(0.0, deadline - time.monotonic())))
        if handle is None:
            return self._not_ready()
        if gone():
            return _error(CALLER_GONE)
        method = "GET" if request.method == "HEAD" else request.method
        event = Event(body, request.headers, method, request.path, request.args)
        context = Context(trace.call_id.get(), deadline, gone, trace.traceparent.get())
        try:
            with self._health.handling(deadline):
                return _response(handle(event, context))
        except BaseException:  # also for sys.exit() in a handler: the caller must get an answer
            _log.exception("the handler failed")
            return _error(INTERNAL)

    def _not_ready(self) -> Response:
        return _error(CANNOT_START if self._loader.failed else STARTING)


def _code_of(response: Response) -> str:
    """The code of an error in the usual form, or ""."""
    try:
        return str(json.loads(response.get_data())["error"]["code"]) if response.status_code >= 400 else ""
    except (ValueError, TypeError, LookupError):
        return ""


def _error(problem: Problem) -> Response:
    return Response(problem.body(), problem.status, problem.headers, content_type="application/json")


def _response(result: Mapping[str, Any]) -> Response:
    """The HTTP response for a handler's result; what the result leaves out has defaults.

    Raises:
        AttributeError, TypeError, ValueError: the result is not an HTTP response.
    """
    body, status = result.get("body", ""), int(result.get("statusCode", 200))
    if not isinstance(body, str | bytes):
        raise TypeError(f"body must be str or bytes, not {type(body).__name__}")
    if not 200 <= status <= 599:
        raise ValueError(f"statusCode must be from 200 to 599, not {status}")
    kind = "text/plain; charset=utf-8" if isinstance(body, str) else "application/octet-stream"
    response = Response(body, status, content_type=kind)
    for name, value in (result.get("headers") or {}).items():
        if name.lower() in hop_by_hop or name.lower() == "content-length":
            raise ValueError(f"the header {name} belongs to the server")
        f"{name}{value}".encode("latin-1")
        response.headers[name] = str(value)
    return response
