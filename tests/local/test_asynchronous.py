"""local/asynchronous.py: what is accepted now and called later."""

import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from tests.launch import Running

Callback = tuple[dict[str, str], bytes]


@pytest.fixture
def callbacks() -> Iterator[tuple[str, "queue.Queue[Callback]"]]:
    """An address, and what is posted to it."""
    posted: queue.Queue[Callback] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.put((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(202)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/result", posted
        server.shutdown()
        thread.join()


def test_the_result_is_posted_with_the_queue_workers_headers(
    gateway: Running, callbacks: tuple[str, "queue.Queue[Callback]"]
) -> None:
    address, posted = callbacks
    accepted = requests.post(
        f"{gateway.url}/async-function/echo/event?a=1", data=b"later", headers={"X-Callback-Url": address}
    )
    assert accepted.status_code == 202
    assert accepted.content == b""
    headers, body = posted.get(timeout=10)
    assert b'"a": ["1"]' in body
    assert b'"POST"' in body
    assert headers["X-Call-Id"] == accepted.headers["X-Call-Id"]
    assert headers["X-Function-Name"] == "echo"
    assert headers["X-Function-Status"] == "201"
    assert float(headers["X-Duration-Seconds"]) > 0
    assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(("path", "status"), [("/raise", "500"), ("/slow?seconds=3", "504")])
def test_a_failure_is_posted_too(
    gateway: Running, callbacks: tuple[str, "queue.Queue[Callback]"], path: str, status: str
) -> None:
    address, posted = callbacks
    requests.post(f"{gateway.url}/async-function/echo{path}", headers={"X-Callback-Url": address})
    headers, body = posted.get(timeout=20)
    assert headers["X-Function-Status"] == status
    assert b'"error"' in body


def test_the_function_is_called_without_a_callback_and_with_one_that_nobody_hears(
    gateway: Running, callbacks: tuple[str, "queue.Queue[Callback]"]
) -> None:
    address, posted = callbacks
    for headers in ({}, {"X-Callback-Url": "http://127.0.0.1:9/"}, {"X-Callback-Url": address}):
        assert requests.post(f"{gateway.url}/async-function/echo/echo", data=b"x", headers=headers).status_code == 202
    assert posted.get(timeout=10)[1] == b"x"  # the queue goes on


@pytest.mark.parametrize("address", ["ftp://127.0.0.1/", "nonsense", "file:///etc/passwd", "http://["])
def test_a_callback_that_is_no_address_is_refused(gateway: Running, address: str) -> None:
    answer = requests.post(f"{gateway.url}/async-function/echo", headers={"X-Callback-Url": address})
    assert answer.status_code == 400


def test_the_queue_takes_256000_bytes(gateway: Running, callbacks: tuple[str, "queue.Queue[Callback]"]) -> None:
    address, posted = callbacks
    url, headers = f"{gateway.url}/async-function/echo/echo", {"X-Callback-Url": address}
    assert requests.post(url, data=bytes(256_000), headers=headers).status_code == 202
    assert len(posted.get(timeout=10)[1]) == 256_000
    refused = requests.post(url, data=bytes(256_001), headers=headers)
    assert refused.status_code == 413
    assert "256,000" in refused.json()["error"]["message"]
