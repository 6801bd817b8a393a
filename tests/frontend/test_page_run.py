"""A run through many photos: a service that goes away and comes back, stop and go on, what the browser keeps."""

import json
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, expect

from tests.functions import serving
from tests.launch import free_port, wait_for

from . import gateway as behaviors
from .chromium import FLAGS, executable
from .conftest import CLIP_TIMEOUT
from .gateway import Behavior, Gateway, prediction
from .photos import file, photo

RECORDS = """(store) => new Promise((resolve, reject) => {
  const opening = indexedDB.open("batches");
  opening.onsuccess = () => {
    const counting = opening.result.transaction(store).objectStore(store).count();
    counting.onsuccess = () => { opening.result.close(); resolve(counting.result); };
  };
  opening.onerror = () => reject(opening.error);
})"""


def numbered(count: int) -> dict[str, bytes]:
    """Photos that differ."""
    return {f"{number}.jpg": photo(60 + number, 50) for number in range(count)}


def choose(page: Page, photos: dict[str, bytes]) -> None:
    page.set_input_files("#photo", [file(name, data) for name, data in photos.items()])


def hold(gateway: Gateway, count: int, after: int) -> threading.Event:
    """Has the recognizer answer so many photos, and the rest when the event is set."""
    ready = threading.Event()
    late = behaviors.until(ready, behaviors.answer(prediction(["pear"])))
    gateway.clip.extend([behaviors.RECOGNIZE] * after + [late] * (count - after))
    return ready


def test_a_restart_costs_no_photo(context: BrowserContext, gateway: Gateway) -> None:
    """The function's own process is ended in the middle of a run, and is away for three seconds."""
    port = free_port()
    with ExitStack() as stack:

        def start() -> ExitStack:
            running = stack.enter_context(ExitStack())
            running.enter_context(serving("index", port=port, gateway_url=gateway.url, clip_timeout=f"{CLIP_TIMEOUT}s"))
            return running

        running = start()
        ready = hold(gateway, count=60, after=10)
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{port}/")
        expect(page.locator("html[data-vocabulary]")).to_be_visible()
        choose(page, numbered(60))
        expect(page.locator("#count")).to_have_text("10 of 60 photos done")
        running.close()
        expect(page.locator("#run-note")).to_contain_text("The recognizer does not answer.")
        expect(page.get_by_role("status")).to_contain_text("The recognizer does not answer.")
        page.wait_for_timeout(3_000)
        expect(page.locator("#count")).not_to_contain_text("recognized")
        ready.set()
        start()
        expect(page.locator("#count")).to_have_text("60 recognized, 0 not", timeout=90_000)


@pytest.mark.parametrize(
    "trouble",
    [
        behaviors.plain("too many", 429, Retry_After="1"),
        behaviors.error("busy", 503),
        behaviors.plain("bad gateway", 502),
        behaviors.plain("timed out", 504),
        behaviors.plain("Can't reach service for: index.", 500),
        behaviors.reset,
    ],
    ids=["429", "503", "502", "504", "gateway's 500", "connection"],
)
def test_what_fails_as_the_service_is_away_is_asked_again(page: Page, gateway: Gateway, trouble: Behavior) -> None:
    gateway.index.extend([trouble] * 4)
    choose(page, numbered(6))
    expect(page.locator("#count")).to_have_text("6 recognized, 0 not", timeout=60_000)
    assert not gateway.index


def test_a_retry_after_is_kept_unless_the_visitor_is_in_a_hurry(page: Page, gateway: Gateway) -> None:
    gateway.index.extend([behaviors.plain("too many", 429, Retry_After="500")] * 3)
    choose(page, numbered(5))
    expect(page.locator("#run-note")).to_contain_text("The recognizer is busy with other photos. It is asked again in")
    seconds = int("".join(filter(str.isdecimal, page.locator("#run-note").inner_text())))
    assert 490 < seconds < 700
    assert not gateway.seen
    page.get_by_role("button", name="Ask now").click()
    expect(page.locator("#count")).to_have_text("5 recognized, 0 not")


def test_a_recognizer_that_was_away_is_asked_about_one_photo_first(page: Page, gateway: Gateway) -> None:
    ready = threading.Event()
    gateway.index.extend([behaviors.error("busy", 503, Retry_After="1")] * 3)
    gateway.index.append(behaviors.until(ready, behaviors.error("busy", 503, Retry_After="1")))
    choose(page, numbered(6))
    expect(page.locator(".tile[data-state=looking]")).to_have_count(1)
    expect(page.locator(".tile[data-state=waiting]")).to_have_count(5)
    ready.set()
    expect(page.locator("#count")).to_have_text("6 recognized, 0 not")


def test_a_photo_that_stops_the_recognizer_each_time_does_not_stop_the_others(page: Page, gateway: Gateway) -> None:
    page.clock.install()
    photos = numbered(5)
    deadly = photos["2.jpg"]
    gateway.clip.extend([behaviors.by_body({deadly: behaviors.plain("", 500)})] * 40)
    choose(page, photos)
    for _ in range(40):
        page.clock.run_for(40_000)
        if "failed" in page.locator("#count").inner_text():
            break
        page.wait_for_load_state("networkidle")
    expect(page.locator("#count")).to_have_text("4 recognized, 0 not, 1 failed")
    assert 2 < sum(seen.body == deadly for seen in gateway.seen) <= 10


def test_the_failed_are_tried_again(page: Page, gateway: Gateway) -> None:
    photos = numbered(6)
    damaged = {photos[name]: behaviors.error("internal", 500) for name in ("1.jpg", "4.jpg")}
    gateway.clip.extend([behaviors.by_body(damaged)] * 6)
    choose(page, photos)
    expect(page.locator("#count")).to_have_text("4 recognized, 0 not, 2 failed")
    expect(page).to_have_title("4 recognized, 0 not, 2 failed · What is in your photo?")
    page.get_by_role("button", name="Try the 2 failed again").click()
    expect(page.locator("#count")).to_have_text("6 recognized, 0 not")
    expect(page.get_by_role("button", name="failed again")).to_have_count(0)
    assert len(gateway.seen) == 8


def test_stop_and_go_on(page: Page, gateway: Gateway) -> None:
    ready = hold(gateway, count=10, after=4)
    choose(page, numbered(10))
    expect(page.locator("#count")).to_have_text("4 of 10 photos done")
    expect(page.get_by_role("progressbar", name="Progress")).to_have_js_property("value", 4)
    expect(page.locator(".tile[data-state=looking]")).to_have_count(3)
    wait_for(lambda: len(gateway.seen) == 7, "not three at a time")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#run-note")).to_have_text("Stopped. 6 photos wait.")
    expect(page.get_by_role("button", name="Go on")).to_be_focused()
    expect(page.locator(".tile[data-state=waiting]")).to_have_count(6)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as JSON").click()
    documents = json.loads(Path(download.value.path()).read_bytes())
    # Which four they are is chance: photos are on their way together.
    assert sorted(document.get("error", "") for document in documents) == [""] * 4 + ["Not answered yet."] * 6
    ready.set()
    asked = len(gateway.seen)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("button", name="Stop")).to_be_focused()
    expect(page.locator("#count")).to_have_text("10 recognized, 0 not")
    assert len(gateway.seen) == asked + 6


def test_time_left(page: Page, gateway: Gateway) -> None:
    gateway.clip.extend([behaviors.slow(0.05, behaviors.RECOGNIZE)] * 12)
    ready = threading.Event()
    gateway.clip.extend([behaviors.until(ready, behaviors.RECOGNIZE)] * 3)
    choose(page, numbered(15))
    expect(page.locator("#run-note")).to_have_text("Less than a minute left")
    ready.set()
    expect(page.locator("#count")).to_have_text("15 recognized, 0 not")
    expect(page.locator("#run-note")).to_have_text("")


def test_a_reload_goes_on(page: Page, gateway: Gateway) -> None:
    ready = hold(gateway, count=10, after=4)
    photos = numbered(10)
    choose(page, photos)
    expect(page.locator("#count")).to_have_text("4 of 10 photos done")
    expect(page.locator(".tile img:visible")).to_have_count(10)
    kept(page, "pictures", 10)
    done = {seen.body for seen in gateway.seen[:4]}
    gateway.clip.clear()
    page.reload()
    expect(page.locator("#count")).to_have_text("10 recognized, 0 not")
    ready.set()
    expect(page.locator(".tile img:visible")).to_have_count(10)
    page.get_by_label("Group by word").uncheck()
    expect(page.locator(".tile .file")).to_have_text(list(photos))
    assert [seen.body for seen in gateway.seen if seen.body in done] == [seen.body for seen in gateway.seen[:4]]
    page.get_by_role("button", name="0.jpg", exact=False).first.click()
    expect(page.locator("#current h2")).to_have_text("an apple")
    assert page.locator("#current img").evaluate("(image) => image.naturalWidth") == 60


def test_a_run_that_was_stopped_stays_so(page: Page, gateway: Gateway) -> None:
    ready = hold(gateway, count=8, after=2)
    choose(page, numbered(8))
    expect(page.locator("#count")).to_have_text("2 of 8 photos done")
    kept(page, "pictures", 8)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".tile[data-state=waiting]")).to_have_count(6)
    ready.set()
    gateway.clip.clear()
    page.reload()
    expect(page.locator("#run-note")).to_have_text("Stopped. 6 photos wait.")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#count")).to_have_text("8 recognized, 0 not")


def kept(page: Page, store: str, count: int) -> None:
    """Waits until the browser has so many records."""
    wait_for(lambda: bool(page.evaluate(RECORDS, store) == count), f"not {count} {store}")


@pytest.fixture
def restarted(playwright: Playwright, index: str, tmp_path: Path) -> Callable[[], BrowserContext]:
    """Starts a browser with a profile on the disk, always the same."""

    def start() -> BrowserContext:
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path=executable(playwright), args=FLAGS
        )
        context.set_default_timeout(15_000)
        return context

    return start


def test_a_restart_of_the_browser(restarted: Callable[[], BrowserContext], index: str, gateway: Gateway) -> None:
    ready = hold(gateway, count=8, after=5)
    context = restarted()
    page = context.new_page()
    page.goto(index)
    choose(page, numbered(8))
    expect(page.locator("#count")).to_have_text("5 of 8 photos done")
    kept(page, "pictures", 8)
    context.close()
    ready.set()
    gateway.clip.clear()
    context = restarted()
    page = context.new_page()
    page.goto(index)
    offer = page.get_by_role("region", name="Many photos, kept in this browser")
    expect(offer).to_contain_text("8 photos, 5 answered")
    expect(page.locator("#start")).to_be_visible()
    offer.get_by_role("button", name="Show").click()
    expect(page.locator("#count")).to_have_text("8 recognized, 0 not")
    expect(page.locator(".tile img:visible")).to_have_count(8)
    context.close()


def test_what_is_kept_can_be_deleted(page: Page) -> None:
    choose(page, numbered(5))
    expect(page.locator("#count")).to_have_text("5 recognized, 0 not")
    kept(page, "photos", 5)
    page.get_by_role("button", name="Delete from this browser").click()
    expect(page.get_by_role("button", name="Keep", exact=True)).to_be_focused()
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.locator("#wall")).to_be_visible()
    page.get_by_role("button", name="Delete from this browser").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("#start")).to_be_visible()
    expect(page.locator("#notice")).to_contain_text("5 photos deleted from this browser")
    for store in ("batches", "photos", "pictures"):
        kept(page, store, 0)
    page.reload()
    expect(page.locator("#start")).to_be_visible()
    expect(page.locator("#kept")).to_be_hidden()


def test_three_batches_are_kept_at_most(page: Page) -> None:
    for number in range(1, 6):
        choose(page, numbered(4))
        expect(page.locator("#count")).to_have_text("4 recognized, 0 not")
        kept(page, "pictures", 4 * min(number, 3) if number < 4 else page.evaluate(RECORDS, "pictures"))
        page.reload()  # so that this window holds the last one only
        expect(page.locator("#count")).to_have_text("4 recognized, 0 not")
    assert page.evaluate(RECORDS, "batches") <= 3
    assert page.evaluate(RECORDS, "pictures") <= 12


@pytest.mark.parametrize(
    "broken",
    [
        "Object.defineProperty(window, 'indexedDB', { value: { open() { throw new Error('private'); } } })",
        "IDBObjectStore.prototype.put = () => { throw new DOMException('', 'QuotaExceededError'); }",
    ],
    ids=["private window", "no room"],
)
def test_a_browser_that_keeps_nothing_asks_before_the_run_is_lost(
    context: BrowserContext, index: str, gateway: Gateway, broken: str
) -> None:
    context.add_init_script(broken)
    page = context.new_page()
    page.goto(index)
    choose(page, numbered(30))
    expect(page.locator("#count")).to_have_text("30 recognized, 0 not")
    expect(page.locator("#run-note")).to_have_text(
        "This browser does not keep these photos: a reload would begin anew."
    )
    page.locator(".tile button").first.click()
    expect(page.locator("#current h2")).to_have_text("an apple")
    page.keyboard.press("Escape")
    asked: list[str] = []

    def stay(dialog: object) -> None:
        asked.append(dialog.type)  # type: ignore[attr-defined]
        dialog.dismiss()  # type: ignore[attr-defined]

    page.once("dialog", stay)
    with page.expect_event("dialog"):
        page.evaluate("setTimeout(() => location.reload())")
    expect(page.locator("#count")).to_have_text("30 recognized, 0 not")
    assert asked == ["beforeunload"]


def test_another_window_leaves_a_run_alone(context: BrowserContext, page: Page, index: str, gateway: Gateway) -> None:
    ready = hold(gateway, count=6, after=2)
    choose(page, numbered(6))
    expect(page.locator("#count")).to_have_text("2 of 6 photos done")
    kept(page, "pictures", 6)
    other = context.new_page()
    other.goto(index)
    expect(other.locator("html[data-vocabulary]")).to_be_visible()
    expect(other.locator("#kept")).to_be_hidden()
    ready.set()
    expect(page.locator("#count")).to_have_text("6 recognized, 0 not")
    page.close()
    other.reload()
    expect(other.get_by_role("region", name="Many photos, kept in this browser")).to_contain_text("6 answered")


def test_a_run_goes_on_while_something_else_is_seen(page: Page, gateway: Gateway) -> None:
    ready = hold(gateway, count=6, after=2)
    choose(page, numbered(6))
    expect(page.locator("#count")).to_have_text("2 of 6 photos done")
    page.go_back()
    expect(page.locator("#start")).to_be_visible()
    offer = page.get_by_role("region", name="Many photos, kept in this browser")
    expect(offer).to_contain_text("6 photos, 2 answered")
    ready.set()
    offer.get_by_role("button", name="Show").click()
    expect(page.locator("#count")).to_have_text("6 recognized, 0 not")
