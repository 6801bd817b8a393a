"""Random malformed requests, and what every answer to them has to satisfy."""

import http.client
import io
import json
import random
import socket
from dataclasses import dataclass
from urllib.parse import quote, quote_from_bytes, urlsplit

from tests.functions import STATUS_OF_CODE
from tests.hardening.samples import mutated, real_files

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "get", "BREW", "M-SEARCH", "!#$%&'*+")
PATHS = (
    "/",
    "/",
    "/",
    "//",
    "/ready",
    "/_/health",
    "/..",
    "/%2e%2e/etc/passwd",
    "/%00",
    "/a/b/",
    "/%ff",
    "/;a=b",
    "/{}",
)
NAMES = ("labels", "labels", "top_k", "template", "describe", "label", "image", "vocabulary", "api_key", "a[]", "")
VALUES = (
    "cat, dog",
    "1",
    "5",
    "0",
    "-1",
    "1e3",
    "a photo of a {}.",
    "{}{}",
    "{0}",
    "{",
    "\u0661",
    "\u732b",
    "%s",
    "nan",
    "true",
    "",
)
HEADERS = (
    ("Accept", "text/plain"),
    ("Accept", "text/html, */*;q=0.1"),
    ("Accept", "text/event-stream"),
    ("Accept", ";;;q=x,,/"),
    ("Accept-Encoding", "gzip;q=0, identity;q=0"),
    ("Authorization", "Bearer \x7f"),
    ("Content-Encoding", "gzip"),
    ("Cookie", "a=b; c"),
    ("Expect", "100-continue"),
    ("Expect", "the-unexpected"),
    ("Forwarded", "for=_hidden"),
    ("Host", ""),
    ("If-None-Match", 'W/"x", *'),
    ("Range", "bytes=0-1,5-"),
    ("Upgrade", "websocket"),
    ("X-Api-Key", "é"),
    ("X-Call-Id", "a\tb"),
    ("X-Forwarded-For", "::1, 127.0.0.1, x"),
    ("X-Forwarded-Proto", "gopher"),
)
KINDS = (
    "image/jpeg",
    "application/octet-stream",
    "application/x-www-form-urlencoded",
    "application/json",
    "text/plain; charset=utf-7",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    'multipart/form-data; boundary=" "',
    "multipart/form-data; boundary=" + "x" * 300,
    "multipart/mixed; boundary=x",
    "*/*;=;",
    "",
)
DISPOSITIONS = (
    'form-data; name="image"; filename="a.jpg"',
    'form-data; name="image"',
    'form-data; name="labels"',
    'form-data; name="top_k"',
    'form-data; name="template"',
    "form-data; name=\"a\"; filename*=utf-9''%ff",
    "form-data",
    "attachment; filename=..",
)
SERVER_ERRORS = {
    501: {"not_implemented"},
    502: {"clip_unreachable", "clip_bad_answer"},
    503: {"busy", "clip_unavailable"},
}
"""Codes of errors that a server under such requests may answer."""


@dataclass(frozen=True)
class Request:
    wire: bytes
    """The whole of it, as it goes over the network."""
    is_whole: bool
    """Whether it ends where its headers say that it does."""

    @property
    def method(self) -> str:
        return self.wire.partition(b" ")[0].decode("latin-1")


class Wild:
    """Makes one request after the other, always the same ones from the same source of randomness."""

    def __init__(self, source: random.Random) -> None:
        self._source = source
        self._files = list(real_files().values())

    def request(self) -> Request:
        source = self._source
        method = "POST" if source.random() < 0.5 else source.choice(METHODS)
        body = self._body()
        headers = source.sample(HEADERS, source.choice((0, 0, 1, 1, 2, 5)))
        kind = source.choice(KINDS)
        if body.startswith(b"--x\r\n"):
            kind = source.choice((kind, "multipart/form-data; boundary=x"))
        lines = [f"{method} {self._target()} HTTP/{source.choice(('1.1', '1.1', '1.0'))}".encode()]
        lines += [f"{name}: {value}".encode() for name, value in [("Host", "test"), ("Connection", "close"), *headers]]
        lines += [f"Content-Type: {kind}".encode()] if kind else []
        if source.random() < 0.05:
            lines.append(source.randbytes(source.choice((3, 30))).replace(b"\r", b"").replace(b"\n", b""))
        content, is_whole = body, True
        match source.randrange(8):
            case 0:
                size = source.choice((1, 7, 1000, 65536))
                parts = [body[at : at + size] for at in range(0, min(len(body), 500 * size), size)]
                content = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
                lines.append(b"Transfer-Encoding: chunked")
            case 1:
                length = source.choice((b"-1", b"x", b"1e3", b"9" * 40, b"+5", b"", b"0", b"5, 5"))
                lines.append(b"Content-Length: " + length)
                is_whole = False
            case _:
                lines.append(b"Content-Length: %d" % len(body))
        return Request(b"\r\n".join([*lines, b"", b""]) + content, is_whole)

    def _target(self) -> str:
        source = self._source
        target = source.choice(PATHS)
        pairs = [
            f"{quote(source.choice(NAMES))}={quote_from_bytes(self._value()) if source.random() < 0.8 else '%zz'}"
            for _ in range(source.choice((0, 0, 1, 2, 5)))
        ]
        return target + ("?" + source.choice("&&;").join(pairs) if pairs else source.choice(("", "", "?", "?&&=")))

    def _value(self) -> bytes:
        source = self._source
        if source.random() < 0.3:
            return source.randbytes(source.choice((1, 5, 40)))
        return source.choice(VALUES).encode() * source.choice((1, 1, 1, 30))

    def _body(self) -> bytes:
        source = self._source
        match source.randrange(6):
            case 0:
                return b""
            case 1:
                return source.randbytes(source.choice((1, 50, 3000)))
            case 2:
                return b"labels=cat&top_k=2&image=" + source.choice((b"photo.jpg", b"http://127.0.0.1/a.jpg", b"%ff"))
            case 3:
                return self._form()
            case 4:
                return mutated(source.choice(self._files), source)
            case _:
                return source.choice(self._files)

    def _form(self) -> bytes:
        source = self._source
        parts = []
        for _ in range(source.choice((0, 1, 2, 3, 120))):
            disposition = source.choice(DISPOSITIONS).encode()
            content = source.choice((source.choice(self._files), self._value(), b"--x--", b""))[:20_000]
            parts.append(b"--x\r\nContent-Disposition: " + disposition + b"\r\n\r\n" + content + b"\r\n")
        form = b"".join(parts) + b"--x--\r\n"
        return mutated(form, source) if source.random() < 0.3 else form


def send(url: str, request: Request, timeout: float = 30) -> bytes:
    """All that comes back until the server closes."""
    address = urlsplit(url)
    received = b""
    with socket.create_connection((address.hostname, address.port), timeout=timeout) as client:
        try:
            client.sendall(request.wire)
            if not request.is_whole:
                client.shutdown(socket.SHUT_WR)
            while part := client.recv(65536):
                received += part
        except TimeoutError:
            raise
        except OSError:  # the server has closed: what it said before that counts
            pass
    return received


class _Received:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, *_: object) -> io.BytesIO:
        return io.BytesIO(self._data)


def judge(request: Request, received: bytes) -> int:
    """The status; an answer that is neither a page, a ranking nor an error in JSON or HTML fails the test."""
    if not request.is_whole:  # its end, or what comes after it, may have cut the answer off
        return 0
    response = http.client.HTTPResponse(_Received(received), method=request.method)  # type: ignore[arg-type]
    response.begin()
    body = response.read()
    kind = response.getheader("Content-Type", "")
    assert b"Traceback" not in received
    if response.status >= 500:
        assert response.status in SERVER_ERRORS
    if request.method == "HEAD" or response.status == 304:
        assert body == b""
    elif kind.startswith("application/json"):
        document = json.loads(body)
        assert (response.status >= 400) == ("error" in document)
        if "error" in document:
            assert set(document["error"]) == {"code", "message"}
            assert STATUS_OF_CODE[document["error"]["code"]] == response.status
            assert response.status < 500 or document["error"]["code"] in SERVER_ERRORS[response.status]
    else:
        assert kind.startswith("text/html") or (kind.startswith("text/plain") and response.status == 200), kind
        body.decode()
    return response.status
