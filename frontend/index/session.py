"""The HTTP session of the calls to ``clip``."""

import http.client
import io
import logging
import socket
import time
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

# One connection for each request that the watchdog lets in at a time.
DEFAULT_CONNECTIONS = "32"
# A photo that the kernel has yet to send counts as the container's memory: by default up to 4 MB for each connection.
_SEND_BUFFER = 131072

# Its warnings quote addresses, which contain the labels that a caller has sent.
logging.getLogger("urllib3").setLevel(logging.ERROR)


class _Punctual(io.RawIOBase):
    """What arrives at a socket within its timeout; the socket's own begins again with every byte."""

    def __init__(self, source: socket.socket) -> None:
        self._socket = source
        self._file = source.makefile("rb", buffering=0)
        timeout = source.gettimeout()
        self._end = None if timeout is None else time.monotonic() + timeout

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._end is not None:
            left = self._end - time.monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            self._socket.settimeout(left)
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """An answer whose headers and body, together, are there in time."""

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_Punctual(sock))


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        buffer = (socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        super().init_poolmanager(*arguments, **options, socket_options=[*HTTPConnection.default_socket_options, buffer])
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


def session(connections: int) -> requests.Session:
    """A session that keeps up to so many connections open, keeps no cookies and uses no proxy.

    Args:
        connections: 0 for any number.
    """
    session = requests.Session()
    session.trust_env = False  # a proxy named in the environment is not for calls inside the cluster
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(pool_connections=1, pool_maxsize=connections))
    return session
