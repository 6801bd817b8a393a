"""Whatever answers in the place of ``clip``, ``index`` says so in time, within its memory, and its page opens."""

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import requests

from tests.frontend.gateway import DESCRIPTION, prediction
from tests.functions import serving
from tests.launch import Running
from tests.processes import MEGABYTE, Watch

TIMEOUT = 3.0
PHOTO = b"\xff\xd8\xffphoto"

Say = Callable[[socket.socket], None]


def whole(body: bytes, *headers: str, status: str = "200 OK") -> Say:
    """Says this, and closes the connection."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return lambda client: client.sendall("\r\n".join(lines).encode() + body)


def document(value: Any) -> Say:
    return whole(json.dumps(value).encode(), "Content-Type: application/json")


def endless(head: bytes, part: bytes, every: float = 0.0) -> Say:
    """Says the part again and again until nobody listens."""

    def say(client: socket.socket) -> None:
        client.sendall(head)
        while True:
            client.sendall(part)
            time.sleep(every)

    return say


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
GOOD = prediction()
NONSENSE: dict[str, tuple[Say, set[int]]] = {
    "nothing": (lambda client: None, {502}),
    "no http": (lambda client: client.sendall(b"garbage\r\n" * 100), {502}),
    "silence": (lambda client: time.sleep(TIMEOUT + 5), {504}),
    "an endless body": (endless(b"HTTP/1.1 200 OK\r\n\r\n", b"[" * 65536), {502}),
    "endless chunks": (endless(CHUNKED, b"1000\r\n" + b" " * 4096 + b"\r\n"), {502}),
    "an endless chunk size": (endless(CHUNKED, b"0" * 65536), {502}),
    "endless headers": (endless(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), {502}),
    "an endless header": (endless(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 65536), {502}),
    "endless 100 Continue": (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01), {504}),
    "trickled headers": (endless(b"HTTP/1.1 200 OK\r\nX: ", b"y", 0.1), {504}),
    "a trickled body": (endless(b"HTTP/1.1 200 OK\r\n\r\n", b" ", 0.1), {504}),
    "a trickled chunk size": (endless(CHUNKED, b"0", 0.1), {504}),
    "a gzip bomb": (whole(gzip.compress(b"[" * 100 * MEGABYTE), "Content-Encoding: gzip"), {502}),
    "a redirect": (whole(b"", "Location: http://127.0.0.1:9/", status="302 Found"), {502}),
    "deeply nested": (whole(b'{"predictions": ' + b"[" * 500_000), {502}),
    "a number of many digits": (whole(b'{"predictions": ' + b"9" * 500_000 + b"}"), {502}),
    "no object": (document([1, 2]), {502}),
    "predictions that are none": (document(GOOD | {"predictions": "cat"}), {502}),
    "no prediction": (document(GOOD | {"predictions": []}), {502}),
    "a score that is text": (document(GOOD | {"predictions": [{"label": "cat", "score": "0.9"}]}), {502}),
    "a score of nothing": (document(GOOD | {"predictions": [{"label": "cat", "score": 0}]}), {502}),
    "a label that is a list": (document(GOOD | {"predictions": [{"label": ["cat"], "score": 0.9}]}), {502}),
    "confidence that is not a number": (whole(json.dumps(GOOD).replace("0.934", "NaN").encode()), {502}),
    "a tag without its path": (document(GOOD | {"tags": [{"label": "cat", "confidence": 1}]}), {502}),
    "tags that are text": (document(GOOD | {"tags": ["cat"]}), {502}),
    "unknown words that are text": (document(GOOD | {"unknown": ["cat"]}), {502}),
    "instead that is text": (document(GOOD | {"instead": "cat"}), {502}),
    "results that are none": (document({"results": {"0": GOOD}}), {502}),
    "an error that is text": (whole(b'{"error": "no"}', status="422 Unprocessable"), {502}),
    "an error without a message": (whole(b'{"error": {"code": 7}}', status="422 Unprocessable"), {502}),
    "a header in two lines": (
        whole(json.dumps(GOOD).encode(), "Server-Timing: a,\r\n b;dur=1", "X-Confidence: \x01"),
        {200},
    ),
}


@contextmanager
def saying(say: Say) -> Iterator[str]:
    """A server that says this to all who come; its address."""

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=answer, args=[client], daemon=True).start()

    def answer(client: socket.socket) -> None:
        with client, suppress(OSError):
            client.settimeout(30)
            client.recv(65536)
            say(client)

    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        threading.Thread(target=serve, args=[listener], daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture(scope="module")
def current() -> list[Say]:
    """What the only one in the list says is what is said."""
    return [NONSENSE["nothing"][0]]


@pytest.fixture(scope="module")
def index(current: list[Say]) -> Iterator[Running]:
    with (
        saying(lambda client: current[0](client)) as url,
        serving("index", gateway_url=url, clip_timeout=f"{TIMEOUT}s") as program,
    ):
        yield program
        assert "Traceback" not in program.output()


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
@pytest.mark.parametrize("name", NONSENSE)
def test_an_answer_that_cannot_be_clips(name: str, accept: str, index: Running, current: list[Say]) -> None:
    current[0], statuses = NONSENSE[name]
    start = time.monotonic()
    with Watch(index.process.pid) as memory:
        answer = requests.post(index.url, data=PHOTO, headers={"Accept": accept}, timeout=30)
        page = requests.get(index.url, timeout=30)

    assert answer.status_code in statuses
    assert time.monotonic() - start < TIMEOUT + 5
    if accept == "application/json" and answer.status_code != 200:
        assert answer.json()["error"]["code"] in ("clip_bad_answer", "clip_unreachable", "clip_timeout")
    assert page.status_code == 200
    assert memory.growth < 64 * MEGABYTE


DESCRIPTIONS: dict[str, Say] = {
    "numbers as labels": document(DESCRIPTION | {"labels": [1, 2]}),
    "labels that are text": document(DESCRIPTION | {"labels": "cat"}),
    "a million labels": document(DESCRIPTION | {"labels": ["cat"] * 1_000_000}),
    "nested labels": document(DESCRIPTION | {"labels": [["cat"]]}),
    "groups that are a list": document(DESCRIPTION | {"groups": ["cat"]}),
    "limits that are a list": document(DESCRIPTION | {"limits": [1]}),
    "everyday words that are none": document(DESCRIPTION | {"everyday": 7}),
}


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_a_description_that_cannot_be_clips(name: str, index: Running, current: list[Say]) -> None:
    current[0] = DESCRIPTIONS[name]

    answer = requests.get(index.url, params={"describe": ""}, timeout=30)

    assert answer.status_code == 502
    assert answer.json()["error"]["code"] in ("clip_bad_answer", "clip_unreachable")
    assert requests.get(index.url, timeout=30).status_code == 200


@pytest.mark.parametrize("said", ["16", -1, 10**30, 1.5, True, None, 0])
def test_a_number_of_places_that_makes_no_sense(said: Any, index: Running, current: list[Say]) -> None:
    current[0] = document(DESCRIPTION | {"limits": {"max_inflight": said}})
    assert requests.get(index.url, params={"describe": ""}, timeout=30).status_code == 200
    current[0] = document(GOOD)
    assert requests.post(index.url, data=PHOTO, timeout=30).status_code == 200
