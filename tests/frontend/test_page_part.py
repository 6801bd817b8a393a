"""A part of a photo, the camera of a computer, web addresses, double clicks, sharing, paper."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

from . import gateway as behaviors
from .gateway import Gateway, prediction
from .photos import camera_photo, encoded, file, photo


def done(page: Page, count: int = 1) -> None:
    expect(page.locator("#current [data-state=done]")).to_have_count(count)


def test_a_part_by_pointer(page: Page, gateway: Gateway) -> None:
    page.set_input_files("#photo", [file(data=photo(1600, 800))])  # its left half is red, its right half blue
    done(page)
    page.get_by_role("button", name="Ask about a part").click()
    box = page.locator("#current img").bounding_box()
    assert box
    left, top, width, height = box["x"], box["y"], box["width"], box["height"]
    page.mouse.move(left + 0.6 * width, top + 0.25 * height)
    page.mouse.down()
    page.mouse.move(left + 0.9 * width, top + 0.75 * height, steps=4)
    gateway.clip.append(behaviors.answer(prediction(["pear"])))
    page.mouse.up()  # asks
    expect(page.locator("#current h2")).to_have_text("a pear")
    expect(page.locator("#current figcaption")).to_have_text("holiday (part).jpg")
    image = Image.open(BytesIO(gateway.seen[1].body))
    assert image.size == pytest.approx((480, 400), abs=8)
    red, _, blue = np.asarray(image, float).mean(axis=(0, 1))
    assert blue > 150 > 60 > red
    page.go_back()
    expect(page.locator("#current figcaption")).to_have_text("holiday.jpg")
    expect(page.locator(".part-sheet")).to_have_count(0)


def test_a_part_by_keyboard(page: Page, gateway: Gateway) -> None:
    page.set_input_files("#photo", [file(data=photo(1000, 500))])
    done(page)
    page.get_by_role("button", name="Ask about a part").press("Enter")
    for key in ["ArrowLeft"] * 9 + ["Shift+ArrowDown"] * 20:  # to the left edge, and down to the lower one
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    expect(page.locator("#current figcaption")).to_have_text("holiday (part).jpg")
    done(page)
    image = Image.open(BytesIO(gateway.seen[1].body))
    assert image.size == pytest.approx((500, 375), abs=2)
    red, _, blue = np.asarray(image, float).mean(axis=(0, 1))
    assert red > 150 > 60 > blue

    expect(page.locator(".part-sheet")).to_have_count(0)  # nor does one lie over the photo of before
    expect(page.locator("#past .card")).to_have_count(1)


@pytest.mark.parametrize("mode", ["on the photo", "while a part is chosen"])
def test_a_tap_asks_about_what_is_around_it(page: Page, gateway: Gateway, mode: str) -> None:
    page.set_input_files("#photo", [file(data=photo(1000, 500))])
    done(page)
    if mode == "while a part is chosen":
        page.get_by_role("button", name="Ask about a part").click()
    box = page.locator("#current img").bounding_box()
    assert box
    page.mouse.click(box["x"] + 0.95 * box["width"], box["y"] + 0.5 * box["height"])
    expect(page.locator("#current figcaption")).to_have_text("holiday (part).jpg")
    done(page)
    image = Image.open(BytesIO(gateway.seen[1].body))
    assert image.size == pytest.approx((225, 225), abs=2)
    red, _, blue = np.asarray(image, float).mean(axis=(0, 1))
    assert blue > 150 > 60 > red


def test_other_words_are_asked_about_the_part_that_is_drawn(page: Page, gateway: Gateway) -> None:
    page.set_input_files("#photo", [file(data=photo(1000, 500))])
    done(page)
    page.get_by_role("button", name="Ask about a part").click()
    page.get_by_label("11 everyday things").check()
    expect(page.locator("#current figcaption")).to_have_text("holiday (part).jpg")
    done(page)
    assert gateway.seen[1].query == [("vocabulary", "everyday"), ("tags", "1")]
    assert Image.open(BytesIO(gateway.seen[1].body)).size == (500, 250)
    assert len(gateway.seen) == 2


def test_the_whole_photo_after_all(page: Page, gateway: Gateway) -> None:
    page.set_input_files("#photo", [file()])
    done(page)
    page.get_by_role("button", name="Ask about a part").click()
    page.get_by_role("button", name="Whole photo").click()
    expect(page.locator(".part-sheet")).to_have_count(0)
    expect(page.get_by_role("button", name="Ask about a part")).to_be_focused()
    assert len(gateway.seen) == 1


def test_camera_of_a_computer(context: BrowserContext, page: Page, gateway: Gateway) -> None:
    context.grant_permissions(["camera"])
    page.get_by_role("button", name="Use the camera").click()
    page.get_by_role("button", name="Take the photo").click()
    done(page)
    image = Image.open(BytesIO(gateway.seen[0].body))
    assert min(image.size) >= 384
    assert len(np.unique(np.asarray(image))) > 10  # something is seen
    expect(page.locator("#viewfinder")).to_be_hidden()
    assert page.evaluate("document.querySelector('video').srcObject") is None


def test_no_camera_without_leave(page: Page, context: BrowserContext, gateway: Gateway) -> None:
    context.clear_permissions()
    page.evaluate(
        """() => { navigator.mediaDevices.getUserMedia =
          () => Promise.reject(new DOMException("", "NotAllowedError")); }"""
    )
    page.get_by_role("button", name="Use the camera").click()
    expect(page.locator("#notice")).to_contain_text("does not let this page use the camera")
    answer, notice = page.locator("main").bounding_box(), page.locator("#notice").bounding_box()
    assert answer
    assert notice
    assert notice["y"] + notice["height"] <= answer["y"]  # it lies over nothing
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#notice")).to_be_hidden()


def test_a_notice_goes_by_itself_or_with_the_next_action(page: Page) -> None:
    page.clock.install()
    paste_address(page)
    page.clock.run_for(5_000)
    expect(page.locator("#notice")).to_be_visible()
    page.clock.run_for(5_000)
    expect(page.locator("#notice")).to_be_hidden()
    paste_address(page)
    page.locator("#notice").hover()
    page.clock.run_for(20_000)
    expect(page.locator("#notice")).to_be_visible()  # somebody reads it
    page.set_input_files("#photo", [file()])
    done(page)
    expect(page.locator("#notice")).to_be_hidden()


def paste_address(page: Page) -> None:
    """Pastes what the page has only a sentence for."""
    page.evaluate(
        """() => {
          const transfer = new DataTransfer();
          transfer.setData("text/plain", "https://example.org/cat.jpg");
          document.body.dispatchEvent(new ClipboardEvent("paste", { bubbles: true, clipboardData: transfer }));
        }"""
    )
    expect(page.locator("#notice")).to_be_visible()


@pytest.mark.parametrize("way", ["paste", "drop"])
def test_a_web_address_is_not_fetched(page: Page, gateway: Gateway, way: str) -> None:
    page.evaluate(
        """(way) => {
          const transfer = new DataTransfer();
          for (const kind of ["text/plain", "text/uri-list"]) transfer.setData(kind, "https://example.org/cat.jpg");
          const options = { bubbles: true, cancelable: true };
          document.body.dispatchEvent(
            way === "paste"
              ? new ClipboardEvent(way, { ...options, clipboardData: transfer })
              : new DragEvent(way, { ...options, dataTransfer: transfer }),
          );
        }""",
        way,
    )
    expect(page.locator("#notice")).to_contain_text("Save the picture")
    expect(page.locator("#start")).to_be_visible()
    assert not gateway.seen


def test_a_double_click_is_a_double_click(page: Page) -> None:
    page.set_input_files("#photo", [file()])
    done(page)
    page.locator("#current h2").dblclick()
    assert page.evaluate("getSelection().toString().trim()") in ("an", "apple")
    page.get_by_text("Details").dblclick()  # opens and closes
    expect(page.locator("#current .facts")).to_be_hidden()


@pytest.mark.parametrize("files", [True, False])
def test_share(context: BrowserContext, index: str, files: bool) -> None:
    page = context.new_page()
    page.add_init_script(
        f"""navigator.canShare = ({{ files }}) => {str(files).lower()} && files[0].size > 0;
        navigator.share = async (data) => {{
          window.shared = {{ ...data, files: data.files?.map(({{ name }}) => name) }};
        }};"""
    )
    page.goto(index)
    page.set_input_files("#photo", [file()])
    done(page)
    page.get_by_role("button", name="Share").click()
    page.wait_for_function("window.shared")
    shared = page.evaluate("shared")
    assert shared["text"] == "holiday.jpg: an apple, 93% sure"
    assert shared["url"] == page.url
    assert shared.get("files") == (["holiday.jpg"] if files else None)


def test_what_is_shared_is_named_as_what_it_is(context: BrowserContext, index: str) -> None:
    """A large PNG goes up as a JPEG."""
    page = context.new_page()
    page.add_init_script(
        """navigator.canShare = () => true;
        navigator.share = async ({ files: [{ name, type }] }) => { window.shared = [name, type]; };"""
    )
    page.goto(index)
    png = encoded(Image.open(BytesIO(camera_photo(1200, 900))), "PNG")
    page.set_input_files("#photo", [file("screen.png", png)])
    done(page)
    page.get_by_role("button", name="Share").click()
    page.wait_for_function("window.shared")
    assert page.evaluate("shared") == ["screen.jpg", "image/jpeg"]


def test_no_share_button_where_there_is_no_way(page: Page) -> None:
    page.set_input_files("#photo", [file()])
    done(page)
    expect(page.get_by_role("button", name="Share")).to_be_hidden()


def test_on_paper(page: Page) -> None:
    page.set_input_files("#photo", [file()])
    done(page)
    page.emulate_media(media="print")
    expect(page.locator("#current h2")).to_be_visible()
    expect(page.locator("#current img")).to_be_visible()
    expect(page.locator("button:visible, input:visible, #words:visible")).to_have_count(0)
