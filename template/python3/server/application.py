"""The Flask application: an HTTP request -> the handler's event -> its result -> an HTTP response."""

import logging
import time
from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, g, request
from waitress.task import hop_by_hop  # type: ignore[import-untyped]
from werkzeug.routing import BaseConverter, Rule

from . import trace
from .answered import Answered, tell
from .errors import CALLER_GONE, CANNOT_START, INTERNAL, STARTING, Problem
from .health import Health
from .interface import Context, Event
from .loader import Loader
from .settings import Settings

_log = logging.getLogger("function")

# In the WSGI environment: when the first byte of the request arrived, on the clock of time.monotonic.
BEGUN = "function.begun"
_READY = "ready"


class _Answer(Response):
    """``code`` is that of an error, or "": the log and the metrics have it from here."""

    code = ""


class _Refused(Exception):
    """The request is answered with ``problem`` and not by the handler."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class _AnyPath(BaseConverter):
    """All that follows the first slash, more slashes and ends of lines included."""

    regex = r"[\s\S]*"
    part_isolating = False


class Application:
    """Answers requests with the handler's results; ``wsgi`` is the Flask application."""

    def __init__(self, loader: Loader, health: Health, settings: Settings) -> None:
        self._loader = loader
        self._health = health
        self._settings = settings
        self.wsgi = Flask("function", static_folder=None)
        self.wsgi.before_request(self._begin)
        self.wsgi.after_request(self._finish)
        self.wsgi.register_error_handler(_Refused, lambda refused: _error(refused.problem))
        self.wsgi.register_error_handler(Exception, _failed)
        self.wsgi.url_map.merge_slashes = False
        self.wsgi.add_url_rule("/ready", _READY, self._ready, provide_automatic_options=False)
        self.wsgi.url_map.converters["any_path"] = _AnyPath
        self.wsgi.endpoint("handler")(self._handle)
        # A rule that names no methods takes all. Werkzeug keeps requests to change to a web socket apart.
        for websocket in (False, True):
            self.wsgi.url_map.add(Rule("/<any_path:path>", endpoint="handler", websocket=websocket))

    def _begin(self) -> Response | None:
        g.begun = time.monotonic()
        trace.identify(request.headers.get(trace.CALL_ID, ""), request.headers.get(trace.TRACEPARENT, ""))
        g.body = request.environ["wsgi.input"].take()
        allowed = self._settings.allow_origins.preflight(request.method, request.headers)
        return None if allowed is None else _Answer(status=204, headers=allowed)

    def _finish(self, response: _Answer) -> Response:
        response.headers[trace.CALL_ID] = trace.call_id.get()
        response.headers.extend(self._settings.allow_origins.headers(request.headers.get("Origin", "")))
        if request.endpoint != _READY:  # this is asked every few seconds and would fill the log
            seconds, size = time.monotonic() - g.begun, response.content_length or 0
            status = response.status_code
            tell(Answered(request.method, request.path, status, response.code, seconds, len(g.body), size))
        return response

    def _ready(self) -> Response:
        if self._loader.wait(0) is None:
            raise self._not_ready()
        return _Answer('{"ready": true}', content_type="application/json")

    def _handle(self, **_: str) -> Response:
        deadline = request.environ[BEGUN] + self._settings.request_timeout
        gone = request.environ["waitress.client_disconnected"]
        handle = self._loader.wait(min(self._settings.handler_wait, max(0.0, deadline - time.monotonic())))
        if handle is None:
            raise self._not_ready()
        if gone():
            raise _Refused(CALLER_GONE)
        method = "GET" if request.method == "HEAD" else request.method
        event = Event(g.body, request.headers, method, request.path, request.args)
        context = Context(trace.call_id.get(), deadline, gone, trace.traceparent.get())
        with self._health.handling(deadline):
            try:
                return _response(handle(event, context))
            except Exception:
                raise
            except BaseException as error:  # sys.exit() in a handler: the caller must get an answer
                raise RuntimeError("the handler has tried to end the process") from error

    def _not_ready(self) -> _Refused:
        return _Refused(CANNOT_START if self._loader.failed else STARTING)


def _failed(error: Exception) -> Response:
    _log.error("the handler failed", exc_info=error)
    return _error(INTERNAL)


def _error(problem: Problem) -> Response:
    answer = _Answer(problem.body(), problem.status, problem.headers, content_type="application/json")
    answer.code = problem.code
    return answer


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
    response = _Answer(body, status, content_type=kind)
    response.code = str(result.get("code", ""))
    for name, value in (result.get("headers") or {}).items():
        if name.lower() in hop_by_hop or name.lower() == "content-length":
            raise ValueError(f"the header {name} belongs to the server")
        f"{name}{value}".encode("latin-1")
        response.headers[name] = str(value)
    return response
