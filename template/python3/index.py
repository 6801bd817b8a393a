"""What the watchdog starts in a function's container: the HTTP server in front of ``function.handler``.

The order matters. The port is bound first, with the standard library alone, within milliseconds. A request that arrives
while the server and the handler are still being imported waits in the socket's queue, then in the server, and is
answered. Without this, the first requests to a new container fail.
"""

import os
import signal
import socket
import sys
from urllib.parse import urlsplit

_BACKLOG = 1024
# Data that the kernel has received and nobody has read yet counts as the container's memory: without this limit, up to
# 6 MB for each connection.
_RECEIVE_BUFFER = 262144


def listen(url: str) -> socket.socket:
    """Open a socket that accepts connections at the watchdog's ``upstream_url``.

    Raises:
        OSError: the port is taken, or the address is not one of this machine.
        ValueError: the port is not a number.
    """
    address = urlsplit(url)
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    sock.bind((address.hostname, address.port or 80))
    sock.listen(_BACKLOG)
    return sock


def main() -> None:
    # The watchdog passes SIGTERM on at once, then waits for the requests that are in flight, then kills this process.
    # Until then it has to go on serving.
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
