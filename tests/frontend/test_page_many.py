"""Many photos: a wall, a summary with a filter, what can be saved, folders, and a page that stays smooth."""

import csv
import json
import re
import threading
from io import StringIO
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.formulas import CASES
from tests.launch import wait_for

from . import gateway as behaviors
from .gateway import Gateway, prediction
from .photos import camera_photo, file, photo
from .tasks import measured

# Milliseconds of the processor's time that the page's thread may be busy without a pause.
LONGEST_TASK = 100
COUNT = 24


def show(page: Page, *names: str) -> None:
    page.set_input_files("#photo", [file(name) for name in names])
    expect(page.locator("#current .card, .tile")).to_have_count(len(names))
    expect(page.locator("#count")).to_contain_text("recognized")


@pytest.fixture
def mixed(page: Page, gateway: Gateway) -> Page:
    """Five photos: four are recognized, one of them as something else than a label; the last one is damaged."""
    other, damaged = photo(300, 200), photo(300, 201)
    answers = {
        other: behaviors.answer(prediction(confidence=0.2, instead="flamingo, pink")),
        damaged: behaviors.error("corrupt_image", 422),
    }
    gateway.clip.extend([behaviors.by_body(answers)] * 5)
    contents = {"=1.jpg": photo(), "2.jpg": other, "3.jpg": photo(), "Grüße.jpg": photo(), "5.jpg": damaged}
    page.set_input_files("#photo", [file(name, data) for name, data in contents.items()])
    expect(page.locator("#count")).to_have_text("4 recognized, 0 not, 1 failed")
    return page


def test_from_four_on_they_are_a_wall(page: Page) -> None:
    show(page, "1.jpg", "2.jpg", "3.jpg")
    expect(page.locator("#current .card")).to_have_count(3)
    expect(page.locator("#wall")).to_be_hidden()
    show(page, "1.jpg", "2.jpg", "3.jpg", "4.jpg")
    expect(page.locator("#wall")).to_be_visible()
    tile = page.get_by_role("button", name="apple 93% 1.jpg")
    for part in (tile.locator("img"), tile.get_by_text("apple"), tile.get_by_text("93%")):
        expect(part).to_be_visible()
    tile.click()
    expect(page.locator("#wall")).to_be_hidden()
    expect(page.locator("#current h2")).to_have_text("an apple")
    expect(page.get_by_role("button", name="Ask about a part")).to_be_visible()
    page.get_by_role("button", name="All photos").click()
    expect(page.locator("#wall")).to_be_visible()
    expect(tile).to_be_focused()


def test_a_few_at_a_time(page: Page, gateway: Gateway) -> None:
    ready = threading.Event()
    gateway.clip.extend([behaviors.until(ready, behaviors.answer(prediction()))] * 6)
    page.set_input_files("#photo", [file(f"{number}.jpg") for number in range(6)])
    expect(page.locator(".tile[data-state=looking]")).to_have_count(3)
    expect(page.locator(".tile[data-state=waiting]")).to_have_count(3)
    expect(page.locator("#count")).to_have_text("0 of 6 photos done")
    wait_for(lambda: len(gateway.seen) == 3, "not three at a time")
    ready.set()
    expect(page.locator("#count")).to_have_text("6 recognized, 0 not")
    expect(page.get_by_role("status")).to_have_text("6 recognized, 0 not")
    expect(page.locator(".tile .file")).to_have_text([f"{number}.jpg" for number in range(6)])


def test_filter(mixed: Page) -> None:
    page = mixed
    page.get_by_label("Group by word").uncheck()
    names = page.locator(".tile .file")
    expect(names).to_have_count(5)
    recognized = page.get_by_role("button", name="Recognized 4", exact=True)
    recognized.click()
    expect(names).to_have_text(["=1.jpg", "2.jpg", "3.jpg", "Grüße.jpg"])
    expect(recognized).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Failed 1").click()
    expect(names).to_have_text(["5.jpg"])
    page.get_by_role("button", name="Not recognized 0").click()
    expect(names).to_have_count(0)
    expect(page.get_by_text("No photo is like that.")).to_be_visible()
    page.get_by_role("button", name="All 5", exact=True).click()
    expect(names).to_have_count(5)


def test_csv(mixed: Page) -> None:
    with mixed.expect_download() as download:
        mixed.get_by_role("button", name="Save as CSV").click()
    assert download.value.suggested_filename == "photos.csv"
    text = Path(download.value.path()).read_bytes().decode("utf-8-sig")
    head, *rows = csv.reader(text.splitlines())
    assert head == ["file", "recognized", "label", "confidence", "instead", "instead confidence", "error"]
    assert rows[0] == ["'=1.jpg", "true", "apple", "0.934", "", "", ""]  # no formula
    assert rows[1] == ["2.jpg", "false", "apple", "0.2", "flamingo, pink", "0.87", ""]
    assert rows[3][0] == "Grüße.jpg"
    assert rows[4][:2] == ["5.jpg", ""]
    assert "damaged" in rows[4][6]


def test_json(mixed: Page) -> None:
    with mixed.expect_download() as download:
        mixed.get_by_role("button", name="Save as JSON").click()
    assert download.value.suggested_filename == "photos.json"
    documents = json.loads(Path(download.value.path()).read_bytes())
    assert documents[0] == {"file": "=1.jpg"} | prediction()
    assert [document["file"] for document in documents] == ["=1.jpg", "2.jpg", "3.jpg", "Grüße.jpg", "5.jpg"]
    assert "damaged" in documents[4]["error"]


def test_copy_all(context: BrowserContext, mixed: Page) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    mixed.get_by_role("button", name="Copy all").click()
    expect(mixed.get_by_role("button", name="Copied")).to_be_visible()
    lines = mixed.evaluate("navigator.clipboard.readText()").splitlines()
    assert lines[0] == "'=1.jpg\tan apple, 93% sure"
    assert len(lines) == 5


def test_no_cell_is_a_formula(context: BrowserContext, page: Page) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.set_input_files("#photo", [file(name) for name in CASES])
    expect(page.locator("#count")).to_have_text(f"{len(CASES)} recognized, 0 not")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as CSV").click()
    text = Path(download.value.path()).read_bytes().decode("utf-8-sig")
    _, *rows = csv.reader(StringIO(text, newline=""))
    assert [row[0] for row in rows] == list(CASES.values())
    page.get_by_role("button", name="Copy all").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()").split("\n")
    assert len(copied) == len(CASES)
    for line, name in zip(copied, CASES, strict=True):
        cells = line.split("\t")
        assert len(cells) == 2
        assert not re.match("[ ]*[=+\\-@\uff1d\uff0b\uff0d\uff20]", cells[0])
        assert re.sub("['\\s]", "", cells[0]) == re.sub("['\\s]", "", name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with pictures, also in a folder of its own, and with other files."""
    inside = tmp_path / "photos" / "of 2026"
    inside.mkdir(parents=True)
    for path in ("photos/10.jpg", "photos/9.JPG", "photos/of 2026/a.heic", "photos/notes.txt", "photos/.hidden.jpg"):
        (tmp_path / path).write_bytes(photo())
    return tmp_path / "photos"


NAMES = ["9.JPG", "10.jpg", "a.heic"]


def test_a_folder_is_chosen(page: Page, folder: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_text("A whole folder", exact=True).click()
    chooser.value.set_files(folder)
    expect(page.locator("#current figcaption")).to_have_text(NAMES)
    expect(page.locator("#notice")).to_contain_text("notes.txt is left out, as it is not a picture.")


def test_a_folder_is_dropped(context: BrowserContext, page: Page, folder: Path) -> None:
    browser = context.new_cdp_session(page)
    for step in ("dragEnter", "dragOver", "drop"):
        data = {"items": [], "files": [str(folder)], "dragOperationsMask": 1}
        browser.send("Input.dispatchDragEvent", {"type": step, "x": 200, "y": 200, "data": data})
    expect(page.locator("#current figcaption")).to_have_text(NAMES)
    expect(page.locator("#drop")).to_be_hidden()


def test_a_folder_without_pictures(page: Page, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing to see")
    page.set_input_files("#folder", tmp_path)
    expect(page.locator("#notice")).to_contain_text("There is no picture in this folder.")
    expect(page.locator("#start")).to_be_visible()


def test_photos_of_twelve_megapixels_stay_smooth(
    page: Page, browser: Browser, gateway: Gateway, tmp_path: Path
) -> None:
    """Every sixth is one of a phone, the others are small."""
    of_a_phone, small = camera_photo(), photo()
    paths = [tmp_path / f"{number}.jpg" for number in range(COUNT)]
    for number, path in enumerate(paths):
        path.write_bytes(small if number % 6 else of_a_phone)
    with measured(browser, page) as tasks:
        page.set_input_files("#photo", paths)
        expect(page.locator("#count")).to_have_text(f"{COUNT} recognized, 0 not", timeout=60_000)
    assert max(tasks) < LONGEST_TASK
    assert len(gateway.seen) == COUNT
    assert max(len(seen.body) for seen in gateway.seen) < 300_000 < len(of_a_phone)
