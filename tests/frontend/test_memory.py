"""What uploads take of the memory of ``index`` in the template's own server, while ``clip`` keeps them waiting."""

import json
import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
import requests
import yaml
from urllib3.filepost import encode_multipart_formdata

from tests.frontend import gateway
from tests.frontend.gateway import prediction
from tests.functions import serving
from tests.launch import PROJECT, Running
from tests.processes import MEGABYTE, Watch

ANSWER = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + json.dumps(prediction()).encode()
DESCRIPTION = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + json.dumps(gateway.DESCRIPTION).encode()
LIMIT = 512 * MEGABYTE


@dataclass
class Clip:
    """Describes itself; of each photo it takes the head, and its body and everything else only after ``go`` is set."""

    listener: socket.socket
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    go: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:  # the test is over
                return
            threading.Thread(target=self._answer, args=[connection], daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as request:
            if request.readline().startswith(b"GET"):
                connection.sendall(DESCRIPTION)
                return
            length = next(int(line.split(b":")[1]) for line in request if line.lower().startswith(b"content-length"))
            while request.readline().strip():
                pass
            self.arrived.release()
            self.go.wait(60)
            while length > 0:
                length -= len(request.read(min(length, 1 << 20)))
            connection.sendall(ANSWER)


@pytest.fixture
def clip() -> Iterator[Clip]:
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        clip = Clip(listener)
        threading.Thread(target=clip.serve, daemon=True).start()
        yield clip
        clip.go.set()


@pytest.fixture
def index(clip: Clip) -> Iterator[Running]:
    with serving("index", gateway_url=clip.url) as program:
        yield program


def request(kind: str, size: int) -> tuple[bytes, dict[str, str]]:
    """The body and headers of an upload: raw, as a form, or as a form from a browser without JavaScript."""
    photo = b"\xff\xd8\xff" + os.urandom(size - 3)
    if kind == "raw":
        return photo, {}
    body, content_type = encode_multipart_formdata([("labels", "a, b"), ("photo", ("a.jpg", photo, "image/jpeg"))])
    return body, {"Content-Type": content_type} | ({"Accept": "text/html"} if kind == "page" else {})


@pytest.mark.parametrize("kind", ["raw", "form", "page"])
def test_an_upload_takes_as_much_as_it_has_bytes(index: Running, clip: Clip, kind: str) -> None:
    count, size = 5, 19_000_000
    body, headers = request(kind, size)
    with ThreadPoolExecutor(count) as pool, Watch(index.process.pid) as watch:
        answers = [pool.submit(requests.post, index.url, body, headers=headers, timeout=60) for _ in range(count)]
        for _ in range(count):
            assert clip.arrived.acquire(timeout=30)
        clip.go.set()
        assert [answer.result().status_code for answer in answers] == [200] * count
    assert 0.9 * count * size < watch.growth < 1.25 * count * size


@pytest.mark.parametrize("kind", ["raw", "form"])
@pytest.mark.parametrize("size", [6_000_000, 19_000_000])
def test_as_many_uploads_as_the_watchdog_lets_in(index: Running, clip: Clip, kind: str, size: int) -> None:
    definition = yaml.safe_load((PROJECT / "stack.yml").read_text())["functions"]["index"]
    count = int(definition["environment"]["max_inflight"])
    assert definition["limits"]["memory"] == "512Mi"
    clip.go.set()
    body, headers = request(kind, size)
    with ThreadPoolExecutor(count) as pool, Watch(index.process.pid) as watch:
        answers = list(pool.map(lambda _: requests.post(index.url, body, headers=headers, timeout=60), range(count)))
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) <= {200, 503}
    assert statuses.count(200) >= count // 2
    assert all("Retry-After" in answer.headers for answer in answers if answer.status_code == 503)
    assert watch.peak < 0.6 * LIMIT
