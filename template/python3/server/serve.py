"""Builds the server from its parts and runs it until SIGINT."""

import logging
import math
import os
import socket
import sys
import threading
import time

from waitress.adjustments import Adjustments  # type: ignore[import-untyped]
from waitress.server import TcpWSGIServer  # type: ignore[import-untyped]
from waitress.task import ThreadedTaskDispatcher  # type: ignore[import-untyped]

from . import log
from .application import Application
from .body_memory import BodyMemory
from .channel import Channel
from .headers import MAX_HEAD_BYTES
from .health import Health, Lock
from .loader import Loader
from .settings import Settings

_UNLIMITED = sys.maxsize
_CONNECTIONS = 500
# Connections that are accepted, or closed to make room, in one turn of the loop.
_AT_A_TIME = 64
# Seconds after which a function that is still loading is reported as healthy. With the probes of faas-netes, Kubernetes
# ends a container that is not healthy after 6 s. Until then, a version that cannot be loaded replaces no running one.
_HEALTHY_AFTER = 4.0
# Seconds for answering the requests that wait when it turns out that the handler cannot be loaded.
_LAST_ANSWERS = 2.0


class _Server(TcpWSGIServer):  # type: ignore[misc]
    channel_class = Channel
    # waitress would look after its connections by a clock that may be set.
    next_channel_cleanup = math.inf
    _next_cleanup = 0.0

    def readable(self) -> bool:
        self.adj.health.beat()
        now = time.monotonic()
        if now >= self._next_cleanup:
            self._next_cleanup = now + self.adj.cleanup_interval
            self.maintenance(now)
        if len(self._map) > self.adj.connection_limit - _AT_A_TIME:
            self._make_room()
        return bool(super().readable())

    def handle_accept(self) -> None:
        for _ in range(_AT_A_TIME):
            connections = len(self._map)
            super().handle_accept()
            if len(self._map) == connections:
                break

    def _make_room(self) -> None:
        """Close connections that ask nothing, those first that have been silent for the longest time."""
        silent = [channel for channel in self.active_channels.values() if channel.asks_nothing()]
        silent.sort(key=lambda channel: channel.last_activity)
        for channel in silent[:_AT_A_TIME]:
            channel.will_close = True


def serve(sock: socket.socket) -> None:
    """Serve on a listening socket.

    The process exits with status 2 for a setting that makes no sense, and with 1 for a handler that cannot be imported.
    """
    log.configure()
    try:
        settings = Settings.from_environment()
    except ValueError as error:
        logging.getLogger("function").critical("%s", error)
        sys.exit(2)
    loader = Loader()
    lock = Lock.from_environment()
    health = Health(lock, settings.stuck_timeout)
    adjustments = Adjustments(
        threads=settings.server_threads,
        # Bodies stay in memory, in requests and answers: /tmp may be full or read-only. The parser limits them.
        max_request_body_size=_UNLIMITED,
        max_request_header_size=MAX_HEAD_BYTES,
        outbuf_overflow=_UNLIMITED,
        outbuf_high_watermark=_UNLIMITED,
        recv_bytes=65536,
        # A connection is looked at while its request is handled, so that a handler knows when its caller has gone.
        channel_request_lookahead=1,
        # A stalled client costs a connection, never a thread, and is closed after this many seconds.
        channel_timeout=30,
        cleanup_interval=5,
        connection_limit=_CONNECTIONS,
        asyncore_use_poll=True,
        # The watchdog's X-Forwarded-* headers are for the handler.
        clear_untrusted_proxy_headers=False,
        ident=None,
    )
    # For the connections, which see nothing else of the server.
    adjustments.max_body_bytes = settings.max_body_bytes
    adjustments.body_timeout = settings.body_timeout
    adjustments.request_timeout = settings.request_timeout
    adjustments.allow_origins = settings.allow_origins
    adjustments.memory = BodyMemory(settings.max_buffered_bytes)
    adjustments.health = health
    dispatcher = ThreadedTaskDispatcher()
    dispatcher.set_thread_count(adjustments.threads)
    server = _Server(
        Application(loader, health, settings).wsgi,
        {},
        _sock=sock,
        dispatcher=dispatcher,
        adj=adjustments,
        sockinfo=(sock.family, sock.type, sock.proto, sock.getsockname()),
        bind_socket=False,
    )
    loader.start()
    threading.Thread(target=_come_up, args=(loader, lock, health, server), name="health", daemon=True).start()
    server.run()


def _come_up(loader: Loader, lock: Lock, health: Health, server: _Server) -> None:
    """Report the container as healthy when the handler is loaded, and end the process if it cannot be loaded."""
    loader.wait(_HEALTHY_AFTER)
    if not loader.failed:
        lock.write()
    if loader.wait() is not None:
        health.watch()
    lock.remove()
    end = time.monotonic() + _LAST_ANSWERS
    while time.monotonic() < end:
        time.sleep(0.2)
        if not any(one.requests or one.total_outbufs_len for one in list(server.active_channels.values())):
            break
    os._exit(1)
