"""Photos by reference: what is fetched, what is not, and that neither time nor memory is without a bound."""

import datetime
import ipaddress
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from backend.clip.deadline import Deadline
from backend.clip.errors import Busy, UrlUnavailable
from backend.clip.fetch import download
from backend.clip.fetch.urls import Origin, allowed_origins
from backend.clip.limits import MAX_IMAGE_BYTES
from server.body_memory import BodyMemory
from tests.backend.asking import error_code, post
from tests.backend.fetch.storage import Storage, answers, sends, storage
from tests.functions import STATUS_OF_CODE, clip
from tests.launch import Running, free_port
from tests.pictures import encoded, photo

PHOTO = encoded(photo((96, 64)), "JPEG")
LARGE = encoded(photo((1400, 1400)), "BMP")
SIGNED = "/bucket/2026/a%20photo.jpg?X-Amz-Expires=900&X-Amz-Signature=c0ffee"
# Of a request; the half of it is for the photo to come.
SECONDS = 8


class World(NamedTuple):
    clip: Running
    near: Storage
    """By http, allowed."""
    secure: Storage
    """By https, with a certificate that the function trusts."""
    distrusted: Storage
    """By https, with one that it does not."""
    other: Storage
    """Not allowed."""
    closed: int
    """A port of an allowed origin where nobody listens."""

    def ask(self, url: str, **parameters: str) -> requests.Response:
        return requests.post(self.clip.url, json={"url": url}, params=parameters, timeout=60)

    def refused(self, url: str) -> str:
        """The code of the error that this URL is answered with."""
        answer = self.ask(url)
        code = error_code(answer)
        assert STATUS_OF_CODE[code] == answer.status_code
        return code

    def code_of(self, behavior: Callable[[socket.socket, bytes], None]) -> str:
        """The code of the error where the storage behaves so."""
        self.near.behaviors["/a"] = behavior
        return self.refused(f"{self.near.url}/a")


def certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """A certificate of 127.0.0.1, signed by itself, and how to serve with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return path, context


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("certificates")
    trusted, served = certificate(folder, "trusted")
    _, unknown = certificate(folder, "unknown")
    with ExitStack() as stack:
        near, other = (stack.enter_context(storage()) for _ in range(2))
        secure, distrusted = (stack.enter_context(storage(tls=context)) for context in (served, unknown))
        closed = free_port()
        allowed = [near.url, secure.url, distrusted.url, f"http://127.0.0.1:{closed}"]
        running = stack.enter_context(
            clip(
                allow_urls=", ".join(allowed),
                SSL_CERT_FILE=str(trusted),
                request_timeout=f"{SECONDS}s",
                # A proxy would connect to where it likes.
                http_proxy=other.url,
                https_proxy=other.url,
                all_proxy=other.url,
            )
        )
        yield World(running, near, secure, distrusted, other, closed)


def labels(answer: requests.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()["predictions"]


def test_a_photo_behind_a_signed_url_is_answered_like_the_photo(world: World) -> None:
    world.near.behaviors[SIGNED] = answers(200, PHOTO, Content_Type="image/jpeg")
    world.near.requests.clear()

    answer = world.ask(world.near.url + SIGNED, labels="apple,pear", lang="de")

    expected = post(world.clip.url, PHOTO, params={"labels": "apple,pear", "lang": "de"})
    assert labels(answer) == labels(expected)
    [request] = world.near.requests
    first, *headers = request.split("\r\n")
    assert first == f"GET {SIGNED} HTTP/1.1"
    assert f"Host: {world.near.url.removeprefix('http://')}" in headers
    # Nothing of who asks, or of what is secret here.
    assert {header.partition(":")[0] for header in headers} == {
        *("Host", "User-Agent", "Accept", "Accept-Encoding", "Connection")
    }
    assert "c0ffee" not in world.clip.output()
    assert [part.partition(";")[0] for part in answer.headers["Server-Timing"].split(", ")] == [
        *("wait", "fetch", "decode", "inference")
    ]
    metrics = requests.get(f"{world.clip.url}/metrics", timeout=60).text
    assert float(re.findall(r"^clip_fetch_seconds_count (\S+)$", metrics, re.MULTILINE)[0]) >= 1


def test_a_photo_that_comes_in_chunks_or_until_the_end(world: World) -> None:
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(PHOTO), PHOTO)
    for head, body in ((b"Transfer-Encoding: chunked\r\n", chunks), (b"", PHOTO)):
        world.near.behaviors["/a"] = sends(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n", body)
        assert labels(world.ask(f"{world.near.url}/a")) == labels(post(world.clip.url, PHOTO))


def test_a_certificate_is_checked(world: World) -> None:
    for served in (world.secure, world.distrusted):
        served.behaviors["/a"] = answers(200, PHOTO)
    assert labels(world.ask(f"{world.secure.url}/a"))
    assert world.refused(f"{world.distrusted.url}/a") == "url_failed"
    assert world.distrusted.requests == []


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
@pytest.mark.parametrize("to", ["near", "other"])
def test_no_redirect_is_followed(world: World, status: int, to: str) -> None:
    target: Storage = getattr(world, to)
    target.behaviors["/elsewhere"] = answers(200, PHOTO)
    assert world.code_of(answers(status, Location=f"{target.url}/elsewhere")) == "url_failed"
    assert not any("/elsewhere" in request for request in (*world.near.requests, *world.other.requests))


def test_what_is_not_allowed_is_not_asked(world: World) -> None:
    world.other.requests.clear()
    port = world.near.url.rpartition(":")[2]
    hosts = [*("localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "[::1]", "[::ffff:127.0.0.1]")]
    for url in [f"{world.other.url}/a", *(f"http://{host}:{port}/a" for host in hosts)]:
        assert world.refused(url) == "url_not_allowed"
    for url in (f"http://user@127.0.0.1:{port}/a", f"http://127.0.0.1:{port}/a#b", "file:///etc/passwd", "s3://a/b"):
        assert world.refused(url) == "bad_parameter"
    assert world.other.requests == []


@pytest.mark.parametrize(
    "body",
    [
        {"url": 1},
        {"url": None},
        {"url": ["https://photos.example.com/a"]},
        {"url": "https://photos.example.com/a", "inputs": ""},
        {"url": "https://photos.example.com/a", "top_k": 3},
    ],
)
def test_the_form_has_a_url_and_nothing_else(world: World, body: dict[str, Any]) -> None:
    assert error_code(post(world.clip.url, json.dumps(body).encode())) == "bad_parameter"


def test_a_wrong_parameter_is_refused_before_anything_is_fetched(world: World) -> None:
    world.near.requests.clear()
    assert error_code(world.ask(f"{world.near.url}/a", topk="1")) == "bad_parameter"
    assert world.near.requests == []


@pytest.mark.parametrize(
    ("behavior", "code"),
    [
        (answers(404), "url_failed"),
        (answers(403, b"<Error><Code>AccessDenied</Code></Error>"), "url_failed"),
        (answers(204), "url_failed"),
        (answers(206, PHOTO), "url_failed"),
        (answers(200, PHOTO, Content_Encoding="gzip"), "url_failed"),
        (answers(429), "url_unavailable"),
        (answers(503), "url_unavailable"),
        (answers(200, b"<html>"), "unsupported_image"),
        (answers(200, b""), "empty_body"),
        (answers(200, PHOTO[:300]), "corrupt_image"),
        (sends(b""), "url_unavailable"),
        (sends(b"SSH-2.0-OpenSSH_9.2\r\n"), "url_unavailable"),
        (sends(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", PHOTO[:500]), "url_unavailable"),
        (sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n", PHOTO[:500]), "url_unavailable"),
        (sends(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n"), "url_unavailable"),
        (sends(b"HTTP/1.1 200 OK\r\nX: " + bytes(1 << 17) + b"\r\n\r\n"), "url_unavailable"),
        (sends(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (MAX_IMAGE_BYTES + 1)), "body_too_large"),
        (sends(b"HTTP/1.1 200 OK\r\n\r\n", b"\xff\xd8\xff" + bytes(MAX_IMAGE_BYTES)), "body_too_large"),
    ],
)
def test_whatever_comes_in_its_place_has_an_error(
    world: World, behavior: Callable[[socket.socket, bytes], None], code: str
) -> None:
    assert world.code_of(behavior) == code


def test_nobody_listens(world: World) -> None:
    assert world.refused(f"http://127.0.0.1:{world.closed}/a") == "url_unavailable"


SLOW = [
    (b"H",),
    (b"HTTP/1.1 100 Continue\r\n\r\n",),
    (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b"\xff"),
]


def test_who_sends_slowly_is_not_waited_for_and_holds_up_nobody(world: World) -> None:
    over = threading.Event()
    targets = [f"/slow{number}" for number in range(2 * len(SLOW))]
    for target, pieces in zip(targets, [*SLOW, *SLOW], strict=True):
        world.near.behaviors[target] = sends(*pieces, until=over.is_set, pause=0.1)
    with ThreadPoolExecutor(len(targets)) as pool:
        try:
            slow = [pool.submit(world.refused, world.near.url + target) for target in targets]
            while sum("/slow" in request for request in world.near.requests) < len(targets):
                over.wait(0.02)
            assert labels(post(world.clip.url, PHOTO))
            assert not any(each.done() for each in slow)
            assert {each.result() for each in slow} == {"url_unavailable"}
        finally:
            over.set()


def test_an_address_of_ipv6_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        with storage("::1") as served:
            served.behaviors["/a"] = answers(200, PHOTO)
            monkeypatch.setattr(download, "ALLOWED", allowed_origins(served.url))
            with download.fetched(f"{served.url}/a", deadline()) as file:
                assert file == PHOTO
            assert f"Host: {served.url.removeprefix('http://')}" in served.requests[0]
    except OSError as error:
        pytest.skip(f"this machine has no IPv6: {error}")


def deadline(seconds: float = 20.0, *, gone: bool = False) -> Deadline:
    return Deadline(time.monotonic() + seconds, lambda: gone)


def test_a_name_that_changes_its_address_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: what was checked is what is connected to."""
    addresses = iter(["93.184.215.14", "127.0.0.1", "127.0.0.1"])
    connected: list[Any] = []

    def getaddrinfo(*_: Any, **__: Any) -> list[Any]:
        return [(0, 0, 6, "", (next(addresses), 0))]

    def connect(_: socket.socket, address: Any) -> None:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(download, "ALLOWED", {Origin("https", "photos.example.com", 443)})
    with pytest.raises(UrlUnavailable), download.fetched("https://photos.example.com/a", deadline()):
        pass
    assert connected == [("93.184.215.14", 443)]
    assert next(addresses) == "127.0.0.1"  # nobody has asked again


def test_large_photos_take_turns_in_memory_and_leave_it(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = BodyMemory(1 << 20)
    monkeypatch.setattr(download, "_MEMORY", memory)
    with storage() as served, ThreadPoolExecutor(6) as pool:
        served.behaviors["/a"] = answers(200, LARGE)
        monkeypatch.setattr(download, "ALLOWED", allowed_origins(served.url))

        def fetch() -> bool:
            with download.fetched(f"{served.url}/a", deadline(60)) as file:
                return bool(file == LARGE)

        assert all(each.result() for each in [pool.submit(fetch) for _ in range(6)])
    newcomer = object()
    memory.hold(newcomer, 4 << 20, complete=False)
    assert memory.has_room(newcomer, 4 << 20)  # the oldest: all others have left


def test_a_photo_waits_while_another_holds_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = BodyMemory(1 << 20)
    monkeypatch.setattr(download, "_MEMORY", memory)
    memory.hold(object(), 4 << 20, complete=True)
    with storage() as served:
        monkeypatch.setattr(download, "ALLOWED", allowed_origins(served.url))
        served.behaviors["/large"], served.behaviors["/small"] = answers(200, LARGE), answers(200, PHOTO)
        with download.fetched(f"{served.url}/small", deadline()) as file:
            assert file == PHOTO
        with pytest.raises(UrlUnavailable), download.fetched(f"{served.url}/large", deadline(0.5)):
            pass


def test_nothing_is_fetched_for_a_caller_who_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    with storage() as served:
        monkeypatch.setattr(download, "ALLOWED", allowed_origins(served.url))
        with pytest.raises(Busy), download.fetched(f"{served.url}/a", deadline(gone=True)):
            pass
        assert served.requests == []
