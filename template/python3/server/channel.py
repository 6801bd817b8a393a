"""The server's connections: errors are JSON and reach their client, and no request is begun after its time is over."""

import socket
import time
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from waitress.channel import HTTPChannel  # type: ignore[import-untyped]
from waitress.task import ErrorTask, WSGITask  # type: ignore[import-untyped]

from . import trace
from .answered import Answered, tell
from .application import BEGUN
from .errors import INTERNAL, REFUSALS
from .parser import Busy, Parser

_LINGER_BYTES = 65536


class _JsonError(ErrorTask):  # type: ignore[misc]
    def execute(self) -> None:
        request = self.request
        status = request.error.code
        if status != 500:  # for 500 the application has set it
            trace.identify(request.headers.get("X_CALL_ID", ""), request.headers.get("TRACEPARENT", ""))
        problem = REFUSALS.get(status, INTERNAL)
        body = problem.body(limit=self.channel.adj.max_body_bytes)
        self.status = f"{status} {HTTPStatus(status).phrase}"
        self.response_headers += [("Content-Type", "application/json"), (trace.CALL_ID, trace.call_id.get())]
        self.response_headers += problem.headers
        self.response_headers += self.channel.adj.allow_origins.headers(request.headers.get("ORIGIN", "")).items()
        self.content_length = len(body)
        self.set_close_on_finish()
        self.channel.linger = True
        seconds = time.monotonic() - request.begun
        received = request.body_bytes_received
        tell(Answered(request.command, request.path, status, problem.code, seconds, received, len(body)))
        self.write(b"" if request.command == "HEAD" else body)


class _Task(WSGITask):  # type: ignore[misc]
    def get_environment(self) -> dict[str, Any]:
        environment = super().get_environment()
        # http://host is the address of / (RFC 9110, 4.2.3).
        return {**environment, "PATH_INFO": environment["PATH_INFO"] or "/", BEGUN: self.request.begun}


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection that is read as fast as memory allows.

    After an error it lingers: it goes on reading, and drops, what the client still sends. Closing it with unread data
    would reset the connection, and many clients would then lose the answer (RFC 9112, 9.6).
    """

    parser_class = Parser
    task_class = _Task
    error_task_class = _JsonError
    request: Parser | None
    close_when_flushed: bool
    linger = False
    _linger_until = 0.0
    _last_activity = 0.0

    @property
    def last_activity(self) -> float:
        """When something was last received or sent, on the clock of ``time.monotonic``: the other one may be set."""
        return self._last_activity

    @last_activity.setter
    def last_activity(self, _: float) -> None:
        self._last_activity = time.monotonic()

    def asks_nothing(self) -> bool:
        """Whether nobody waits for an answer: no request has come, or not all of its headers."""
        begun = self.request is not None and self.request.headers_finished
        return not (self.requests or begun or self.total_outbufs_len)

    def readable(self) -> bool:
        if self._linger_until or not super().readable() or self.request is None:
            return bool(self._linger_until) or bool(super().readable())
        may_read = self.request.may_read()
        if not self.request.completed:
            return may_read
        with self.requests_lock:
            self.requests.append(self.request)
            self.request = None
            if len(self.requests) == 1:
                self.server.add_task(self)
        return False

    def service(self) -> None:
        request = self.requests[0]
        if request.error is None and time.monotonic() - request.begun > self.adj.request_timeout:
            request.fail(Busy(""))
        super().service()

    def handle_write(self) -> None:
        lingers = self.linger and self.close_when_flushed
        if lingers:
            self.close_when_flushed = False
        super().handle_write()
        if not lingers or self.will_close:
            return
        if self.total_outbufs_len:
            self.close_when_flushed = True
        else:
            self._linger_until = time.monotonic() + self.adj.channel_timeout
            with suppress(OSError):  # the client has gone
                self.socket.shutdown(socket.SHUT_WR)

    def handle_read(self) -> None:
        if not self._linger_until:
            super().handle_read()
        elif self.recv(_LINGER_BYTES) and time.monotonic() > self._linger_until:
            self.handle_close()

    def handle_close(self) -> None:
        super().handle_close()
        if self.request is not None:
            self.request.close()
