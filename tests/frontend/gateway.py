"""A test gateway in front of a real ``index``. It stands in for ``clip`` and fails as a test asks."""

import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from frontend.index.texts import LANGUAGES
from frontend.index.verdict import Known, verdict

LABELS = ["apple", "bear", "clock", "orange", "pear", "sunflower", "tulip"]
EVERYDAY = ["cat", "dog", "flamingo", "pizza", *LABELS]
DESCRIPTION: dict[str, Any] = {
    "model": "tiny/test",
    "vocabulary": "closed",
    "explains": True,
    "labels": LABELS,
    "groups": {"food": ["apple", "orange", "pear"], "plant": ["sunflower", "tulip"], "other": ["bear", "clock"]},
    "everyday": EVERYDAY,
    "templates": ["a photo of a {}."],
    "formats": ["JPEG", "PNG"],
    "limits": {
        "max_image_bytes": 2_000_000,
        "max_image_pixels": 50_000_000,
        "max_labels": 1000,
        "max_label_tokens": 77,
    },
    "top_k": 5,
}
# What the page asks for by itself.
EVERYTHING = [("vocabulary", "all"), ("tags", "1")]
SCORES = [0.934, 0.041, 0.012, 0.0071, 0.00042]


def prediction(labels: list[str] = LABELS, *, confidence: float = 0.934, instead: str | None = None) -> dict[str, Any]:
    """What clip answers to a photo, with the given labels best first."""
    ranked = [{"label": label, "score": score} for label, score in zip(labels, SCORES, strict=False)]
    said = {"predictions": ranked, "confidence": confidence, "recognized": confidence >= 0.5, "model": "tiny/test"}
    return said | ({"instead": {"label": instead, "confidence": 0.87}} if instead else {})


@dataclass(frozen=True)
class Seen:
    """A request as it arrived at clip."""

    method: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes


Behavior = Callable[["_Handler"], None]


def answer(document: Any, status: int = 200, **headers: str) -> Behavior:
    """Answers JSON."""
    return plain(json.dumps(document), status, **{"Content-Type": "application/json"} | headers)


def answer_of_index(answer_of_clip: dict[str, Any]) -> Behavior:
    """Answers as index does to a question about everything in English."""
    said = verdict(answer_of_clip, [], Known(), LANGUAGES["en"]).to_json()
    return answer(answer_of_clip | {"verdict": said})


def error(code: str, status: int, **headers: str) -> Behavior:
    """Answers in clip's error form."""
    return answer({"error": {"code": code, "message": f"said by clip: {code}"}}, status, **headers)


def plain(text: str, status: int, **headers: str) -> Behavior:
    """Answers text, as the platform does."""

    def behave(handler: "_Handler") -> None:
        body = text.encode()
        handler.send_response(status)
        for name, value in ({"Content-Type": "text/plain"} | headers).items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return behave


def slow(seconds: float, then: Behavior) -> Behavior:
    """Waits some seconds, then behaves as ``then``."""

    def behave(handler: "_Handler") -> None:
        time.sleep(seconds)
        then(handler)

    return behave


def until(event: threading.Event, then: Behavior) -> Behavior:
    """Waits until the test sets the event, then behaves as ``then``."""

    def behave(handler: "_Handler") -> None:
        event.wait(20)
        then(handler)

    return behave


def by_body(behaviors: dict[bytes, Behavior]) -> Behavior:
    """Does what goes with the body, and answers all others well."""

    def behave(handler: "_Handler") -> None:
        behaviors.get(handler.body, RECOGNIZE)(handler)

    return behave


def trickle(handler: "_Handler") -> None:
    """Begins an answer and sends it byte by byte, ten a second."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b" ")
        time.sleep(0.1)


def close(handler: "_Handler") -> None:
    """Closes the connection without an answer."""
    handler.close_connection = True


def reset(handler: "_Handler") -> None:
    """Resets the connection."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


DESCRIBE = answer(DESCRIPTION)
NOT_FOUND = plain("404 page not found", 404)
RECOGNIZE = answer(prediction(), Server_Timing="decode;dur=1.2, inference;dur=4.5")


@dataclass
class Gateway:
    """``clip`` and ``index`` are queues of behaviors for the next photos sent to each; later photos succeed."""

    url: str = ""
    index_url: str = ""
    clip: deque[Behavior] = field(default_factory=deque)
    index: deque[Behavior] = field(default_factory=deque)
    seen: list[Seen] = field(default_factory=list)
    under_way: list["_Handler"] = field(default_factory=list)
    """Requests that have no answer yet, of any kind."""
    describe: Behavior = DESCRIBE
    embed: Behavior = NOT_FOUND
    """What ``clip`` answers at ``/v1/embeddings``."""

    def forget(self) -> None:
        """Resets it to its initial state."""
        for what in (self.clip, self.index, self.seen):
            what.clear()
        self.describe, self.embed = DESCRIBE, NOT_FOUND

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listens on a free port of the loopback address while the block runs."""
        with _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"gateway": self})) as server:
            self.url = f"http://127.0.0.1:{server.server_address[1]}"
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
            try:
                yield
            finally:
                server.shutdown()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that cancels a request is not an error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    gateway: Gateway
    body: bytes

    def _serve(self) -> None:
        self.gateway.under_way.append(self)
        try:
            self._lead()
        finally:
            self.gateway.under_way.remove(self)

    def _lead(self) -> None:
        body = self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, rest = self.path.partition("?")
        if path == "/function/clip":
            self._clip(body)
        elif path == "/function/clip/v1/embeddings":
            self.gateway.embed(self)
        elif "/index" in path:
            self._index(path.partition("/index")[2] or "/", rest, body)
        else:
            NOT_FOUND(self)

    def _clip(self, body: bytes) -> None:
        query = parse_qsl(urlsplit(self.path).query, keep_blank_values=True)
        if self.command in ("POST", "PUT"):
            queue = self.gateway.clip
            behavior = queue.popleft() if queue else RECOGNIZE
            # Now, not before: a test that has seen a request may prepare what becomes of the next one.
            self.gateway.seen.append(Seen(self.command, query, dict(self.headers), body))
            behavior(self)
        else:
            self.gateway.describe(self)

    def _index(self, path: str, query: str, body: bytes) -> None:
        if self.command == "POST" and self.gateway.index:
            self.gateway.index.popleft()(self)
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        url = f"{self.gateway.index_url}{path}" + (f"?{query}" if query else "")
        with requests.request(
            self.command, url, data=body, headers=headers, allow_redirects=False, timeout=30, stream=True
        ) as response:
            content = response.raw.read(decode_content=False)
        self.send_response(response.status_code)
        for name, value in response.headers.items():
            if name.lower() not in ("connection", "date", "server", "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_HEAD = do_PUT = _serve  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Logs nothing."""
