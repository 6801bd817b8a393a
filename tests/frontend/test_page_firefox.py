"""The page in Firefox, where there is one: the ways that differ between browsers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from . import gateway as behaviors
from .firefox import Firefox, firefox, installed
from .gateway import Gateway, prediction
from .photos import camera_photo, photo

pytestmark = pytest.mark.skipif(not installed(), reason="Firefox is not installed")

EXPLANATION = {"label": "apple", "grid": [[0, 1], [0, 0]], "area": [0, 0, 1, 1]}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    with firefox(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def browser(running: Firefox, index: str) -> Iterator[Firefox]:
    """Firefox with the page. Fails the test if the Content-Security-Policy had to stop something."""
    running.send("WebDriver:Navigate", {"url": index})
    running.run(
        "window.stopped = []; addEventListener('securitypolicyviolation', (event) => stopped.push(event.blockedURI))"
    )
    running.wait_for("document.documentElement.dataset.vocabulary")
    yield running
    assert running.run("return window.stopped") == []


def test_files_answers_and_history(browser: Firefox, gateway: Gateway, tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    path.write_bytes(camera_photo(orientation=6))
    browser.choose("#photo", path)
    browser.wait_for("document.querySelector('#current [data-state=done] h2')?.textContent === 'apple'")
    assert len(gateway.seen[0].body) < 300_000
    assert browser.run("return document.title") == "apple, 93% sure · What is in your photo?"
    assert browser.run("return document.images[0].naturalWidth < document.images[0].naturalHeight")
    browser.run("history.back()")
    browser.wait_for("document.getElementById('start').checkVisibility()")
    browser.run("history.forward()")
    browser.wait_for("document.querySelector('#current h2')?.textContent === 'apple'")


def test_many_files(browser: Firefox, tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.jpg" for number in range(6)]
    for path in paths:
        path.write_bytes(photo())
    browser.choose("#photo", *paths)
    browser.wait_for("document.getElementById('count').textContent === '6 recognized, 0 not'")
    assert browser.run("return document.querySelector('#current .card').getBoundingClientRect().height") < 90


def test_each_drawing(browser: Firefox, gateway: Gateway) -> None:
    browser.run("document.querySelector('.example').click()")
    browser.wait_for("document.querySelector('#current [data-state=done]')")
    assert gateway.seen[0].body.startswith(b"\xff\xd8\xff")


def test_heat_map_and_part(browser: Firefox, gateway: Gateway, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(photo())
    browser.choose("#photo", path)
    browser.wait_for("document.querySelector('#current [data-state=done]')")
    gateway.clip.append(behaviors.answer(prediction() | {"explanation": EXPLANATION}))
    browser.run("document.querySelector('#current .heat').click()")
    browser.wait_for("document.querySelector('#current canvas')")
    browser.run("document.querySelector('#current .part').click(); document.querySelector('#current .part').click()")
    browser.wait_for("document.querySelector('#current bdi').textContent === 'photo (part).jpg'")
    browser.wait_for("document.querySelector('#current [data-state=done]')")
    assert len(gateway.seen) == 3


def test_camera(browser: Firefox, gateway: Gateway) -> None:
    browser.run("document.getElementById('webcam').click()")
    take = "document.querySelector('#viewfinder[open] button:enabled')"
    browser.wait_for(take)
    browser.run(f"{take}.click()")
    browser.wait_for("document.querySelector('#current [data-state=done]')")
    assert gateway.seen[0].body.startswith(b"\xff\xd8\xff")
