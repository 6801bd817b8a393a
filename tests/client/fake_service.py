"""A service that answers like ``clip``, and fails as a test wants it to."""

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MAX_IMAGE_BYTES = 100_000
DESCRIPTION = {"model": "fake/photos", "limits": {"max_image_bytes": MAX_IMAGE_BYTES}}


class FakeService:
    """Answers a photo with its own text as the label.

    Attributes:
        capacity: more requests at a time are answered 429, as the watchdog does it.
        seconds: how long each answer takes.
        behave, describe: may answer in the place of the service, and then return True; they are given the request, and
            the photo.
        answered: how often each photo was answered.
        refused: how many requests were answered 429.
        most: the most requests that were being answered at a time.
    """

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.url = f"http://127.0.0.1:{server.server_port}/function/clip"
        self.capacity = 1000
        self.seconds = 0.0
        self.behave: Callable[[BaseHTTPRequestHandler, bytes], bool] = lambda _request, _photo: False
        self.describe: Callable[[BaseHTTPRequestHandler], bool] = lambda _request: False
        self.answered: Counter[str] = Counter()
        self.began: list[float] = []
        self.refused = self.most = self._now = 0
        self._lock = threading.Lock()

    def post(self, request: BaseHTTPRequestHandler, photo: bytes) -> None:
        with self._lock:
            self.began.append(time.monotonic())
            self._now += 1
            taken = self._now <= self.capacity
            self.most = max(self.most, self._now if taken else 0)
            self.refused += not taken
        try:
            if not taken:
                answer(request, 429, b"Concurrent request limit exceeded.\n", {"Content-Type": "text/plain"})
            elif not self.behave(request, photo):
                time.sleep(self.seconds)
                label = photo.decode()
                with self._lock:
                    self.answered[label] += 1
                said = {"predictions": [{"label": label, "score": 1.0}], "confidence": 1.0, "recognized": True}
                answer(request, 200, said)
        finally:
            with self._lock:
                self._now -= 1


def answer(
    request: BaseHTTPRequestHandler, status: int, body: bytes | dict[str, Any], headers: dict[str, str] | None = None
) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    request.send_response(status)
    for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(content)


@contextmanager
def fake_service(port: int = 0) -> Iterator[FakeService]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            connections.append(self)

        def do_GET(self) -> None:
            if not service.describe(self):
                answer(self, 200, DESCRIPTION)

        def do_POST(self) -> None:
            photo = self.rfile.read(int(self.headers["Content-Length"]))
            if len(photo) == int(self.headers["Content-Length"]):
                service.post(self, photo)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 128

        def handle_error(self, *_: Any) -> None:
            """A client that was killed is not an error here."""

    connections: list[BaseHTTPRequestHandler] = []
    with Server(("127.0.0.1", port), Handler) as server:
        service = FakeService(server)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()
            for connection in connections:
                with suppress(OSError):
                    connection.connection.shutdown(socket.SHUT_RDWR)
