"""The ways in, and what goes out to the recognizer."""

import threading
from io import BytesIO
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

from . import gateway as behaviors
from .gateway import EVERYTHING, Gateway, prediction
from .photos import BLUE, RED, camera_photo, encoded, file, photo


def done(page: Page, count: int = 1) -> None:
    expect(page.locator("#current [data-state=done]")).to_have_count(count)


def sent(gateway: Gateway) -> Image.Image:
    [seen] = gateway.seen
    return Image.open(BytesIO(seen.body))


def hand_over(page: Page, event: str, files: list[tuple[str, bytes]]) -> None:
    """Drops or pastes files, as far as a page can tell."""
    page.evaluate(
        """([event, files]) => {
          const transfer = new DataTransfer();
          for (const [name, bytes] of files) transfer.items.add(new File([new Uint8Array(bytes)], name));
          const options = { bubbles: true, cancelable: true };
          const target = document.querySelector("footer");
          if (event === "paste") {
            target.dispatchEvent(new ClipboardEvent("paste", { ...options, clipboardData: transfer }));
            return;
          }
          for (const step of ["dragenter", "dragover", "drop"].slice(0, event === "drop" ? 3 : 2)) {
            target.dispatchEvent(new DragEvent(step, { ...options, dataTransfer: transfer }));
          }
        }""",
        [event, [(name, list(data)) for name, data in files]],
    )


def test_click(page: Page, gateway: Gateway) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_text("Choose a photo").click()
    assert chooser.value.is_multiple()
    chooser.value.set_files([file()])
    done(page)
    assert gateway.seen[0].body == photo()
    assert gateway.seen[0].query == EVERYTHING


def test_the_same_photo_twice(page: Page, gateway: Gateway) -> None:
    for _ in range(2):
        page.set_input_files("#photo", [file()])
        done(page)
    expect(page.locator("#past .card")).to_have_count(1)
    assert len(gateway.seen) == 2


def test_drop_anywhere(page: Page, gateway: Gateway) -> None:
    hand_over(page, "drag", [("a.jpg", photo())])
    expect(page.locator("#drop")).to_be_visible()
    hand_over(page, "drop", [("a.jpg", photo())])
    expect(page.locator("#drop")).to_be_hidden()
    done(page)
    assert gateway.seen[0].body == photo()


def test_drop_of_something_else_is_left_alone(page: Page, gateway: Gateway) -> None:
    page.evaluate(
        """() => {
          const transfer = new DataTransfer();
          transfer.setData("text/plain", "no file");
          dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: transfer }));
        }"""
    )
    expect(page.locator("#start")).to_be_visible()
    assert not gateway.seen


def test_paste_with_the_keyboard(context: BrowserContext, page: Page, gateway: Gateway) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate(
        """async () => {
          const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 48 });
          const png = await new Promise((resolve) => canvas.toBlob(resolve));
          await navigator.clipboard.write([new ClipboardItem({ "image/png": png })]);
        }"""
    )
    page.keyboard.press("ControlOrMeta+v")
    done(page)
    assert sent(gateway).size == (64, 48)


def test_paste_of_text_is_left_alone(page: Page, gateway: Gateway) -> None:
    hand_over(page, "paste", [])
    expect(page.locator("#start")).to_be_visible()
    assert not gateway.seen


@pytest.mark.parametrize("context_options", [{"has_touch": True, "is_mobile": True}])
def test_camera_of_a_phone(page: Page, gateway: Gateway) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_text("Take one now").tap()
    assert chooser.value.element.get_attribute("capture") == "environment"
    chooser.value.set_files([file()])
    done(page)
    assert len(gateway.seen) == 1


def test_no_camera_button_without_a_touch_screen(page: Page) -> None:
    expect(page.get_by_text("Take one now")).to_be_hidden()


def test_each_drawing_is_a_photo(page: Page, gateway: Gateway) -> None:
    drawings = page.locator(".example")
    assert 2 <= drawings.count() <= 3
    for number in range(drawings.count()):
        drawings.nth(number).click()
        done(page)
        page.go_back()
    for seen in gateway.seen:
        image = Image.open(BytesIO(seen.body))
        assert (image.format, image.size) == ("JPEG", (480, 480))
        assert len(np.unique(np.asarray(image.resize((16, 16))))) > 30


def test_a_double_click_sends_one_photo(page: Page, gateway: Gateway) -> None:
    ready = threading.Event()
    gateway.clip.append(behaviors.until(ready, behaviors.answer(prediction())))
    page.locator(".example").first.dblclick()
    expect(page.locator("[data-state=looking]")).to_have_count(1)
    ready.set()
    done(page)
    expect(page.locator(".card")).to_have_count(1)
    assert len(gateway.seen) == 1


def test_more_photos_join_the_queue(page: Page, gateway: Gateway) -> None:
    ready = threading.Event()
    gateway.clip.append(behaviors.until(ready, behaviors.answer(prediction())))
    page.set_input_files("#photo", [file()])
    expect(page.locator("[data-state=looking]")).to_be_visible()
    hand_over(page, "paste", [("second.jpg", photo())])
    expect(page.locator("#current .card")).to_have_count(2)
    ready.set()
    done(page, 2)
    page.go_back()  # they are one place in the history
    expect(page.locator("#start")).to_be_visible()


def test_a_phone_photo_goes_up_small_and_upright(page: Page, gateway: Gateway, tmp_path: Path) -> None:
    original = tmp_path / "phone.jpg"
    original.write_bytes(camera_photo(orientation=6))  # stored lying on its side: its left is the top
    assert original.stat().st_size > 3_000_000
    page.set_input_files("#photo", original)
    done(page)
    image = sent(gateway)
    assert len(gateway.seen[0].body) < 300_000
    assert image.size == (768, 1024)
    assert 0x0112 not in image.getexif()
    pixels = np.asarray(image, float)
    redness = (pixels[..., 0] - pixels[..., 1]).mean(axis=1)
    assert redness[:400].min() > 60 > redness[624:].max()
    expect(page.locator(".facts")).to_contain_text("made from")
    shown = page.evaluate("(({ naturalWidth, naturalHeight }) => [naturalWidth, naturalHeight])(document.images[0])")
    assert shown == [768, 1024]


def test_a_panorama_keeps_its_height(page: Page, gateway: Gateway) -> None:
    page.set_input_files("#photo", [file(data=encoded(Image.new("RGB", (6000, 800), RED), "PNG"))])
    done(page)
    assert sent(gateway).size == (2880, 384)


def test_what_is_transparent_becomes_white(page: Page, gateway: Gateway) -> None:
    image = Image.new("RGBA", (2000, 2000), (0, 0, 0, 0))
    image.paste(BLUE, (0, 0, 1000, 2000))
    page.set_input_files("#photo", [file("a.png", encoded(image, "PNG"))])
    done(page)
    assert np.asarray(sent(gateway))[500, 900].min() > 250


def test_what_the_browser_cannot_open_goes_up_as_it_is(page: Page, gateway: Gateway) -> None:
    output = BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (640, 480), RED)).save(output)
    page.set_input_files("#photo", file("IMG_0001.HEIC", output.getvalue()))
    done(page)
    assert gateway.seen[0].body == output.getvalue()
    expect(page.locator("#current .nothumb")).to_have_text("HEIC")


def test_a_file_over_the_limit_is_not_even_sent(page: Page, gateway: Gateway) -> None:
    expect(page.locator("html[data-vocabulary]")).to_be_visible()
    page.set_input_files("#photo", [file("a.raw", bytes(2_000_001))])
    expect(page.locator("#current h2")).to_contain_text("too large")
    assert not gateway.seen


def test_a_folder(page: Page, gateway: Gateway) -> None:
    page.evaluate(
        """() => {
          const folder = new File([], "folder");
          folder.slice = () => ({ arrayBuffer: () => Promise.reject(new DOMException("", "NotFoundError")) });
          const transfer = { types: ["Files"], files: [folder] };
          dispatchEvent(Object.assign(new Event("drop"), { dataTransfer: transfer }));
        }"""
    )
    expect(page.locator("#current h2")).to_contain_text("cannot be read")
    assert not gateway.seen
