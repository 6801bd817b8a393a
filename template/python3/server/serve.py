"""Puts the parts together and serves until SIGINT."""

import logging
import socket
import sys

from waitress.server import create_server  # type: ignore[import-untyped]

from . import log
from .application import Application
from .loader import Loader
from .settings import Settings
from .transport import Channel

_UNLIMITED = sys.maxsize


def serve(sock: socket.socket) -> None:
    """Serves on a listening socket. Exits with status 2 for a setting that makes no sense."""
    log.configure()
    try:
        settings = Settings.from_environment()
    except ValueError as error:
        logging.getLogger("function").critical("%s", error)
        sys.exit(2)
    loader = Loader()
    server = create_server(
        Application(loader, settings.handler_wait, settings.request_timeout).wsgi,
        sockets=[sock],
        threads=settings.server_threads,
        # Bodies stay in memory, in and out: /tmp may be full or read-only. The parser limits what comes in.
        inbuf_overflow=_UNLIMITED,
        max_request_body_size=_UNLIMITED,
        outbuf_overflow=_UNLIMITED,
        outbuf_high_watermark=_UNLIMITED,
        recv_bytes=65536,
        # Looks at a connection while its request is handled: a handler can be told that its caller has gone.
        channel_request_lookahead=1,
        # A stalled client costs a connection, never a thread, and is closed after this many seconds.
        channel_timeout=30,
        cleanup_interval=5,
        connection_limit=500,
        asyncore_use_poll=True,
        # The watchdog's X-Forwarded-* headers are for the handler.
        clear_untrusted_proxy_headers=False,
        ident=None,
    )
    server.adj.max_body_bytes = settings.max_body_bytes
    server.channel_class = Channel
    loader.start()
    server.run()
