"""The page in Firefox, where Playwright has one: the ways that differ between browsers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from . import gateway as behaviors
from .gateway import Gateway, prediction
from .photos import camera_photo, file, photo

EXPLANATION = {"label": "apple", "grid": [[0, 1], [0, 0]], "area": [0, 0, 1, 1]}
CAMERA: dict[str, str | float | bool] = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
}


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Firefox, instead of Chromium."""
    if not Path(playwright.firefox.executable_path).exists():
        pytest.skip("Playwright has no Firefox: playwright install firefox")
    browser = playwright.firefox.launch(firefox_user_prefs=CAMERA)
    yield browser
    browser.close()


def test_files_answers_and_history(page: Page, gateway: Gateway) -> None:
    page.set_input_files("#photo", file("phone.jpg", camera_photo(orientation=6)))
    expect(page.locator("#current [data-state=done] h2")).to_have_text("an apple")
    assert len(gateway.seen[0].body) < 300_000
    expect(page).to_have_title("an apple, 93% sure · What is in your photo?")
    assert page.evaluate("document.images[0].naturalWidth < document.images[0].naturalHeight")
    page.go_back()
    expect(page.locator("#start")).to_be_visible()
    page.go_forward()
    expect(page.locator("#current h2")).to_have_text("an apple")


def test_many_files(page: Page) -> None:
    page.set_input_files("#photo", [file(f"{number}.jpg", photo()) for number in range(6)])
    expect(page.locator("#count")).to_have_text("6 recognized, 0 not")
    expect(page.locator(".tile[data-state=done] img:visible")).to_have_count(6)


def test_a_drawing(page: Page, gateway: Gateway) -> None:
    page.locator(".example").first.click()
    expect(page.locator("#current [data-state=done]")).to_be_visible()
    assert gateway.seen[0].body.startswith(b"\xff\xd8\xff")


def test_heat_map_and_part(page: Page, gateway: Gateway) -> None:
    page.set_input_files("#photo", file("photo.jpg", photo()))
    expect(page.locator("#current [data-state=done]")).to_be_visible()
    gateway.clip.append(behaviors.answer(prediction() | {"explanation": EXPLANATION}))
    page.locator("#current .heat").click()
    expect(page.locator("#current canvas")).to_be_visible()
    page.locator("#current .part").click()
    page.locator("#current .part").click()
    expect(page.locator("#current bdi")).to_have_text("photo (part).jpg")
    expect(page.locator("#current [data-state=done]")).to_be_visible()
    assert len(gateway.seen) == 3


def test_camera(page: Page, gateway: Gateway) -> None:
    page.get_by_role("button", name="Use the camera").click()
    page.get_by_role("button", name="Take the photo").click()
    expect(page.locator("#current [data-state=done]")).to_be_visible()
    assert gateway.seen[0].body.startswith(b"\xff\xd8\xff")
