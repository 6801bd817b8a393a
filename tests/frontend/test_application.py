"""The page, the functions and the bundled model together."""

import json
import os
from io import BytesIO

import pillow_heif
import pytest
import requests
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from frontend.index.article import with_article
from tests.launch import Running, wait_for
from tests.template.wire import exchange

from .photos import camera_photo, file


@pytest.fixture
def page(context: BrowserContext, application: Running) -> Page:
    page = context.new_page()
    page.goto(f"{application.url}/function/index")
    expect(page.locator("html[data-vocabulary]")).to_be_visible()
    return page


def test_each_drawing_is_recognized(page: Page) -> None:
    names = page.locator(".example").evaluate_all("(buttons) => buttons.map((button) => button.dataset.name)")
    for name in names:
        page.get_by_role("button", name=name).click()
        expect(page.locator("#current [data-state=done] h2")).to_have_text(with_article(name))
        expect(page.locator("#current .note")).to_contain_text("I am sure")
        page.go_back()


def test_the_page_says_what_the_service_says(page: Page, application: Running) -> None:
    address = f"{application.url}/function/index"
    page.set_input_files("#photo", file("phone.jpg", camera_photo()))
    expect(page.locator("#current :is([data-state=done], [data-state=unsure])")).to_be_visible()
    shown = json.loads(page.locator("#current .json").text_content() or "")
    description = requests.get(f"{address}?describe", timeout=20).json()
    assert shown["model"] == description["model"]
    assert {entry["label"] for entry in shown["predictions"]} <= {*description["labels"], *description["everyday"]}
    page.goto(f"{address}?words")
    shown_words = ", ".join(page.locator("dd").all_text_contents()).split(", ")
    assert sorted(shown_words) == sorted(description["labels"])


@pytest.mark.parametrize("kind", ["heic", "tiff"])
def test_a_photo_that_the_browser_cannot_open_is_shown(page: Page, kind: str) -> None:
    picture, output = Image.open(BytesIO(camera_photo(1200, 900))), BytesIO()
    if kind == "heic":
        pillow_heif.from_pillow(picture).save(output)
    else:
        picture.save(output, "TIFF")
    page.set_input_files("#photo", file(f"photo.{kind}", output.getvalue()))
    expect(page.locator("#current :is([data-state=done], [data-state=unsure])")).to_be_visible()
    expect(page.locator("#current .nothumb")).to_be_hidden()
    shown = page.locator("#current img").evaluate("({ naturalWidth, naturalHeight }) => [naturalWidth, naturalHeight]")
    assert shown == [512, 384]


def test_the_hundred_words_are_one_tap_away(page: Page, application: Running) -> None:
    page.get_by_role("button", name="clock").click()
    expect(page.locator("#current [data-state=done]")).to_be_visible()
    page.locator("#current").get_by_text("Details").click()
    expect(page.locator("#current .footnote")).to_contain_text("Of the hundred words I know best: a clock")
    five = page.locator("#current .five .label").all_text_contents()
    assert len(five) == 5
    assert set(five) <= set(requests.get(f"{application.url}/function/clip", timeout=20).json()["labels"])


def test_a_guess_is_explained_and_a_question_answered(page: Page) -> None:
    page.get_by_role("button", name="school bus").click()
    expect(page.locator("#current [data-state=done]")).to_be_visible()
    page.locator("#current").get_by_text("Details").click()
    page.locator("#current .all .label").nth(1).click()
    expect(page.locator("#current canvas")).to_be_visible()
    page.get_by_label("Is it …?").fill("a school bus, a flamnigo")
    page.keyboard.press("Enter")
    expect(page.locator("#current .asked > li")).to_contain_text("Is it a school bus? Yes")
    expect(page.locator("#current").get_by_role("button", name="Take flamingo")).to_be_visible()


def test_a_link_says_at_once_which_words_are_not_known(page: Page, application: Running) -> None:
    page.goto(f"{application.url}/function/index?labels=cats,flamnigo")
    expect(page.locator("#words .unknown li")).to_have_count(1)
    expect(page.locator("#words .unknown")).to_contain_text("I do not know “flamnigo”.")


def test_what_is_no_photo(page: Page) -> None:
    page.set_input_files("#photo", file("report.pdf", b"%PDF-1.7\n" + bytes(500)))
    expect(page.locator("#current h2")).to_contain_text("This does not look like a photo.")


def test_a_damaged_photo(page: Page) -> None:
    page.set_input_files("#photo", file("damaged.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF" + os.urandom(500)))
    expect(page.locator("#current h2")).to_contain_text("This photo is damaged")


@pytest.mark.parametrize("function", ["index", "clip"])
@pytest.mark.parametrize("size", [(640, 480), (4000, 3000)], ids=["small", "12 megapixels"])
def test_the_same_photo_raw_and_as_a_form(application: Running, function: str, size: tuple[int, int]) -> None:
    address = f"{application.url}/function/{function}"
    data = camera_photo(*size)
    raw = requests.post(address, data=data, timeout=30)
    form = requests.post(address, files={"photo": ("a.jpg", data)}, timeout=30)
    assert raw.status_code == form.status_code == 200
    assert raw.json() == form.json()


@pytest.mark.parametrize("function", ["index", "clip"])
@pytest.mark.parametrize("size", [100_000, 4_000_000, 19_000_000])
def test_a_form_of_random_bytes_behind_a_photo(application: Running, function: str, size: int) -> None:
    """What follows a JPEG's end is ignored by its decoder, so that the answer shows whether the photo came through."""
    data = camera_photo(320, 240) + os.urandom(size)
    response = requests.post(
        f"{application.url}/function/{function}", files={"photo": ("a.jpg", data, "image/jpeg")}, timeout=30
    )
    assert response.status_code == 200
    assert len(response.json()["predictions"]) == 5


def test_without_javascript(application: Running, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{application.url}/function/index")
    page.get_by_label("Choose a photo").set_input_files(file("phone.jpg", camera_photo()))
    page.get_by_role("button", name="Recognize").click()
    expect(page.locator("[data-state=done], [data-state=unsure]")).to_be_visible(timeout=30_000)
    context.close()


@pytest.mark.parametrize("function", ["index", "clip"])
def test_two_accept_headers_count_as_one_and_what_makes_no_sense_is_left_out(
    application: Running, function: str
) -> None:
    photo = camera_photo(640, 480)
    head = (
        f"POST /function/{function} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(photo)}\r\n"
        "Accept: text/plain\r\nAccept: ;;;q=x,,/\r\n\r\n"
    )
    raw = exchange(application, head.encode(), photo)
    assert raw.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nContent-Type: text/plain; charset=utf-8\r\n" in raw


def test_one_call_id_and_one_trace_stand_in_the_logs_of_both(application: Running) -> None:
    sent = {"X-Call-Id": "both-logs", "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}

    def lines() -> dict[str, dict[str, object]]:
        found = (line.partition(" | ") for line in application.output().splitlines() if '"both-logs"' in line)
        return {name: json.loads(text) for name, _, text in found}

    requests.post(f"{application.url}/function/index", data=b"no photo", headers=sent, timeout=30)

    wait_for(lambda: set(lines()) == {"index", "clip"}, application.output)
    for line in lines().values():
        assert line["traceparent"] == sent["traceparent"]
        assert (line["status"], line["code"]) == (415, "unsupported_image")
