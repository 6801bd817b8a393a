"""What the watchdog starts in a function's container: the HTTP server in front of `function.handler`.

The order matters. The port is bound with the standard library alone, within milliseconds. A request that comes while
the server and the handler are still being imported waits in the socket's queue, then in the server, and is answered;
else the first requests of a new container fail.
"""

import os
import signal
import socket
import sys
from urllib.parse import urlsplit

_BACKLOG = 1024
# What waits unread in the kernel counts as the container's memory: without this, up to 6 MB a connection.
_RECEIVE_BUFFER = 262144


def listen(url: str) -> socket.socket:
    """Returns a socket that accepts connections at the watchdog's `upstream_url`. Raises OSError, ValueError."""
    address = urlsplit(url)
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    sock.bind((address.hostname, address.port or 80))
    sock.listen(_BACKLOG)
    return sock


def main() -> None:
    # The watchdog passes SIGTERM on at once, then drains the requests in flight and kills: until then, go on serving.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    url = os.environ.get("upstream_url", "http://127.0.0.1:5000")
    try:
        sock = listen(url)
    except (OSError, ValueError) as error:
        sys.exit(f"Cannot listen at {url}: {error}")

    from server.serve import serve

    serve(sock)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
