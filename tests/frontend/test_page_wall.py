"""The wall of many photos: groups, search, order, rows, the keyboard, one photo large, a thousand of them."""

import base64
import itertools
import os
import re
import threading
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FloatRect, Page, expect

from tests.launch import wait_for

from . import gateway as behaviors
from .axe import violations
from .gateway import DESCRIPTION, Gateway, prediction
from .photos import file, photo
from .tasks import measured

# Milliseconds of the processor's time that the page's thread may be busy without a pause.
LONGEST_TASK = 100
MANY = 1_000
# So many of them are in the document at a time, at most.
IN_THE_DOCUMENT = 200
# So many of a batch that was kept are still to be answered.
TO_ANSWER = 40
WORDS = ["pear", "apple", "bear", "tulip"]
# The first batch that the browser keeps: whether all of so many photos are there with their pictures and answers.
IS_KEPT = """(count) => new Promise((resolve, reject) => {
  const opening = indexedDB.open("batches");
  opening.onerror = opening.onblocked = () => reject(opening.error);
  opening.onsuccess = () => {
    const stores = opening.result.transaction(["photos", "pictures"]);
    const [photos, pictures] = ["photos", "pictures"].map((name) => stores.objectStore(name).getAll());
    stores.oncomplete = () => {
      opening.result.close();
      const done = photos.result.filter(({ state }) => state === "done");
      resolve(done.length === count && pictures.result.length === count);
    };
  };
})"""
# Makes many of its few photos, by copies under names of their own. The last ones have no answer yet.
MULTIPLY = """({ many, unanswered }) => new Promise((resolve, reject) => {
  const opening = indexedDB.open("batches");
  opening.onerror = opening.onblocked = () => reject(opening.error);
  opening.onsuccess = () => {
    const changing = opening.result.transaction(["batches", "photos", "pictures"], "readwrite");
    const [batches, photos, pictures] = [...changing.objectStoreNames].map((name) => changing.objectStore(name));
    const [batch, few, files] = [batches, photos, pictures].map((store) => store.getAll());
    changing.onabort = () => reject(changing.error);
    changing.oncomplete = () => { opening.result.close(); resolve(); };
    files.onsuccess = () => {
      const { id } = batch.result[0];
      for (let number = few.result.length; number < many; number += 1) {
        const own = { place: number + 1, name: `${number}.jpg`, path: `${number}.jpg` };
        const open = number < many - unanswered ? {} : { state: "waiting", reply: undefined };
        const from = number % few.result.length;
        photos.put({ ...few.result[from], ...own, ...open }, [id, own.place]);
        pictures.put(files.result[from], [id, own.place]);
      }
      batches.put({ ...batch.result[0], count: many, answered: many - unanswered });
    };
  };
})"""
LIGHT, DARK = {"color_scheme": "light"}, {"color_scheme": "dark"}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def answers(gateway: Gateway) -> dict[str, bytes]:
    """Photos by their name. Three are pears, two apples, one a bear, one nothing that is known, and one is damaged."""
    said = {
        "pear a.jpg": prediction(["pear", "apple"], confidence=0.9),
        "pear b.jpg": prediction(["pear", "apple"], confidence=0.7),
        "pear c.jpg": prediction(["pear", "tulip"], confidence=0.8),
        "apple 10.jpg": prediction(confidence=0.95),
        "apple 9.jpg": prediction(confidence=0.6),
        "bear.jpg": prediction(["bear"], confidence=0.99),
        "nothing.jpg": prediction(confidence=0.1),
    }
    contents = {name: photo(100 + place, 100) for place, name in enumerate([*said, "damaged.jpg"])}
    behavior = behaviors.by_body(
        {contents[name]: behaviors.answer(answer) for name, answer in said.items()}
        | {contents["damaged.jpg"]: behaviors.error("corrupt_image", 422)}
    )
    gateway.clip.extend([behavior] * len(contents))
    return contents


@pytest.fixture
def wall(page: Page, answers: dict[str, bytes]) -> Page:
    """The page with their answers."""
    page.set_input_files("#photo", [file(name, data) for name, data in answers.items()])
    expect(page.locator("#count")).to_have_text("6 recognized, 1 not, 1 failed")
    return page


def names(page: Page) -> list[str]:
    return page.locator(".tile .file").all_inner_texts()


def boxes(page: Page) -> list[FloatRect]:
    """Where the tiles are."""
    return [box for tile in page.locator(".tile").all() if (box := tile.bounding_box())]


def test_groups(wall: Page) -> None:
    headings = wall.locator(".group h2 button")
    expect(headings).to_have_count(5)
    labels = headings.evaluate_all("(all) => all.map((one) => one.ariaLabel)")
    assert labels == [
        "pear, 3 photos", "apple, 2 photos", "bear, 1 photo", "Not recognized, 1 photo", "Failed, 1 photo"
    ]  # fmt: skip
    pears = headings.first
    pears.click()
    expect(pears).to_have_attribute("aria-expanded", "false")
    expect(pears).to_be_focused()
    expect(wall.locator(".tile")).to_have_count(5)
    pears.click()
    expect(wall.locator(".tile")).to_have_count(8)
    columns = [box["x"] for box in boxes(wall)]
    assert len(set(columns[:3])) == 3  # the pears beside each other
    first, last = headings.first.bounding_box(), headings.nth(1).bounding_box()
    assert first
    assert last
    assert first["y"] == last["y"]  # the apples beside the pears


def test_search(wall: Page) -> None:
    field = wall.get_by_role("searchbox", name="Search the photos")
    field.fill("PEAR")  # the apples' answers do not name it among their first ones
    expect(wall.locator(".tile")).to_have_count(3)
    expect(wall.get_by_role("status")).to_have_text("3 photos are shown")
    field.fill("9.jp")
    expect(wall.locator(".tile .file")).to_have_text(["apple 9.jpg"])
    field.fill("tulip")  # what a pear may be, too
    expect(wall.locator(".tile .file")).to_have_text(["pear c.jpg"])
    field.fill("zebra")
    expect(wall.get_by_text("No photo is like that.")).to_be_visible()
    field.fill("")
    expect(wall.locator(".tile")).to_have_count(8)


def test_order(wall: Page) -> None:
    wall.get_by_label("Group by word").uncheck()
    expect(wall.locator(".group h2")).to_be_hidden()
    order = wall.get_by_label("Order")
    order.select_option("Surest first")
    assert names(wall)[:3] == ["bear.jpg", "apple 10.jpg", "pear a.jpg"]
    order.select_option("Least sure first")
    assert names(wall)[:3] == ["nothing.jpg", "apple 9.jpg", "pear b.jpg"]
    order.select_option("By name")
    assert names(wall)[:3] == ["apple 9.jpg", "apple 10.jpg", "bear.jpg"]
    order.select_option("As chosen")
    assert names(wall)[:3] == ["pear a.jpg", "pear b.jpg", "pear c.jpg"]


def test_by_time(page: Page, tmp_path: Path) -> None:
    paths = []
    for number, time in enumerate((2_000, 4_000, 1_000, 3_000)):
        paths.append(tmp_path / f"{number}.jpg")
        paths[-1].write_bytes(photo())
        os.utime(paths[-1], (time, time))
    page.set_input_files("#photo", paths)
    expect(page.locator("#count")).to_have_text("4 recognized, 0 not")
    page.get_by_label("Order").select_option("Newest first")
    assert names(page) == ["1.jpg", "3.jpg", "0.jpg", "2.jpg"]
    page.get_by_label("Order").select_option("Oldest first")
    assert names(page) == ["2.jpg", "0.jpg", "3.jpg", "1.jpg"]


def test_rows(wall: Page) -> None:
    wall.get_by_role("button", name="Rows", exact=True).click()
    assert len({box["x"] for box in boxes(wall)}) == 1
    assert all(box["height"] < 90 for box in boxes(wall))
    expect(wall.get_by_text("This photo is damaged")).to_be_visible()
    expect(wall.locator(".tile .file").first).to_be_visible()
    wall.get_by_role("button", name="Pictures").click()
    assert len({box["x"] for box in boxes(wall)}) > 1


def test_the_keyboard_alone(wall: Page) -> None:
    focused = """(({ activeElement }) =>
      activeElement.closest(".tile")?.querySelector(".file").textContent ?? activeElement.ariaLabel)(document)"""
    expect(wall.locator("[aria-label='pear, 3 photos']")).to_be_visible()  # the groups are laid out
    wall.get_by_role("button", name="Rows", exact=True).focus()
    wall.keyboard.press("Tab")
    assert wall.evaluate(focused) == "pear, 3 photos"
    wall.keyboard.press("ArrowRight")
    assert wall.evaluate(focused) == "pear a.jpg"
    assert wall.evaluate("document.activeElement.matches(':focus-visible')")
    wall.keyboard.press("ArrowRight")
    wall.keyboard.press("ArrowRight")
    wall.keyboard.press("ArrowRight")
    assert wall.evaluate(focused) == "apple, 2 photos"
    wall.keyboard.press("ArrowDown")
    assert wall.evaluate(focused) == "apple 10.jpg"
    wall.keyboard.press("ArrowUp")
    assert wall.evaluate(focused) == "apple, 2 photos"
    wall.keyboard.press("Enter")  # folds
    expect(wall.locator(".tile")).to_have_count(6)
    wall.keyboard.press("Enter")
    wall.keyboard.press("End")
    assert wall.evaluate(focused) == "damaged.jpg"
    wall.keyboard.press("Home")
    wall.keyboard.press("ArrowRight")
    wall.keyboard.press("Enter")
    expect(wall.locator("#large-place")).to_have_text("1 of 8")
    expect(wall.locator("#current h2")).to_be_focused()
    wall.keyboard.press("ArrowRight")
    expect(wall.locator("#current figcaption bdi")).to_have_text("pear b.jpg")
    expect(wall.locator("#large-place")).to_have_text("2 of 8")
    wall.keyboard.press("ArrowLeft")
    expect(wall.get_by_role("button", name="Previous")).to_be_disabled()
    wall.keyboard.press("ArrowRight")
    expect(wall.locator("#current figcaption bdi")).to_have_text("pear b.jpg")
    wall.keyboard.press("Escape")
    expect(wall.locator("#wall")).to_be_visible()
    assert wall.evaluate(focused) == "pear b.jpg"
    wall.keyboard.press("Tab")
    assert not wall.evaluate("document.activeElement.closest('#tiles')")  # one place in the tab order


def test_one_is_seen_large(wall: Page, gateway: Gateway) -> None:
    wall.get_by_role("button", name="damaged.jpg").click()
    expect(wall.locator("#current h2")).to_contain_text("This photo is damaged")
    wall.get_by_role("button", name="Previous").click()
    expect(wall.locator("#current h2")).to_have_text("I do not know what this is")
    wall.go_back()
    expect(wall.locator("#wall")).to_be_visible()
    wall.go_forward()
    expect(wall.locator("#current h2")).to_have_text("I do not know what this is")
    gateway.clip.append(behaviors.answer(prediction(["tulip"])))
    wall.get_by_label("11 everyday things").check()  # asks about this one alone
    expect(wall.locator("#current h2")).to_have_text("a tulip")
    wall.keyboard.press("Escape")
    expect(wall.locator("#count")).to_have_text("7 recognized, 0 not, 1 failed")
    expect(wall.get_by_role("button", name="tulip, 1 photo")).to_be_visible()


def test_one_is_removed_and_put_back(wall: Page) -> None:
    wall.get_by_role("button", name="bear.jpg").click()
    wall.get_by_text("Details").click()
    wall.get_by_role("button", name="Remove").click()
    expect(wall.locator("#current figcaption bdi")).not_to_have_text("bear.jpg")
    expect(wall.locator("#large-place")).to_contain_text("of 7")
    wall.get_by_role("button", name="Undo").click()
    wall.keyboard.press("Escape")
    expect(wall.locator("#count")).to_have_text("6 recognized, 1 not, 1 failed")
    expect(wall.locator(".tile .file", has_text="bear.jpg")).to_have_count(1)


def test_a_few_become_a_wall_when_more_join(page: Page, gateway: Gateway) -> None:
    ready = threading.Event()
    gateway.clip.append(behaviors.answer(prediction(["pear"])))
    gateway.clip.append(behaviors.until(ready, behaviors.answer(prediction())))
    page.set_input_files("#photo", [file("1.jpg"), file("2.jpg")])
    expect(page.locator("#current [data-state=done]")).to_have_count(1)
    expect(page.locator("#current [data-state=looking]")).to_have_count(1)
    page.set_input_files("#photo", [file("3.jpg"), file("4.jpg")])
    expect(page.locator(".tile")).to_have_count(4)
    expect(page.locator("#current .card")).to_have_count(0)
    ready.set()
    expect(page.locator("#count")).to_have_text("4 recognized, 0 not")
    assert sorted(names(page)) == ["1.jpg", "2.jpg", "3.jpg", "4.jpg"]
    page.go_back()
    expect(page.locator("#start")).to_be_visible()


def test_what_the_browser_cannot_open_is_seen_as_the_recognizer_shows_it(page: Page, gateway: Gateway) -> None:
    shown = f"data:image/jpeg;base64,{base64.b64encode(photo()).decode()}"
    gateway.clip.extend([behaviors.answer(prediction() | {"preview": shown})] * 4)
    page.set_input_files("#photo", [file(f"{number}.heic", b"of another kind") for number in range(4)])
    expect(page.locator("#count")).to_have_text("4 recognized, 0 not")
    expect(page.locator(".tile img:visible")).to_have_count(4)
    assert all(("preview", "1") in seen.query for seen in gateway.seen)


def test_while_one_waits_no_text_stands_in_its_picture(page: Page, gateway: Gateway) -> None:
    ready = threading.Event()
    gateway.clip.extend([behaviors.until(ready, behaviors.answer(prediction()))] * 3)
    page.set_input_files("#photo", [file(f"{number}.jpg") for number in range(6)])
    expect(page.locator(".tile[data-state=waiting]")).to_have_count(3)
    assert set(page.locator(".tile img").evaluate_all("(images) => images.map((image) => image.alt)")) == {""}
    expect(page.get_by_role("button", name="Waiting for its turn 5.jpg")).to_be_visible()
    expect(page.locator(".tile[data-state=waiting] img:visible")).to_have_count(3)
    ready.set()
    expect(page.locator("#count")).to_have_text("6 recognized, 0 not")


@pytest.mark.parametrize(("most", "at_once"), [(4, 1), (8, 2), (0, 5), (1_000, 5)])
def test_so_many_are_asked_at_a_time_as_the_recognizer_takes(
    page: Page, gateway: Gateway, most: int, at_once: int
) -> None:
    limits = DESCRIPTION["limits"] | {"max_inflight": most}
    gateway.describe = behaviors.answer(DESCRIPTION | {"limits": limits})
    page.reload()
    expect(page.locator("html[data-vocabulary]")).to_be_visible()
    ready = threading.Event()
    gateway.index.extend([behaviors.until(ready, behaviors.error("busy", 503))] * 5)
    page.set_input_files("#photo", [file(f"{number}.jpg") for number in range(8)])
    expect(page.locator(".tile[data-state=looking]")).to_have_count(at_once)
    expect(page.locator(".tile[data-state=waiting]")).to_have_count(8 - at_once)
    gateway.index.clear()
    ready.set()


SMALL = {photo(40 + place, 30): prediction([word]) for place, word in enumerate(WORDS)}


def answer_at_once(gateway: Gateway) -> None:
    """Has the gateway answer in index's place, as it is the page that is measured."""
    answers = {one: behaviors.answer_of_index(answer) for one, answer in SMALL.items()}
    gateway.index.extend([behaviors.by_body(answers)] * MANY)


def test_a_thousand_are_chosen_smoothly(page: Page, browser: Browser, gateway: Gateway, tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.jpg" for number in range(MANY)]
    for path, small in zip(paths, itertools.cycle(SMALL), strict=False):
        path.write_bytes(small)
    answer_at_once(gateway)
    # Chosen in a field of the test's own: the browser takes long to be handed a thousand files by a test.
    page.evaluate(
        """() => document.body.append(
          Object.assign(document.createElement("input"), { type: "file", id: "hand", multiple: true }))"""
    )
    page.set_input_files("#hand", paths)
    with measured(browser, page) as tasks:
        page.evaluate(
            """() => setTimeout(() => {
              document.getElementById("photo").files = document.getElementById("hand").files;
              document.getElementById("photo").dispatchEvent(new Event("change"));
            })"""
        )
        expect(page.locator("#count")).to_have_text(re.compile(rf"^\d{{2,3}} of {MANY:,} photos done$"))
        assert page.locator(".tile").count() < IN_THE_DOCUMENT
        page.get_by_role("button", name="Stop").click()
        expect(page.locator("#run-note")).to_contain_text("Stopped.")
    assert max(tasks) < LONGEST_TASK


def test_a_thousand_stay_smooth(page: Page, browser: Browser, gateway: Gateway) -> None:
    """They are a batch that the browser has kept; the last of them are answered meanwhile."""
    gateway.clip.extend([behaviors.by_body({one: behaviors.answer(answer) for one, answer in SMALL.items()})] * 4)
    page.set_input_files("#photo", [file(f"{number}.jpg", one) for number, one in enumerate(SMALL)])
    expect(page.locator("#count")).to_have_text("4 recognized, 0 not")
    wait_for(lambda: bool(page.evaluate(IS_KEPT, len(SMALL))), "they are not kept")
    page.evaluate(MULTIPLY, {"many": MANY, "unanswered": TO_ANSWER})
    answer_at_once(gateway)
    with measured(browser, page) as tasks:
        page.evaluate("setTimeout(() => location.reload())")
        expect(page.locator("#count")).to_have_text(f"{MANY:,} recognized, 0 not")
        for _ in range(8):
            before = page.evaluate("scrollY")
            page.mouse.wheel(0, 3_000)
            page.wait_for_function(
                """(before) => scrollY > before
                  || scrollY + innerHeight > document.documentElement.scrollHeight - 1""",
                arg=before,
            )
        assert page.evaluate("scrollY") > 10_000
        expect(page.locator(".tile img:visible").first).to_be_visible()
        assert page.locator(".tile").count() < IN_THE_DOCUMENT
        page.get_by_label("Group by word").uncheck()
        page.get_by_label("Order").select_option("By name")
        page.get_by_role("button", name="Rows", exact=True).click()
        page.get_by_role("searchbox").fill("99")
        expect(page.locator(".tile")).to_have_count(11)
        page.get_by_role("searchbox").fill("")
        page.locator(".tile button").first.focus()
        page.keyboard.press("End")
        expect(page.locator(".tile button:focus .file")).to_have_text("999.jpg")
        assert page.locator(".tile").count() < IN_THE_DOCUMENT
    assert max(tasks) < LONGEST_TASK
    assert len(gateway.index) == MANY - TO_ANSWER  # what had its answer was not asked about again


@pytest.mark.parametrize("context_options", [LIGHT, DARK, PHONE | DARK], ids=["light", "dark", "phone, dark"])
def test_axe_finds_nothing(page: Page, gateway: Gateway, answers: dict[str, bytes]) -> None:
    def look(state: str) -> None:
        page.evaluate("document.getAnimations().map((animation) => animation.cancel())")
        assert violations(page) == "", state
        width, visible = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width <= visible, state

    ready = threading.Event()
    # Held by the gateway in index's place, which does not wait as long as it takes to look.
    gateway.index.append(behaviors.until(ready, behaviors.answer_of_index(prediction())))
    page.set_input_files("#photo", [file(name, data) for name, data in answers.items()])
    expect(page.locator("#count")).to_have_text("7 of 8 photos done")
    look("running")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#run-note")).to_contain_text("Stopped.")
    look("stopped")
    ready.set()
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#count")).to_contain_text("recognized")
    look("done")
    page.get_by_role("button", name="Rows", exact=True).click()
    look("rows")
    page.locator(".group h2 button").first.click()
    page.get_by_role("searchbox").fill("no such thing")
    look("nothing found")
    page.get_by_role("searchbox").fill("")
    page.locator(".tile button").first.click()
    expect(page.locator("#large")).to_be_visible()
    look("large")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Delete from this browser").click()
    look("question before it is deleted")
    page.get_by_role("button", name="Keep", exact=True).click()
    page.go_back()
    expect(page.get_by_role("region", name="Many photos, kept in this browser")).to_be_visible()
    look("kept")
