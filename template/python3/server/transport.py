"""waitress, fitted for functions: bodies limited exactly, errors as JSON that reach the client which caused them."""

import socket
import time
from contextlib import suppress
from http import HTTPStatus

from waitress.channel import HTTPChannel  # type: ignore[import-untyped]
from waitress.parser import HTTPRequestParser  # type: ignore[import-untyped]
from waitress.task import ErrorTask  # type: ignore[import-untyped]
from waitress.utilities import BadRequest, Error, RequestEntityTooLarge  # type: ignore[import-untyped]

from . import log
from .application import CALL_ID, call_id_of, error_body

# Chunk sizes, their extensions and trailers are lines that waitress keeps until they end, without a limit of its own.
_MAX_CHUNK_LINE = 4096
# waitress copies the rest of what it was given for every chunk: many tiny chunks in a large piece would cost seconds.
_SLICE = 4096
_LINGER_BYTES = 65536

_CODES = {
    400: ("bad_request", "This is not a valid HTTP request."),
    413: ("body_too_large", "The request body is larger than {limit:,} bytes."),
    431: ("headers_too_large", "The request headers are too large."),
    501: ("not_implemented", "This transfer encoding is not supported."),
}


class Parser(HTTPRequestParser):  # type: ignore[misc]
    """Stops a request as soon as its body is known to be over `adj.max_body_bytes`: no more than that is ever kept."""

    error: Error | None

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data[:_SLICE] if self.chunked else data)
        if self.error is None:
            if max(self.content_length, len(self.body_rcv or ())) > self.adj.max_body_bytes:
                self.error = RequestEntityTooLarge("")
            elif self.chunked and len(self.body_rcv.control_line) + len(self.body_rcv.trailer) > _MAX_CHUNK_LINE:
                self.error = BadRequest("")
        if self.error is not None:
            self.completed = True
            self.expect_continue = False  # answer before the upload
        return consumed


class JsonError(ErrorTask):  # type: ignore[misc]
    def execute(self) -> None:
        request = self.request
        status = request.error.code
        if status != 500:  # that one comes from the application, which has set it
            log.call_id.set(call_id_of(request.headers.get("X_CALL_ID", "")))
        code, message = _CODES.get(status, ("internal", "The function failed. Its log says why, under this call id."))
        body = error_body(code, message.format(limit=self.channel.adj.max_body_bytes))
        self.status = f"{status} {HTTPStatus(status).phrase}"
        self.response_headers += [("Content-Type", "application/json"), (CALL_ID, log.call_id.get())]
        self.content_length = len(body)
        self.set_close_on_finish()
        self.channel.linger = True
        method, path = getattr(request, "command", ""), getattr(request, "path", "")
        log.request(method, path, status, time.time() - self.start_time, request.body_bytes_received, len(body))
        self.write(b"" if method == "HEAD" else body)


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection that, after an error, reads and drops what the client still sends before it is closed.

    Closing with unread data resets the connection, and many clients then lose the answer (RFC 9112, 9.6).
    """

    parser_class = Parser
    error_task_class = JsonError
    close_when_flushed: bool
    linger = False
    _linger_until = 0.0

    def handle_write(self) -> None:
        if self.linger and self.close_when_flushed and not self.will_close:
            self._flush_exception(self._flush_some)
            if not self.total_outbufs_len and not self.will_close:
                self.close_when_flushed = False
                self._linger_until = time.time() + self.adj.channel_timeout
                with suppress(OSError):  # the client has gone
                    self.socket.shutdown(socket.SHUT_WR)
        else:
            super().handle_write()

    def readable(self) -> bool:
        return bool(self._linger_until) or bool(super().readable())

    def handle_read(self) -> None:
        if not self._linger_until:
            super().handle_read()
        elif self.recv(_LINGER_BYTES) and time.time() > self._linger_until:
            self.handle_close()
