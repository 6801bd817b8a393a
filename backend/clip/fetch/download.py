"""The photo behind a URL: one GET without redirects, within a request's limits of time and memory."""

import io
import os
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse, IncompleteRead
from typing import Any, cast

from server.body_memory import BodyMemory

from ..deadline import Deadline
from ..errors import BodyTooLarge, UrlFailed, UrlUnavailable
from ..limits import MAX_IMAGE_BYTES
from ..version import VERSION
from .addresses import Address, addresses
from .urls import SETTING, Origin, Remote, allowed_origins, require_allowed

ALLOWED = allowed_origins(os.environ.get(SETTING, ""))
_PIECE = 1 << 16
# What photos over 1 MiB take at a time, and one of them more. Those beyond it are not read further until there is room.
_MEMORY = BodyMemory(48 << 20)
_PAUSE = 0.05


class _Time:
    """How long the fetch may take: half of what its request has left, so that the other half remains for the photo."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._end = time.monotonic() + deadline.left() / 2

    def left(self) -> float:
        """Seconds, more than 0.

        Raises:
            TimeoutError: the time is over.
            Busy: the caller has gone.
        """
        self._deadline.require()
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class _Source(io.RawIOBase):
    """What comes from a connection, each piece within what is left of the whole time."""

    def __init__(self, connection: socket.socket, time_left: _Time) -> None:
        self._connection = connection
        self._time = time_left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(self._time.left())
        return self._connection.recv_into(buffer)

    def makefile(self, *_: Any) -> io.BufferedReader:
        """What ``HTTPResponse`` wants of a socket."""
        return io.BufferedReader(self)


@contextmanager
def fetched(url: str, deadline: Deadline) -> Iterator[memoryview]:
    """The file behind a URL; its memory counts as used until the block ends.

    Raises:
        BadParameter: that is not a plain URL.
        UrlNotAllowed: nothing is fetched from there.
        UrlFailed: there is no such file, or it is said to be elsewhere.
        UrlUnavailable: it did not come, or not in time.
        BodyTooLarge: it has over ``MAX_IMAGE_BYTES``.
        Busy: the time of the request is over, or the caller has gone.
    """
    remote = require_allowed(url, ALLOWED)
    host = remote.origin.host
    owner = object()
    try:
        try:
            with deadline.fetches():
                file = _get(remote, _Time(deadline), owner)
        except TimeoutError as error:
            raise UrlUnavailable(f"{host} did not send the photo in time.") from error
        except ssl.SSLCertVerificationError as error:
            raise UrlFailed(f"The certificate of {host} does not hold: {error.verify_message}.") from error
        except (OSError, HTTPException) as error:
            raise UrlUnavailable(f"{host} cannot be reached, or its answer broke off.") from error
        yield file
    finally:
        _MEMORY.release(owner)


def _get(remote: Remote, time_left: _Time, owner: object) -> memoryview:
    origin = remote.origin
    with _connect(origin, addresses(origin, time_left.left()), time_left) as connection:
        # No character of the target ends a line: see ``urls``.
        lines = (
            f"GET {remote.target} HTTP/1.1",
            f"Host: {origin.authority}",
            f"User-Agent: serverless-image-recognizer/{VERSION}",
            "Accept: image/*, application/octet-stream",
            "Accept-Encoding: identity",
            "Connection: close",
        )
        connection.settimeout(time_left.left())
        connection.sendall("\r\n".join((*lines, "", "")).encode("ascii"))
        response = HTTPResponse(cast(socket.socket, _Source(connection, time_left)), method="GET")
        response.begin()
        _require_file(response, origin.host)
        return _read(response, time_left, owner)


def _connect(origin: Origin, candidates: list[Address], time_left: _Time) -> socket.socket:
    """A connection to the first address that takes one; each has its share of the time."""
    refused: OSError = OSError("no address")
    for position, address in enumerate(candidates):
        connection = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6)
        try:
            connection.settimeout(time_left.left() / (len(candidates) - position))
            connection.connect((str(address), origin.port))
        except OSError as error:
            connection.close()
            refused = error
            continue
        connection.settimeout(time_left.left())
        return _secured(connection, origin) if origin.is_secure else connection
    raise refused


def _secured(connection: socket.socket, origin: Origin) -> ssl.SSLSocket:
    try:
        return ssl.create_default_context().wrap_socket(connection, server_hostname=origin.bare_host)
    except BaseException:
        connection.close()
        raise


def _require_file(response: HTTPResponse, host: str) -> None:
    status = response.status
    if status == 429 or status >= 500:
        raise UrlUnavailable(f"{host} answered {status}.")
    if 300 <= status < 400:
        raise UrlFailed(f"{host} answered {status}, and redirects are not followed: send the URL of the file itself.")
    if status != 200:
        raise UrlFailed(f"{host} answered {status}: the URL is wrong, or is no longer valid.")
    if response.getheader("Content-Encoding", "identity").lower() != "identity":
        raise UrlFailed(f"{host} sends the file compressed, though it was asked not to.")
    if response.length is not None and response.length > MAX_IMAGE_BYTES:
        raise _too_large()


def _read(response: HTTPResponse, time_left: _Time, owner: object) -> memoryview:
    data = bytearray()
    while piece := response.read(_PIECE):
        data += piece
        if len(data) > MAX_IMAGE_BYTES:
            raise _too_large()
        _MEMORY.hold(owner, len(data), complete=False)
        while not _MEMORY.has_room(owner, len(data)):
            time.sleep(min(_PAUSE, time_left.left()))
    if response.length:
        raise IncompleteRead(b"", response.length)
    _MEMORY.hold(owner, len(data), complete=True)
    return memoryview(data)


def _too_large() -> BodyTooLarge:
    return BodyTooLarge(f"The file behind the URL has over {MAX_IMAGE_BYTES:,} bytes, which is the limit of an image.")
