"""A page of another site that uses ``clip``, in a real browser: allow_origins, and the example of docs/api.md."""

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.examples import ADDRESS, examples
from tests.functions import clip
from tests.launch import Running
from tests.pictures import encoded, photo

[EXAMPLE] = examples("js")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of another site, which has a page with a field for a photo."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "index.html").write_text("<!doctype html><title>Another site</title><input type=file>")
    (folder / "favicon.ico").write_bytes(b"")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def service(site: int) -> Iterator[Running]:
    """``clip`` that lets that site's page in, by one of the site's two names."""
    with clip(allow_origins=f"http://127.0.0.1:{site}", max_body_bytes="1MiB") as program:
        yield program


def page_of(context: BrowserContext, host: str, site: int, file: Path) -> tuple[Page, list[str]]:
    """The page with a photo chosen, and what it writes to the console."""
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"http://{host}:{site}/")
    page.set_input_files("input", file)
    return page, said


@pytest.fixture
def apple(tmp_path: Path) -> Path:
    (tmp_path / "apple.jpg").write_bytes(encoded(photo((320, 240)), "JPEG"))
    return tmp_path / "apple.jpg"


def run(page: Page, source: str, service: Running) -> None:
    page.evaluate(f"async () => {{ {source.replace(ADDRESS, service.url)} }}")


def test_the_example_runs_on_a_page_that_may(context: BrowserContext, site: int, service: Running, apple: Path) -> None:
    page, said = page_of(context, "127.0.0.1", site, apple)

    run(page, EXAMPLE, service)

    [line] = said
    label, confidence = line.rsplit(" ", 1)
    assert label
    assert 0 <= float(confidence) <= 1


def test_a_page_that_may_reads_errors_and_sends_a_key(
    context: BrowserContext, site: int, service: Running, apple: Path
) -> None:
    page, said = page_of(context, "127.0.0.1", site, apple)

    run(page, EXAMPLE.replace("top_k=3", "top_k=0"), service)
    status = page.evaluate(
        "async url => (await fetch(url, {method: 'PUT', body: 'x', headers: {Authorization: 'Bearer k'}})).status",
        service.url,
    )
    large = page.evaluate(
        """async url => {
            const answer = await fetch(url, {method: 'POST', body: new Uint8Array(2 << 20)});
            return [answer.status, (await answer.json()).error.code, !!answer.headers.get('X-Call-Id')];
        }""",
        service.url,
    )

    assert any("top_k must be a whole number" in line for line in said)
    assert status == 415
    assert large == [413, "body_too_large", True]


def test_a_page_that_may_not_is_refused_by_the_browser(
    context: BrowserContext, site: int, service: Running, apple: Path
) -> None:
    page, said = page_of(context, "localhost", site, apple)

    failed = page.evaluate("url => fetch(url).then(() => '', error => error.name)", service.url)

    assert failed == "TypeError"
    assert any("CORS policy" in line for line in said)
