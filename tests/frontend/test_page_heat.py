"""Where the recognizer looked, as a heat map over the photo; and pictures that the browser cannot open."""

import base64
import json
from io import BytesIO

import numpy as np
import pillow_heif
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, expect

from . import gateway as behaviors
from .gateway import DESCRIPTION, EVERYTHING, Gateway, prediction
from .photos import BLUE, RED, encoded, file, photo

# The upper right cell of the part that the model sees, the middle of a wide photo, is what counts.
EXPLANATION = {"label": "apple", "grid": [[0, 0.1, 1], [0, 0, 0.2], [0, 0, 0]], "area": [0.25, 0, 0.75, 1]}


def done(page: Page) -> None:
    expect(page.locator("#current [data-state=done]")).to_be_visible()


def explained(explanation: object = EXPLANATION) -> behaviors.Behavior:
    return behaviors.answer(prediction() | {"explanation": explanation})


def pixels(page: Page) -> NDArray[np.float64]:
    """The map: [height, width, RGBA]."""
    url = page.locator("#current canvas").evaluate("(canvas) => canvas.toDataURL()")
    return np.asarray(Image.open(BytesIO(base64.b64decode(url.partition(",")[2]))), float)


def test_the_map_lies_where_the_explanation_says(page: Page, gateway: Gateway) -> None:
    page.set_input_files("#photo", [file(data=photo(800, 400))])
    done(page)
    gateway.clip.append(explained())
    button = page.get_by_role("button", name="Where it looked")
    button.click()
    expect(page.get_by_role("img", name="Where the recognizer looked for apple")).to_be_visible()
    assert gateway.seen[1].query == [*EVERYTHING, ("explain", "1")]
    assert gateway.seen[1].body == gateway.seen[0].body
    shown = pixels(page)
    height, width, _ = shown.shape
    assert width / height == pytest.approx(2, abs=0.01)  # as the photo, on which it lies
    glow = shown[..., 0] - shown[..., 2]  # one hue, from the dim to the bright
    inside = glow[4:-4, width // 4 + 4 : 3 * width // 4 - 4]
    row, column = np.unravel_index(int(inside.argmax()), inside.shape)
    assert row < height / 3
    assert column > width / 3
    assert np.abs(np.diff(inside, axis=0)).max() < 16  # smooth: no cell has an edge
    assert np.abs(np.diff(inside, axis=1)).max() < 16
    assert (shown[..., 3] < 255).all()  # the photo is seen through it
    assert inside.max() > 100 > np.abs(glow[:, : width // 4 - 4]).max()  # nothing glows where nothing was looked at
    assert np.std(shown[:, : width // 4 - 4, 3]) > 5  # which is striped
    expect(page.locator("#current .legend")).to_contain_text("Bright is what counted for “apple”.")
    expect(page.locator("#current .legend")).to_contain_text("what is striped I have not seen")
    photo_box, map_box = (page.locator(f"#current {part}").bounding_box() for part in ("img", "canvas"))
    assert photo_box
    assert map_box == pytest.approx(photo_box, abs=1)
    button.click()
    expect(page.locator("#current canvas")).to_have_count(0)
    button.click()  # it is kept
    expect(page.locator("#current canvas")).to_be_visible()
    assert len(gateway.seen) == 2
    page.get_by_role("button", name="Ask about a part").click()  # of the photo, not of the map
    expect(page.locator("#current canvas")).to_have_count(0)
    page.get_by_role("button", name="Whole photo").click()
    expect(button).to_have_attribute("aria-pressed", "false")


def test_what_lies_beside_the_square_is_looked_at_too(page: Page, gateway: Gateway) -> None:
    """It is on the left, hardly in the middle: each grid has a 1 somewhere, the confidence says what that is worth."""
    page.set_input_files("#photo", [file(data=photo(800, 400))])  # its left half is red, its right half blue
    done(page)
    gateway.clip.append(explained())
    page.get_by_role("button", name="Where it looked").click()
    rest = page.get_by_role("button", name="Look at the rest too")
    expect(rest).to_be_visible()
    gateway.clip.append(behaviors.error("internal", 500))
    rest.click()
    expect(page.locator("#notice")).to_contain_text("Something went wrong")
    expect(page.locator("#current canvas")).to_be_visible()  # as it was
    everywhere = {"label": "apple", "grid": [[0, 0, 0], [0, 1, 0], [0, 0, 0]], "area": [0, 0, 1, 1]}
    for confidence, explanation in ((0.09, EXPLANATION), (0.9, everywhere), (0.0, everywhere)):
        gateway.clip.append(behaviors.answer(prediction(confidence=confidence) | {"explanation": explanation}))
    rest.click()
    expect(page.locator("#current .legend")).to_contain_text("the whole photo, piece by piece")
    expect(rest).to_be_hidden()
    expect(page.get_by_role("button", name="Where it looked")).to_be_focused()
    whole, left, right = gateway.seen[-3:]
    assert whole.body == gateway.seen[0].body
    assert {tuple(seen.query) for seen in (whole, left, right)} == {
        (("labels", "apple"), ("unknown", "skip"), ("explain", "apple"))
    }
    for part, (most, least) in ((left, (0, 2)), (right, (2, 0))):
        image = Image.open(BytesIO(part.body))
        assert image.size == (400, 400)
        means = np.asarray(image, float).mean(axis=(0, 1))
        assert means[most] > 150 > 60 > means[least]
    shown = pixels(page)
    height, width, _ = shown.shape
    glow = shown[..., 0] - shown[..., 2]
    row, column = np.unravel_index(int(glow.argmax()), glow.shape)
    assert (row / height, column / width) == pytest.approx((0.5, 0.25), abs=0.06)
    assert np.abs(glow[:, width // 2 :]).max() < glow.max() / 5
    assert np.abs(np.diff(glow, axis=1)).max() < 16  # no edge where the looks meet
    assert np.std(shown[: height // 8, : width // 8, 3]) < 5  # nothing is striped
    asked = len(gateway.seen)
    page.get_by_role("button", name="Where it looked").click()
    expect(page.locator("#current canvas")).to_have_count(0)
    page.get_by_role("button", name="Where it looked").click()
    expect(page.locator("#current .legend")).to_contain_text("piece by piece")
    assert len(gateway.seen) == asked


def test_another_question_has_another_map(page: Page, gateway: Gateway) -> None:
    page.set_input_files("#photo", [file()])
    done(page)
    gateway.clip.append(explained())
    page.get_by_role("button", name="Where it looked").click()
    expect(page.locator("#current canvas")).to_be_visible()
    page.get_by_label("11 everyday things").check()
    done(page)
    expect(page.locator("#current canvas")).to_have_count(0)
    gateway.clip.append(explained(EXPLANATION | {"label": "dog"}))
    page.get_by_role("button", name="Where it looked").click()
    expect(page.locator("#current .legend")).to_contain_text("dog")
    assert gateway.seen[-1].query == [("vocabulary", "everyday"), ("tags", "1"), ("explain", "1")]


def test_any_guess_has_its_own_map(page: Page, gateway: Gateway) -> None:
    gateway.clip.append(behaviors.answer(prediction(confidence=0.6)))
    page.set_input_files("#photo", [file()])
    done(page)
    bear = page.locator("#current .near").get_by_role("button", name="bear")
    gateway.clip.append(explained(EXPLANATION | {"label": "bear", "area": [0, 0, 1, 1]}))
    bear.click()
    expect(page.get_by_role("img", name="Where the recognizer looked for bear")).to_be_visible()
    expect(page.locator("#current .legend")).to_have_text("Bright is what counted for “bear”.")
    expect(bear).to_have_attribute("aria-pressed", "true")
    assert gateway.seen[1].query == [*EVERYTHING, ("explain", "bear")]
    gateway.clip.append(explained())
    page.get_by_role("button", name="Where it looked").click()  # takes the place of the other
    expect(bear).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#current canvas")).to_have_count(1)
    page.get_by_text("Details").click()
    expect(page.locator("#current .five .label").first).to_be_visible()
    gateway.clip.append(explained(EXPLANATION | {"label": "clock"}))
    page.locator("#current .all").get_by_role("button", name="clock").click()
    expect(page.get_by_role("img", name="Where the recognizer looked for clock")).to_be_visible()


def test_a_model_that_cannot_say_it_is_not_asked(page: Page, gateway: Gateway) -> None:
    gateway.describe = behaviors.answer(DESCRIPTION | {"explains": False})
    page.reload()
    page.set_input_files("#photo", [file()])
    done(page)
    expect(page.get_by_role("button", name="Ask about a part")).to_be_visible()
    expect(page.get_by_role("button", name="Where it looked")).to_be_hidden()
    page.get_by_text("Details").click()
    expect(page.locator("#current .all").get_by_role("button", name="apple")).to_be_disabled()


def test_no_map_but_a_sentence_where_there_is_trouble(page: Page, gateway: Gateway) -> None:
    page.set_input_files("#photo", [file()])
    done(page)
    gateway.clip.append(behaviors.error("internal", 500))
    page.get_by_role("button", name="Where it looked").click()
    expect(page.locator("#notice")).to_contain_text("Something went wrong")
    expect(page.locator("#current h2")).to_have_text("an apple")


def test_a_preview_where_the_browser_cannot_open_the_file(page: Page, gateway: Gateway) -> None:
    output = BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (640, 480), RED)).save(output)
    small = base64.b64encode(encoded(Image.new("RGB", (512, 384), BLUE))).decode()
    gateway.clip.append(behaviors.answer(prediction() | {"preview": f"data:image/jpeg;base64,{small}"}))
    page.set_input_files("#photo", file("IMG_0001.HEIC", output.getvalue()))
    done(page)
    assert gateway.seen[0].body == output.getvalue()
    assert gateway.seen[0].query == [*EVERYTHING, ("preview", "1")]
    expect(page.locator("#current .nothumb")).to_be_hidden()
    expect(page.locator("#current img")).to_be_visible()
    assert page.locator("#current img").evaluate("(image) => image.naturalWidth") == 512
    assert json.loads(page.locator("#current .json").text_content() or "") == prediction()
    page.get_by_role("button", name="Ask about a part").click()
    page.keyboard.press("Enter")  # about the middle of what is shown
    expect(page.locator("#current figcaption bdi")).to_have_text("IMG_0001 (part).jpg")
    done(page)
    assert Image.open(BytesIO(gateway.seen[1].body)).size == (256, 192)
    assert gateway.seen[1].query == EVERYTHING
