"""A request while it arrives: limits on its size, its memory and its time, and the reading on after a refusal.

A refusal is answered when the rest of the body has been read and dropped. A proxy like the gateway's and the watchdog's
takes an answer before that, with a connection that closes, for a broken upload and may say 502 instead.
"""

import io
import time

from waitress.parser import HTTPRequestParser  # type: ignore[import-untyped]
from waitress.utilities import BadRequest, Error, RequestEntityTooLarge  # type: ignore[import-untyped]

# Chunk sizes, their extensions and trailers are lines that waitress keeps until they end, without a limit of its own.
_MAX_CHUNK_LINE = 4096
# waitress copies the rest of what it was given for every chunk: many tiny chunks in a large piece would cost seconds.
_SLICE = 4096
# After a refusal, this many times the largest body is read and dropped, then the answer does not wait any longer.
_DROPPED = 8
# A request that is still arriving after some seconds must have come at this rate, in bytes per second.
_GRACE = 5.0
_MIN_RATE = 4096
# The share of a request's time that a large body waits for memory.
_PATIENCE = 1 / 3


class _RequestTimeout(Error):  # type: ignore[misc]
    code = 408
    reason = "Request Timeout"


class Busy(Error):  # type: ignore[misc]
    code = 503
    reason = "Service Unavailable"


class _Body(io.BytesIO):
    """A body in memory, with what waitress asks of a buffer."""

    def __len__(self) -> int:
        return self.tell()  # it is only written

    def append(self, data: bytes) -> None:
        self.write(data)

    def getfile(self) -> "_Body":
        return self

    def take(self) -> bytes:
        """Returns the bytes without a copy of them, and keeps none."""
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
    """`begun` is when the request's first byte came, on the clock of `time.monotonic`."""

    error: Error | None
    expect_continue: bool
    # What is logged of a request that ended before these were read.
    command = path = ""

    def __init__(self, adj: object) -> None:
        super().__init__(adj)
        self.begun = time.monotonic()
        self._refusal: Error | None = None
        self._waits_since: float | None = None
        self._waited = 0.0

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        if self.body_rcv is not None:
            self.body_rcv.buf = _Body()

    def get_body_stream(self) -> _Body:
        return self.body_rcv.buf if self.body_rcv is not None else _Body()

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data[:_SLICE] if self.chunked else data)
        if self.error is not None:
            self.fail(self.error)
        elif self.body_rcv is not None:
            self._limit()
        if self.completed:
            self.expect_continue = False  # nothing is to come any more
        return consumed

    def _limit(self) -> None:
        size, limit = len(self.body_rcv), self.adj.max_body_bytes
        self.adj.memory.hold(self, size, self.completed)
        if max(self.content_length, size) > limit and self._refusal is None:
            self._refuse(RequestEntityTooLarge(""))
        elif self.chunked and len(self.body_rcv.control_line) + len(self.body_rcv.trailer) > _MAX_CHUNK_LINE:
            self.fail(BadRequest(""))
        if self._refusal is not None:
            nothing_comes = self.completed or self.expect_continue
            if nothing_comes or max(self.content_length, self.body_bytes_received) > _DROPPED * limit:
                self.fail(self._refusal)

    def _refuse(self, error: Error) -> None:
        self._refusal = error
        self.body_rcv.buf = _Nowhere()
        self.adj.memory.release(self)

    def fail(self, error: Error) -> None:
        """Answers with this error now, whatever still comes."""
        self.error = error
        self.completed = True

    def may_read(self) -> bool:
        """Whether more of this request may be read now. Asked at least once a second; ends what takes too long."""
        now = time.monotonic()
        if self._refusal is not None or self.adj.memory.has_room(self, len(self.body_rcv or ())):
            self._waited += now - (self._waits_since or now)
            self._waits_since = None
        else:
            self._waits_since = self._waits_since or now
            if self._waited + now - self._waits_since < self.adj.request_timeout * _PATIENCE:
                return False
            self._refuse(Busy(""))
        elapsed = now - self.begun - self._waited
        received = self.header_bytes_received + self.body_bytes_received
        if elapsed > self.adj.body_timeout or received < (elapsed - _GRACE) * _MIN_RATE:
            self.fail(self._refusal or _RequestTimeout(""))
        return True

    def close(self) -> None:
        super().close()
        self.adj.memory.release(self)
