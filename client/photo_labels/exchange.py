"""Requests whose answer has a limit of size, and one of time as a whole.

The libraries' own timeouts begin anew with each byte: a service that sends one a second would hold a request for ever.
"""

import logging
import socket
import threading
import time
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from ipaddress import IPv6Address, ip_address
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from .answers import BadAnswer

_CONNECT_TIMEOUT = 10.0
_BLOCK = 65536
# Over twice what a thousand of the longest labels take.
_MOST_BYTES = 2 << 20
# In seconds: how often the requests under way are looked at.
_LOOK_EVERY = 0.25

# Its warnings quote what was received.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Answer:
    """A whole answer: ``body`` as it came, ``headers`` by names in any case."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes


class Exchange:
    """Sends requests to one address. It may be used by any number of threads.

    The environment names proxies and certificates; a service on this computer is never asked through a proxy.

    Args:
        url: the address.
        seconds: how long sending a request may take, and then its whole answer.
        connections: how many are kept open.
    """

    def __init__(self, url: str, seconds: float, connections: int) -> None:
        self._seconds = seconds
        self._session = requests.Session()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._session.headers["Accept"] = "application/json"
        # Nothing has to be unpacked, so no small answer can become a large one.
        self._session.headers["Accept-Encoding"] = "identity"
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Adapter(pool_maxsize=connections))
        # What is the same for all requests is prepared once.
        self._settings = self._session.merge_environment_settings(url, {}, True, None, None)
        if _is_this_computer(urlsplit(url).hostname or ""):
            self._settings["proxies"] = {}
        self._under_way: set[_UnderWay] = set()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def close(self) -> None:
        """Close the connections. No request may be under way, or be sent any more."""
        self._closed.set()
        self._session.close()

    @property
    def headers(self) -> MutableMapping[str, str | bytes]:
        """Those of each request that is prepared after they are set."""
        return self._session.headers

    def prepare(self, request: requests.Request) -> requests.PreparedRequest:
        return self._session.prepare_request(request)

    def send(self, request: requests.PreparedRequest) -> Answer:
        """Send a request and read its answer. Redirects are not followed.

        Raises:
            requests.RequestException: there is no whole answer in time.
            BadAnswer: it is too large.
        """
        under_way = _UnderWay(self._seconds)
        with self._lock:
            self._under_way.add(under_way)
        _this_thread.under_way = under_way
        try:
            answer = self._read(request)
        except (requests.RequestException, HTTPError) as error:
            if under_way.is_late:
                raise requests.ReadTimeout("no answer in time") from None
            if isinstance(error, HTTPError):  # while its body was read
                raise requests.ConnectionError(error) from error
            raise
        finally:
            del _this_thread.under_way
            with self._lock:
                self._under_way.remove(under_way)
        if under_way.is_late:  # it may look whole where only its end says so
            raise requests.ReadTimeout("no answer in time")
        return answer

    def _read(self, request: requests.PreparedRequest) -> Answer:
        timeout = (min(_CONNECT_TIMEOUT, self._seconds), self._seconds)
        with self._session.send(
            request, timeout=timeout, allow_redirects=False, **(self._settings | {"stream": True})
        ) as answer:
            body = bytearray()
            while block := answer.raw.read(_BLOCK, decode_content=False):
                body += block
                if len(body) > _MOST_BYTES:
                    raise BadAnswer(f"The answer has more than {_MOST_BYTES:,} bytes.")
            return Answer(answer.status_code, answer.reason or "", answer.headers, bytes(body))

    def _watch(self) -> None:
        while not self._closed.wait(_LOOK_EVERY):
            with self._lock:
                for each in self._under_way:
                    each.end_if_late()


class _UnderWay:
    """A request of one thread: when its time is over, and the socket that it waits at."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = 0.0
        self._socket: socket.socket | None = None
        self.is_late = False

    def begin(self, sock: socket.socket) -> None:
        """Begin the time anew: the connection is there, or the request has been sent."""
        self._end = time.monotonic() + self._seconds
        self._socket = sock

    def end_if_late(self) -> None:
        if self._socket is not None and time.monotonic() > self._end:
            self.is_late = True
            with suppress(OSError):  # it is closed already
                # Not the method of a TLS socket, which must not be called while another thread reads.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


_this_thread = threading.local()


class _Connection(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        self._begin()

    def request(self, *arguments: Any, **options: Any) -> None:
        self._begin()
        super().request(*arguments, **options)
        self._begin()

    def _begin(self) -> None:
        if self.sock is not None:
            self.sock.settimeout(None)  # until the answer is waited for; else that of connecting
            _this_thread.under_way.begin(self.sock)


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        _use_own_pools(self.poolmanager)

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> ProxyManager:
        manager: ProxyManager = super().proxy_manager_for(*arguments, **options)
        if isinstance(manager, ProxyManager):  # else one for SOCKS, whose connections are its own
            _use_own_pools(manager)
        return manager


def _use_own_pools(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


def _is_this_computer(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    return address.is_loopback or address.is_unspecified
