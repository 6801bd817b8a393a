"""What a function's container runs: it opens the function's port, then becomes the watchdog.

    python -S listen.py WATCHDOG

The watchdog starts ``index.py`` and at once passes requests on to it, with an empty 500 for the caller where nobody
listens. So the port is open before there is a watchdog. ``index.py`` inherits the socket, in whose queue requests wait.

Each millisecond here delays the watchdog. That is why this imports the modules beneath ``socket`` and ``signal``, which
are there in a third of the time, and takes the address apart by hand.
"""

import _signal  # type: ignore[import-not-found]
import _socket
import os
import sys

# The environment variable with the descriptor of the socket that the watchdog and index.py inherit.
_DESCRIPTOR = "listening_descriptor"
_BACKLOG = 1024
# Data that the kernel has received and nobody has read yet counts as the container's memory: without this limit, up to
# 6 MB for each connection.
_RECEIVE_BUFFER = 262144


def descriptor() -> int:
    """The descriptor of a socket that accepts connections at the watchdog's ``upstream_url``: inherited, or a new one.

    The process ends with a message where it cannot listen there.
    """
    inherited = os.environ.pop(_DESCRIPTOR, None)
    return _listen() if inherited is None else int(inherited)


def _listen() -> int:
    url = os.environ.get("upstream_url", "http://127.0.0.1:5000")
    host, colon, port = url.partition("://")[2].partition("/")[0].partition(":")
    try:
        sock = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        sock.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
        sock.setsockopt(_socket.SOL_SOCKET, _socket.SO_RCVBUF, _RECEIVE_BUFFER)
        sock.bind((host, int(port) if colon else 80))
        sock.listen(_BACKLOG)
    except (OSError, OverflowError, ValueError) as error:
        sys.exit(f"Cannot listen at {url}: {error}")
    return sock.detach()


if __name__ == "__main__":
    number = _listen()
    os.set_inheritable(number, True)
    os.environ[_DESCRIPTOR] = str(number)
    # Python ignores these, and what is ignored stays so in the program that it becomes.
    for ignored in (_signal.SIGPIPE, _signal.SIGXFSZ):
        _signal.signal(ignored, _signal.SIG_DFL)
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606 - no shell is needed
