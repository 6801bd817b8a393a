"""The browser's own ways: title, back, forward, reload; and the photos of before."""

import threading

from playwright.sync_api import Page, expect

from . import gateway as behaviors
from .gateway import Gateway, prediction
from .photos import file


def show(page: Page, gateway: Gateway, label: str) -> None:
    gateway.clip.append(behaviors.answer(prediction([label, "tulip"])))
    page.set_input_files("#photo", [file(f"{label}.jpg")])
    expect(page.locator("#current h2")).to_have_text(f"an {label}" if label == "apple" else f"a {label}")


def test_the_title_carries_the_answer(page: Page, gateway: Gateway) -> None:
    expect(page).to_have_title("What is in your photo?")
    ready = threading.Event()
    gateway.clip.append(behaviors.until(ready, behaviors.answer(prediction(["pear"]))))
    page.set_input_files("#photo", [file()])
    expect(page).to_have_title("Looking · What is in your photo?")
    ready.set()
    expect(page).to_have_title("a pear, 93% sure · What is in your photo?")
    page.set_input_files("#photo", [file(), file()])
    expect(page).to_have_title("2 recognized, 0 not · What is in your photo?")
    page.go_back()
    page.go_back()
    expect(page).to_have_title("What is in your photo?")


def test_back_and_forward(page: Page, gateway: Gateway) -> None:
    show(page, gateway, "pear")
    show(page, gateway, "bear")
    page.go_back()
    expect(page.locator("#current h2")).to_have_text("a pear")
    page.go_back()
    expect(page.locator("#start")).to_be_visible()
    expect(page.locator("#photo")).to_be_focused()
    expect(page.locator("#past h2")).to_have_text(["a pear", "a bear"])
    page.go_forward()
    expect(page.locator("#current h2")).to_have_text("a pear")
    expect(page.locator("#start")).to_be_hidden()
    page.go_forward()
    expect(page.locator("#current h2")).to_have_text("a bear")
    page.get_by_label("11 everyday things").check()
    expect(page.locator("#current h2")).to_have_text("an apple")
    page.go_back()
    expect(page.locator("#current h2")).to_have_text("a pear")  # as it was, and no photo was sent for that
    assert len(gateway.seen) == 3
    page.get_by_role("button", name="Look at these photos again").click()
    expect(page.locator("#current h2")).to_have_text("an apple")


def test_reload_begins_anew(page: Page, gateway: Gateway) -> None:
    show(page, gateway, "pear")
    page.reload()
    expect(page.locator("#start")).to_be_visible()
    expect(page.locator(".card")).to_have_count(0)
    page.go_back()
    expect(page.locator("#start")).to_be_visible()


def test_another_photo_keeps_the_result_until_there_is_one(page: Page, gateway: Gateway) -> None:
    show(page, gateway, "pear")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Another photo").click()
    expect(page.locator("#current h2")).to_have_text("a pear")
    gateway.clip.append(behaviors.answer(prediction(["bear"])))
    chooser.value.set_files(file("second.jpg"))
    expect(page.locator("#current h2")).to_have_text("a bear")
    expect(page.locator("#past h2")).to_have_text("a pear")


def test_earlier_photos(page: Page, gateway: Gateway) -> None:
    show(page, gateway, "pear")
    show(page, gateway, "apple")
    earlier = page.get_by_role("region", name="Earlier")
    expect(earlier).to_contain_text("in this tab, until you close it")
    expect(earlier.get_by_role("heading", level=2)).to_have_text(["Earlier", "a pear"])
    earlier.get_by_role("button", name="Show").click()
    expect(page.locator("#current h2")).to_have_text("a pear")
    expect(page.locator("#current .note")).to_be_visible()
    expect(page.locator("#past h2")).to_have_text("an apple")
    page.go_back()
    expect(page.locator("#current h2")).to_have_text("an apple")


def test_clear_can_be_undone(page: Page, gateway: Gateway) -> None:
    for label in ("pear", "bear", "apple"):
        show(page, gateway, label)
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_role("region", name="Earlier")).to_be_hidden()
    expect(page.locator("#notice")).to_contain_text("Removed 2 photos")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#past h2")).to_have_text(["a bear", "a pear"])
    expect(page.locator("#notice")).to_be_hidden()
    shown = page.locator("#past img").evaluate_all("(images) => images.map((image) => image.naturalWidth)")
    assert shown == [320, 320]


def test_each_can_be_removed(page: Page, gateway: Gateway) -> None:
    page.set_input_files("#photo", [file("one.jpg"), file("two.jpg"), file("three.jpg")])
    expect(page.locator("#current [data-state=done]")).to_have_count(3)
    page.locator("#current").get_by_text("Details").nth(1).click()
    page.locator("#current").get_by_role("button", name="Remove").click()
    expect(page.locator("#current figcaption")).to_have_text(["one.jpg", "three.jpg"])
    expect(page.locator("#count")).to_have_text("2 recognized, 0 not")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#current figcaption")).to_have_text(["one.jpg", "two.jpg", "three.jpg"])


def test_the_last_one_removed_leads_to_the_start(page: Page, gateway: Gateway) -> None:
    show(page, gateway, "pear")
    page.get_by_text("Details").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("#start")).to_be_visible()
    expect(page).to_have_title("What is in your photo?")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#past h2")).to_have_text("a pear")
