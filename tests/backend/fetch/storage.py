"""A server of files on this machine, which serves a photo at a signed URL and misbehaves at others."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Behavior = Callable[[socket.socket, bytes], None]
"""Is given a connection, and the request that came by it, without the empty line at its end."""


class Storage:
    """Answers at each target as it is told.

    Attributes:
        url: its origin.
        behaviors: by path and query.
        requests: what has come, in order.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.behaviors: dict[str, Behavior] = {}
        self.requests: list[str] = []

    def serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            request = b""
            while b"\r\n\r\n" not in request:
                piece = connection.recv(4096)
                if not piece:
                    return
                request += piece
            head = request.partition(b"\r\n\r\n")[0]
            self.requests.append(head.decode())
            target = head.split(b" ")[1].decode()
            self.behaviors.get(target, answers(403))(connection, head)


def answers(status: int, body: bytes = b"", **headers: str) -> Behavior:
    """Answers so, with a length; ``_`` in the name of a header stands for ``-``."""

    def behave(connection: socket.socket, _: bytes) -> None:
        lines = [f"HTTP/1.1 {status} Text", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        connection.sendall("\r\n".join((*lines, "", "")).encode() + body)

    return behave


def sends(*pieces: bytes, until: Callable[[], bool] = lambda: True, pause: float = 0.0) -> Behavior:
    """Sends these bytes as they are, the last of them again and again until the condition holds."""

    def behave(connection: socket.socket, _: bytes) -> None:
        for piece in pieces:
            connection.sendall(piece)
        waiting = threading.Event()
        while not until():
            waiting.wait(pause)
            connection.sendall(pieces[-1])

    return behave


@contextmanager
def storage(address: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Iterator[Storage]:
    """A running one, on a free port."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as listening:
        host = f"[{address}]" if ":" in address else address
        served = Storage(f"{'https' if tls else 'http'}://{host}:{listening.getsockname()[1]}")

        def handle(connection: socket.socket) -> None:
            try:
                served.serve(tls.wrap_socket(connection, server_side=True) if tls else connection)
            except OSError:  # a client that does not trust it
                connection.close()

        def accept() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=handle, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield served
        finally:
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
