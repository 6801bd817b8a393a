"""What can go wrong on the way, and what the page then says and offers."""

import re
import threading

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from frontend.index.errors import CATALOG
from frontend.index.texts import LANGUAGES
from tests.launch import wait_for

from . import gateway as behaviors
from .gateway import Behavior, Gateway, prediction
from .photos import file, photo

UNKNOWN = [{"label": "flamnigo", "near": ["flamingo"]}]
WORDS = LANGUAGES["en"].errors
FROM_SERVERS = [code for code, entry in CATALOG.items() if entry["status"]]


def show(page: Page) -> None:
    page.set_input_files("#photo", [file()])


def retry(page: Page) -> None:
    """Tries again; the photo must still be there."""
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#current h2")).to_have_text("an apple")


@pytest.mark.parametrize("code", FROM_SERVERS)
def test_every_error_has_its_sentence_and_its_way_on(page: Page, gateway: Gateway, code: str) -> None:
    status = CATALOG[code]["status"]
    # A browser sends again by itself what was answered 408 on a connection that it had used before.
    gateway.index.extend([behaviors.error(code, status, Retry_After="600")] * (2 if status == 408 else 1))
    show(page)
    expect(page.locator("#current h2")).to_have_text(WORDS[code])
    expect(page.get_by_role("status")).to_have_text(f"holiday.jpg: {WORDS[code]}")
    expect(page.locator("#current .facts")).to_contain_text(code)
    if CATALOG[code]["retry"]:
        retry(page)
        assert gateway.seen[0].body == photo()
    else:
        expect(page.get_by_role("button", name="Try again")).to_be_hidden()
        with page.expect_file_chooser():
            page.get_by_role("button", name="Another photo").click()  # there is one


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (behaviors.plain("bad gateway", 502), "clip_unreachable"),
        (behaviors.plain("timed out", 504), "clip_timeout"),
        (behaviors.plain("no endpoints", 503), "clip_unavailable"),
        (behaviors.plain("Can't reach service for: index.", 500), "internal"),
        (behaviors.plain("entity too large", 413), "body_too_large"),
        (behaviors.plain("I am a teapot", 418), "internal"),
        (behaviors.plain("<html>log in</html>", 200), "clip_bad_answer"),
        (behaviors.error("of_tomorrow", 422), "corrupt_image"),
    ],
)
def test_a_gateway_that_speaks_for_itself(page: Page, gateway: Gateway, trouble: Behavior, code: str) -> None:
    gateway.index.append(trouble)
    show(page)
    expect(page.locator("#current h2")).to_have_text(WORDS[code])


def test_a_long_wait_is_left_to_the_visitor(page: Page, gateway: Gateway) -> None:
    gateway.clip.append(behaviors.plain("too many", 429, Retry_After="600"))
    show(page)
    expect(page.locator("#current h2")).to_have_text(WORDS["too_many_requests"])
    retry(page)


def test_a_busy_recognizer_is_asked_again_when_it_says_so(page: Page, gateway: Gateway) -> None:
    page.clock.install()
    gateway.clip.append(behaviors.error("busy", 503, Retry_After="30"))
    page.set_input_files("#photo", [file()])
    card = page.locator("#current .card")
    expect(card.locator(".eyebrow")).to_have_text("The recognizer is busy with other photos")
    expect(card.locator(".note")).to_have_text("Trying again in 30 s")
    page.clock.run_for(20_000)
    expect(card.locator(".note")).to_have_text("Trying again in 10 s")
    page.set_input_files("#photo", [file("second.jpg")])  # another photo waits as well
    expect(card).to_have_count(2)
    page.clock.run_for(9_000)
    assert len(gateway.seen) == 1
    page.clock.run_for(1_500)
    expect(page.locator("#current [data-state=done]")).to_have_count(2)
    assert len(gateway.seen) == 3


def test_nobody_has_to_wait_for_a_busy_recognizer(page: Page, gateway: Gateway) -> None:
    gateway.clip.append(behaviors.error("busy", 503, Retry_After="200"))
    show(page)
    expect(page.locator("[data-state=busy]")).to_be_visible()
    retry(page)


def test_the_queue_goes_on_without_the_photo_that_was_turned_away(page: Page, gateway: Gateway) -> None:
    page.clock.install()
    gateway.clip.append(behaviors.error("busy", 503, Retry_After="30"))
    page.set_input_files("#photo", [file()])
    expect(page.locator("[data-state=busy]")).to_be_visible()
    page.set_input_files("#photo", [file("second.jpg")])
    page.locator("[data-state=busy]").get_by_role("button", name="Cancel").click()
    expect(page.locator("[data-state=waiting]")).to_be_visible()
    page.clock.run_for(30_500)
    expect(page.locator("#current h2")).to_have_text(["Stopped, and the photo is still here", "an apple"])


def test_the_words_that_a_model_does_not_know(page: Page, gateway: Gateway) -> None:
    refusal = {"code": "closed_vocabulary", "message": "It does not know it.", "unknown": UNKNOWN}
    page.get_by_label("Only some of these words").check()
    page.keyboard.type("flamnigo,")
    gateway.clip.append(behaviors.answer({"error": refusal}, 422))
    show(page)
    expect(page.locator("#current h2")).to_have_text(WORDS["closed_vocabulary"])
    expect(page.locator("#current .unknown")).to_contain_text("I do not know “flamnigo”.")
    page.locator("#current").get_by_role("button", name="Take flamingo").click()
    expect(page.locator("#current .card[data-state=done]")).to_be_visible()
    assert gateway.seen[-1].query == [("labels", "flamingo"), ("unknown", "skip")]


def test_a_recognizer_that_stays_busy(page: Page, gateway: Gateway) -> None:
    page.clock.install()
    gateway.index.extend([behaviors.error("busy", 503, Retry_After="1")] * 5)
    show(page)
    for _ in range(4):
        expect(page.locator("[data-state=busy]")).to_be_visible()
        page.clock.run_for(1_100)
    expect(page.locator("#current h2")).to_have_text(WORDS["busy"])
    assert not gateway.index


def test_a_connection_that_breaks(page: Page, gateway: Gateway) -> None:
    gateway.index.extend([behaviors.reset] * 3)  # the browser itself tries more than once
    show(page)
    expect(page.locator("#current h2")).to_have_text(WORDS["no_connection"])
    gateway.index.clear()
    retry(page)


def test_a_browser_that_fails_does_not_stop_the_queue(page: Page) -> None:
    page.evaluate(
        """() => {
          const works = Worker.prototype.postMessage;
          Worker.prototype.postMessage = () => { Worker.prototype.postMessage = works; throw new Error("broken"); };
        }"""
    )
    page.set_input_files("#photo", [file(), file("second.jpg")])
    expect(page.locator("#current h2")).to_have_text([WORDS["internal"], "an apple"])


def test_offline_and_back(context: BrowserContext, page: Page, gateway: Gateway) -> None:
    context.set_offline(True)
    show(page)
    expect(page.locator("#current h2")).to_have_text(WORDS["offline"])
    context.set_offline(False)
    expect(page.locator("#current h2")).to_have_text("an apple")
    assert gateway.seen[0].body == photo()


def test_cancel_and_try_again(page: Page, gateway: Gateway) -> None:
    ready = threading.Event()
    gateway.clip.append(behaviors.until(ready, behaviors.answer(prediction(["too late"]))))
    show(page)
    expect(page.locator("[data-state=looking]")).to_be_visible()
    wait_for(lambda: len(gateway.seen) == 1, "nothing is asked")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#current h2")).to_have_text("Stopped, and the photo is still here")
    expect(page.locator("#current h2")).to_be_focused()
    ready.set()
    retry(page)


def test_cancel_one_that_waits(page: Page, gateway: Gateway) -> None:
    ready = threading.Event()
    gateway.clip.extend([behaviors.until(ready, behaviors.answer(prediction()))] * 3)
    page.set_input_files("#photo", [file(f"{number}.jpg") for number in range(4)])
    expect(page.locator("[data-state=looking]")).to_have_count(3)
    page.locator(".tile[data-state=waiting] button").click()
    page.locator("#current [data-state=waiting]").get_by_role("button", name="Cancel").click()
    expect(page.locator("#current [data-state=canceled]")).to_be_visible()
    page.get_by_role("button", name="All photos").click()
    ready.set()
    expect(page.locator("#count")).to_have_text("3 recognized, 0 not, 1 failed")
    assert len(gateway.seen) == 3


def test_a_long_wait_is_explained(page: Page, gateway: Gateway) -> None:
    page.clock.install()
    ready = threading.Event()
    gateway.clip.append(behaviors.until(ready, behaviors.answer(prediction())))
    show(page)
    note = page.locator("#current .note")
    expect(page.locator("[data-state=looking]")).to_be_visible()
    expect(note).to_have_text(re.compile(r"^\d s$"))
    page.clock.run_for(6_000)
    expect(note).to_contain_text("may be starting up")
    expect(page.get_by_role("status")).to_have_text("Still waiting. The recognizer may be starting up.")
    ready.set()
    expect(page.locator("#current h2")).to_have_text("an apple")


def test_what_is_on_its_way_arrives_among_the_earlier_ones(page: Page, gateway: Gateway) -> None:
    ready = threading.Event()
    gateway.clip.append(behaviors.until(ready, behaviors.answer(prediction(["pear"]))))
    show(page)
    expect(page.locator("[data-state=looking]")).to_be_visible()
    page.go_back()
    expect(page.locator("#start")).to_be_visible()
    ready.set()
    expect(page.locator("#past h2")).to_have_text("a pear")


def test_a_recognizer_that_does_not_answer(page: Page, gateway: Gateway) -> None:
    expect(page.locator("html[data-vocabulary]")).to_be_visible()
    expect(page.locator("#model")).to_be_hidden()  # all is well, so there is nothing to say
    gateway.describe = behaviors.error("not_found", 404)
    page.reload()
    expect(page.locator("#model")).to_have_text("The recognizer does not answer yet. The first photo may take longer.")
    gateway.describe = behaviors.DESCRIBE
    show(page)
    expect(page.locator("#current h2")).to_have_text("an apple")
    expect(page.locator("#labels-choice")).to_have_text("The 7 words I know best")  # it has been asked again
    expect(page.locator("#model")).to_be_hidden()
