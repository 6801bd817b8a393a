"""What the watchdog starts in a function's container: the HTTP server in front of `function.handler`.

The order matters. The port is bound with the standard library alone, within milliseconds, and only then the container
calls itself healthy (the lock file). A request that comes while the server and the handler are still being imported
waits in the socket's queue, then in the server, and is answered; else the first requests of a new container fail.
"""

import os
import signal
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

BACKLOG = 1024


def listen(url: str) -> socket.socket:
    """Returns a socket that accepts connections at the watchdog's `upstream_url`. Raises OSError, ValueError."""
    address = urlsplit(url)
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((address.hostname, address.port or 80))
    sock.listen(BACKLOG)
    return sock


def write_lock(path: Path) -> None:
    """Calls the container healthy, as the watchdog's own lock would before anything listens."""
    try:
        path.touch()
    except OSError as error:
        sys.stderr.write(f"Cannot write {path}: {error}. The watchdog will call this container unhealthy.\n")


def main() -> None:
    # The watchdog passes SIGTERM on at once, then drains the requests in flight and kills: until then, go on serving.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    url = os.environ.get("upstream_url", "http://127.0.0.1:5000")
    try:
        sock = listen(url)
    except (OSError, ValueError) as error:
        sys.exit(f"Cannot listen at {url}: {error}")
    if os.environ.get("suppress_lock") == "true":
        write_lock(Path(os.environ.get("TMPDIR", "/tmp"), ".lock"))  # noqa: S108

    from server.serve import serve

    serve(sock)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
