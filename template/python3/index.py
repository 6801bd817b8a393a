"""What the watchdog starts in a function's container: the HTTP server in front of ``function.handler``.

The order matters. The port is open first: ``listen.py`` has opened it before it started the watchdog, or it is opened
here, before anything else is imported. A request that arrives while the server and the handler are still being imported
waits in the socket's queue, then in the server, and is answered. Without this, the first requests to a new container
fail.
"""

from listen import descriptor


def main() -> None:
    """Serve until SIGINT."""
    listening = descriptor()

    import signal
    import socket

    # The watchdog passes SIGTERM on at once, then waits for the requests that are in flight, then kills this process.
    # Until then it has to go on serving.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sock = socket.socket(fileno=listening)
    sock.set_inheritable(False)  # not for the processes that a handler starts

    from server.serve import serve

    serve(sock)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
