"""A request while it arrives: limits on its size, its memory and its time.

A request that is refused is read to its end, and dropped, before it is answered. Proxies such as the gateway and the
watchdog take an answer that comes earlier, on a connection that then closes, for a broken upload, and may answer 502.
"""

import io
import time

from waitress.parser import HTTPRequestParser, ParsingError  # type: ignore[import-untyped]
from waitress.utilities import (  # type: ignore[import-untyped]
    BadRequest,
    Error,
    RequestEntityTooLarge,
    RequestHeaderFieldsTooLarge,
)

from .headers import bounded

# waitress keeps a chunk's size, its extensions and the trailers until the line ends, and has no limit for its length.
_MAX_CHUNK_LINE = 4096
_NOT_COMPRESSED = ("", "identity")
# For each chunk waitress copies the rest of the data that it was given: many tiny chunks at once would cost seconds.
_SLICE = 4096
# After a refusal, at most this many times the limit is read and discarded before the request is answered.
_DROPPED = 8
# From this many seconds on, a request must have arrived at this rate, in bytes per second.
_RATE_FROM = 5.0
_MIN_RATE = 4096
# The share of a request's time that a large body may wait for memory.
_WAIT_SHARE = 1 / 3


class _RequestTimeout(Error):  # type: ignore[misc]
    code = 408
    reason = "Request Timeout"


class _CompressedBody(Error):  # type: ignore[misc]
    code = 415
    reason = "Unsupported Media Type"


class Busy(Error):  # type: ignore[misc]
    code = 503
    reason = "Service Unavailable"


class _Body(io.BytesIO):
    """A body in memory, with the methods that waitress calls on a buffer."""

    def __len__(self) -> int:
        return self.tell()  # the position is the end, as nothing is read before the body is complete

    def append(self, data: bytes) -> None:
        self.write(data)

    def getfile(self) -> "_Body":
        return self

    def take(self) -> bytes:
        """Hand the bytes over without copying them."""
        data = self.getvalue()
        self.close()
        return data


class _Nowhere:
    def __len__(self) -> int:
        return 0

    def append(self, data: bytes) -> None:
        pass

    def close(self) -> None:
        pass


class Parser(HTTPRequestParser):  # type: ignore[misc]
    """``begun`` is when the first byte of the request arrived, on the clock of ``time.monotonic``."""

    error: Error | None
    expect_continue: bool
    # For the log line of a request that ended before these were read.
    command = path = ""

    def __init__(self, adj: object) -> None:
        super().__init__(adj)
        self.begun = time.monotonic()
        self._refusal: Error | None = None
        self._waits_since: float | None = None
        self._waited = 0.0

    def parse_header(self, header_plus: bytes) -> None:
        try:
            head, all_fit = bounded(header_plus)
        except ValueError as error:
            raise ParsingError(str(error)) from error
        super().parse_header(head)
        if self.body_rcv is not None:
            self.body_rcv.buf = _Body()
        if not all_fit:
            self._refuse(RequestHeaderFieldsTooLarge(""))
        elif self.body_rcv is not None and self.headers.get("CONTENT_ENCODING", "").lower() not in _NOT_COMPRESSED:
            self._refuse(_CompressedBody(""))

    def get_body_stream(self) -> _Body:
        return self.body_rcv.buf if self.body_rcv is not None else _Body()

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data[:_SLICE] if self.chunked else data)
        if self.error is not None:
            self.fail(self.error)
        elif self.body_rcv is not None:
            self._limit()
        elif self.completed and self._refusal is not None:
            self.fail(self._refusal)
        if self.completed:
            self.expect_continue = False  # nothing more is wanted of the client
        return consumed

    def _limit(self) -> None:
        size, limit = len(self.body_rcv), self.adj.max_body_bytes
        self.adj.memory.hold(self, size, self.completed)
        if max(self.content_length, size) > limit and self._refusal is None:
            self._refuse(RequestEntityTooLarge(""))
        elif self.chunked and len(self.body_rcv.control_line) + len(self.body_rcv.trailer) > _MAX_CHUNK_LINE:
            self.fail(BadRequest(""))
        if self._refusal is not None:
            at_its_end = self.completed or self.expect_continue
            if at_its_end or max(self.content_length, self.body_bytes_received) > _DROPPED * limit:
                self.fail(self._refusal)

    def _refuse(self, error: Error) -> None:
        self._refusal = error
        if self.body_rcv is not None:
            self.body_rcv.buf = _Nowhere()
        self.adj.memory.release(self)

    def fail(self, error: Error) -> None:
        """Answer with this error now, whatever is still to come."""
        self.error = error
        self.completed = True

    def may_read(self) -> bool:
        """Whether more of this request may be read now; a request that takes too long is ended.

        The server asks at least once a second.
        """
        now = time.monotonic()
        if self._refusal is not None or self.adj.memory.has_room(self, len(self.body_rcv or ())):
            self._waited += now - (self._waits_since or now)
            self._waits_since = None
        else:
            self._waits_since = self._waits_since or now
            if self._waited + now - self._waits_since < self.adj.request_timeout * _WAIT_SHARE:
                return False
            self._refuse(Busy(""))
        elapsed = now - self.begun - self._waited
        received = self.header_bytes_received + self.body_bytes_received
        if elapsed > self.adj.body_timeout or received < (elapsed - _RATE_FROM) * _MIN_RATE:
            self.fail(self._refusal or _RequestTimeout(""))
        return True

    def close(self) -> None:
        super().close()
        self.adj.memory.release(self)
