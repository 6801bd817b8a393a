"""HTTP by hand, for what no client library would send."""

import json
import socket
from contextlib import closing

from tests.launch import Running


def connect(program: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(program.url.rpartition(":")[2])), timeout=20)


def answer(sock: socket.socket) -> bytes:
    """Returns all that comes until the server closes."""
    received = b""
    while block := sock.recv(65536):
        received += block
    return received


def exchange(program: Running, *parts: bytes) -> bytes:
    """Sends the parts, as far as the server takes them, and returns the answer."""
    with closing(connect(program)) as sock:
        for part in parts:
            try:
                sock.sendall(part)
            except OSError:
                break
        return answer(sock)


def status_and_error(raw: bytes) -> tuple[int, str]:
    """Returns the status and the error's code of an answer in JSON."""
    head, _, body = raw.partition(b"\r\n\r\n")
    assert b"application/json" in head
    return int(head.split()[1]), json.loads(body)["error"]["code"]
