"""A service on a real port that says whatever a test wants, byte by byte if need be."""

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

Script = Callable[[socket.socket, threading.Event], None]
"""Answers one request; the event is set when the test is over."""


def response(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """A whole answer that is framed well."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Content-Type: application/json", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def says(data: bytes, *, and_closes: bool = False) -> Script:
    """Sends these bytes."""

    def script(client: socket.socket, _over: threading.Event) -> None:
        client.sendall(data)
        if and_closes:
            client.shutdown(socket.SHUT_RDWR)

    return script


def trickles(head: bytes, again: bytes) -> Script:
    """Sends the head, then the same few bytes again and again."""

    def script(client: socket.socket, over: threading.Event) -> None:
        client.sendall(head)
        while not over.wait(0.1):
            client.sendall(again)

    return script


def pours(head: bytes, block: bytes) -> Script:
    """Sends as much as is taken."""

    def script(client: socket.socket, over: threading.Event) -> None:
        client.sendall(head)
        while not over.is_set():
            client.sendall(block)

    return script


def says_nothing(_client: socket.socket, over: threading.Event) -> None:
    over.wait()


class Hostile:
    """``script`` answers each POST, ``scripts`` those of certain photos, ``describe`` each GET."""

    def __init__(self, url: str, describe: Script) -> None:
        self.url = url
        self.script: Script = says_nothing
        self.scripts: Mapping[bytes, Script] = {}
        self.describe = describe
        self.reads_bodies = True
        self.requests: list[bytes] = []
        """The head of each request."""


@contextmanager
def hostile(describe: Script) -> Iterator[Hostile]:
    """Runs it until the block ends."""
    over = threading.Event()

    def serve(client: socket.socket) -> None:
        with client, suppress(OSError):
            while request := _request(client, service.reads_bodies):
                head, photo = request
                service.requests.append(head)
                is_get = head.startswith(b"GET ")
                (service.describe if is_get else service.scripts.get(photo, service.script))(client, over)

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=serve, args=(client,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        service = Hostile(f"http://127.0.0.1:{listener.getsockname()[1]}/function/clip", describe)
        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            yield service
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
            acceptor.join()


def _request(client: socket.socket, reads_body: bool) -> tuple[bytes, bytes] | None:
    """A request's head and body; None at the end of the connection."""
    received = b""
    while b"\r\n\r\n" not in received:
        block = client.recv(65536)
        if not block:
            return None
        received += block
    head, _, body = received.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while reads_body and len(body) < length:
        block = client.recv(65536)
        if not block:
            return None
        body += block
    return head, body
