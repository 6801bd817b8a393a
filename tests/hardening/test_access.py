"""The optional API key, over HTTP."""

from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread

import pytest
import requests

from frontend.index.clip import Clip
from frontend.index.errors import Failure
from frontend.index.session import session
from frontend.index.upload import ANY_BYTES, Upload
from tests.frontend.caller import caller
from tests.functions import clip, serving, verdict
from tests.launch import Running, local, wait_for
from tests.pictures import encoded, photo

KEY = "correct-horse~battery=staple"
PHOTO = encoded(photo((96, 64)), "JPEG")


def secrets(folder: Path, key: bytes) -> str:
    folder.mkdir()
    (folder / "clip-api-key").write_bytes(key)
    return str(folder)


@pytest.fixture(scope="module")
def protected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """``clip`` with the secret mounted, with the line's end that an editor leaves."""
    with clip(secrets_dir=secrets(tmp_path_factory.mktemp("key") / "secrets", KEY.encode() + b"\n")) as program:
        yield program


@pytest.mark.parametrize(
    "headers",
    [{"Authorization": f"Bearer {KEY}"}, {"Authorization": f"bearer {KEY}"}, {"X-Api-Key": KEY}],
)
def test_a_request_with_the_key_is_answered(headers: dict[str, str], protected: Running) -> None:
    assert verdict(requests.post(protected.url, data=PHOTO, headers=headers, timeout=30)) == "ranked"
    assert requests.get(protected.url, headers=headers, timeout=30).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": f"Bearer {KEY}x"},
        {"Authorization": f"Bearer {KEY[:-1]}"},
        {"Authorization": "Bearer"},
        {"Authorization": f"Basic {KEY}"},
        {"Authorization": KEY},
        {"X-Api-Key": ""},
        {"X-Api-Key": "é"},
        {"X-Api-Key": KEY.upper()},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_a_request_without_the_key_is_refused(headers: dict[str, str], method: str, protected: Running) -> None:
    encoded_headers = {name: value.encode() for name, value in headers.items()}

    answer = requests.request(method, protected.url, data=PHOTO, headers=encoded_headers, timeout=30)

    assert (answer.status_code, verdict(answer)) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert KEY not in answer.text


def test_readiness_needs_no_key(protected: Running) -> None:
    assert requests.get(protected.url + "/ready", timeout=30).status_code == 200


@pytest.mark.parametrize("key", [b"\n", b"two words", b"one\ntwo\nthree", b"one\n\xff", "schlüssel".encode()])
def test_a_key_that_makes_no_sense_lets_no_request_in(key: bytes, tmp_path: Path) -> None:
    folder = secrets(tmp_path / "secrets", key)

    with clip(wait_for_ready=False, secrets_dir=folder) as program:
        answer = requests.post(
            program.url, data=PHOTO, headers={"X-Api-Key": key.split()[-1] if key.split() else ""}, timeout=30
        )

        assert answer.status_code == 503
        assert "visible ASCII characters" in program.output()


def test_index_sends_the_key_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("secrets_dir", secrets(tmp_path / "secrets", KEY.encode()))
    with local() as program:
        assert verdict(requests.post(program.url + "/function/index", data=PHOTO, timeout=30)) == "ranked"
        assert requests.get(program.url + "/function/index?describe", timeout=30).status_code == 200
        assert verdict(requests.post(program.url + "/function/clip", data=PHOTO, timeout=30)) == "unauthorized"
        assert KEY not in program.output()


class Gateway:
    """Leads to the newest container of each function, which is started before the old one is stopped."""

    def __init__(self, secrets_dir: str) -> None:
        self._secrets_dir = secrets_dir
        self._containers: dict[str, ExitStack] = {}
        self._lock = Lock()
        self._on_their_way: Counter[str] = Counter()
        self.urls: dict[str, str] = {}

        class Handler(BaseHTTPRequestHandler):
            def do_POST(handler) -> None:  # noqa: N805 - the gateway is self
                body = handler.rfile.read(int(handler.headers["Content-Length"]))
                headers = {"Authorization": handler.headers.get("Authorization", "")}
                answer = self.post("clip", body, headers)
                handler.send_response(answer.status_code)
                handler.send_header("Content-Type", answer.headers["Content-Type"])
                handler.send_header("Content-Length", str(len(answer.content)))
                handler.end_headers()
                handler.wfile.write(answer.content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> "Gateway":
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for container in self._containers.values():
            container.close()
        self._server.shutdown()
        self._server.server_close()

    def post(self, name: str, body: bytes, headers: Mapping[str, str] | None = None) -> requests.Response:
        """The answer of the newest container of a function, which is not stopped meanwhile."""
        with self._lock:
            url = self.urls[name]
            self._on_their_way[url] += 1
        try:
            return requests.post(url, data=body, headers=headers, timeout=30)
        finally:
            with self._lock:
                self._on_their_way[url] -= 1

    def roll(self, name: str) -> None:
        """Deploys a function again."""
        address = f"http://127.0.0.1:{self._server.server_port}"
        container = ExitStack()
        program = container.enter_context(serving(name, secrets_dir=self._secrets_dir, gateway_url=address))
        with self._lock:
            before, self.urls[name] = self.urls.get(name, ""), program.url
        wait_for(lambda: not self._on_their_way[before], "requests stay on their way")
        self._containers.pop(name, ExitStack()).close()
        self._containers[name] = container


def test_a_key_takes_the_place_of_another_and_no_page_is_refused(tmp_path: Path) -> None:
    """As docs/operations.md says; index is first where clip does not yet know the new key, clip where it goes."""
    folder = Path(secrets(tmp_path / "secrets", b"old"))
    seen: list[str] = []
    with Gateway(str(folder)) as gateway, ThreadPoolExecutor(1) as visitor:

        def visit() -> None:
            while not done.is_set():
                seen.append(verdict(gateway.post("index", PHOTO)))

        def accepted() -> dict[str, bool]:
            return {
                key: requests.get(gateway.urls["clip"], headers={"X-Api-Key": key}, timeout=30).ok
                for key in ("old", "new", "other", "old\tnew")
            }

        gateway.roll("clip")
        gateway.roll("index")
        done = Event()
        pages = visitor.submit(visit)
        try:
            for keys, order, expected in (
                (b"old\nnew\n", ("index", "clip"), {"old", "new"}),
                (b"new\nold\n", ("index", "clip"), {"old", "new"}),
                (b"new\n", ("clip", "index"), {"new"}),
            ):
                (folder / "clip-api-key").write_bytes(keys)
                for name in order:
                    before = len(seen)
                    gateway.roll(name)
                    wait_for(lambda before=before: len(seen) > before + 1 or pages.done(), "no page")  # type: ignore[misc]
                assert {key for key, ok in accepted().items() if ok} == expected
        finally:
            done.set()
        pages.result()
    assert set(seen) == {"ranked"}


def test_index_with_another_key_says_that_its_own_is_wrong(protected: Running) -> None:
    clip = Clip(protected.url, timeout=30, session=session(1), api_key="another")
    with pytest.raises(Failure) as caught:
        clip.recognize(Upload(PHOTO, ANY_BYTES, []), "application/json", caller())

    assert (caught.value.code, caught.value.status) == ("unauthorized", 401)
    assert "of this function" in caught.value.message
