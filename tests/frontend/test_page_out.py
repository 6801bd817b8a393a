"""The answers: results, not recognized, own words, history, what can be copied."""

import json
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from . import gateway as behaviors
from .gateway import DESCRIPTION, EVERYTHING, LABELS, Gateway, prediction
from .photos import file, photo

HOSTILE = "<img src=x onerror=alert(1)>'\"; $(touch pwned) `touch pwned`.jpg"
OPEN = behaviors.answer(DESCRIPTION | {"vocabulary": "open"})


def show(page: Page, *names: str) -> None:
    files = [file(name) for name in names or ("holiday.jpg",)]
    page.set_input_files("#photo", files)
    expect(page.locator("#current [aria-busy=false]")).to_have_count(len(files))
    expect(page.locator("#current [data-state=waiting]")).to_have_count(0)


def test_the_result(page: Page) -> None:
    show(page)
    card = page.locator("#current .card")
    expect(card.get_by_role("heading")).to_have_text("an apple")
    expect(card.locator(".eyebrow")).to_be_hidden()
    expect(card.locator(".note")).to_have_text("I am sure: 93%")
    expect(card.locator(".near")).to_be_hidden()
    page.wait_for_function("() => document.getAnimations().every(({ playState }) => playState === 'finished')")
    track, best = card.locator(".track").first.bounding_box(), card.locator(".level").first.bounding_box()
    assert track
    assert best
    assert best["width"] / track["width"] == pytest.approx(0.934, abs=0.01)
    expect(card.locator(".facts")).to_be_hidden()
    page.get_by_text("Details").click()
    expect(card.locator(".all .label")).to_have_text(LABELS[:5])
    expect(card.locator(".all .score")).to_have_text(["93%", "4%", "1%", "1%", "<1%"])
    expect(card.locator(".facts")).to_contain_text("5 ms of it inference")
    expect(card.locator(".facts")).to_contain_text("Model: tiny/test")
    expect(page.get_by_role("status")).to_have_text("holiday.jpg: an apple, 93% sure")


@pytest.mark.parametrize(
    ("confidence", "opinion", "sure"),
    [(1.0, "I am sure", "99%"), (0.9, "I am sure", "90%"), (0.75, "Most likely", "75%"), (0.5, "Maybe", "50%")],
)  # fmt: skip
def test_words_follow_the_confidence(page: Page, gateway: Gateway, confidence: float, opinion: str, sure: str) -> None:
    gateway.clip.append(behaviors.answer(prediction(confidence=confidence)))
    show(page)
    expect(page.locator("#current .note")).to_have_text(f"{opinion}: {sure}")
    expect(page.locator("#current")).not_to_contain_text("100%")


def test_what_was_not_read_is_said(page: Page, gateway: Gateway) -> None:
    gateway.clip.append(behaviors.answer(prediction() | {"warnings": ["cut_off", "of_another_version"]}))
    show(page)
    note = "I am sure: 93% · The file is cut off: I saw only the part that is there."
    expect(page.locator("#current .note")).to_have_text(note)


def test_not_recognized(page: Page, gateway: Gateway) -> None:
    gateway.clip.append(behaviors.answer(prediction(confidence=0.2)))
    show(page)
    expect(page.locator("#current h2")).to_have_text("I do not know what this is")
    expect(page.locator("#current .near .label")).to_have_text(LABELS[:3])  # the others have less than one in a hundred
    expect(page.locator("#current .main")).to_be_hidden()
    expect(page.locator("#current .note")).to_be_hidden()
    expect(page.get_by_role("status")).to_have_text("holiday.jpg: not recognized")


def test_what_it_is_instead(page: Page, gateway: Gateway) -> None:
    """It leads as any other word does: what it is not stands in the details."""
    page.get_by_label("The 7 words I know best").check()
    gateway.clip.append(behaviors.answer(prediction(confidence=0.2, instead="flamingo")))
    show(page)
    card = page.locator("#current .card[data-state=done]")
    expect(card.locator("h2")).to_have_text("a flamingo")
    expect(card.locator(".note")).to_have_text("Most likely: 87%")
    expect(card.locator(".main")).to_be_visible()
    assert card.locator(".main .level").get_attribute("width") == "87%"
    expect(card.locator(".footnote")).to_be_hidden()
    page.get_by_text("Details").click()
    expect(card.locator(".footnote")).to_have_text("None of the 7 words I know best.")
    expect(page.get_by_role("status")).to_have_text("holiday.jpg: a flamingo, 87% sure")
    assert len(gateway.seen) == 1  # the answer has it all


def test_the_recognizers_own_words_are_one_tap_away(page: Page, gateway: Gateway) -> None:
    gateway.clip.append(behaviors.answer(prediction(["cat"])))
    show(page)
    gateway.clip.append(behaviors.answer(prediction(confidence=0.01, instead="cat")))
    page.get_by_text("Details").click()
    expect(page.locator("#current .footnote")).to_have_text("None of the 7 words I know best.")
    expect(page.locator("#current .five .label")).to_have_text(LABELS[:5])
    expect(page.locator("#current .five .score")).to_have_text(["93%", "4%", "1%", "1%", "<1%"])
    assert [seen.query for seen in gateway.seen] == [EVERYTHING, []]
    page.get_by_text("Details").click()
    page.get_by_text("Details").click()
    expect(page.locator("#current .footnote")).to_be_visible()
    assert len(gateway.seen) == 2  # it is asked once
    gateway.clip.append(behaviors.answer(prediction(["apple"], confidence=0.97)))
    show(page)
    page.locator("#current").get_by_text("Details").click()
    expect(page.locator("#current .footnote")).to_have_text("Of the 7 words I know best: an apple, 93% sure.")


def test_what_else_is_in_the_photo(page: Page, gateway: Gateway) -> None:
    tags = [
        {"label": "chair", "confidence": 0.71, "path": ["furniture"]},
        {"label": "apple", "confidence": 0.93, "path": ["fruit"]},
        {"label": "green apple", "confidence": 0.6, "path": ["fruit", "apple"]},  # a kind of what leads
    ]
    gateway.clip.append(behaviors.answer(prediction() | {"tags": tags}))
    show(page)
    expect(page.locator("#current .also")).to_contain_text("Also")
    expect(page.locator("#current .also .label")).to_have_text(["chair"])
    expect(page.locator("#current .also .score")).to_have_text(["71%"])


def test_what_a_word_implies_is_not_said_beside_it(page: Page, gateway: Gateway) -> None:
    tags = [{"label": "flamingo", "confidence": 0.79, "path": ["animal", "bird"]}]
    ranked = prediction(["flamingo", "bird", "animal", "pizza"], confidence=0.79)
    gateway.clip.append(behaviors.answer(ranked | {"tags": tags}))
    show(page)
    expect(page.locator("#current .also")).to_be_hidden()
    expect(page.locator("#current .near .label")).to_have_text([])
    gateway.clip.append(behaviors.answer(prediction(["flamingo", "pizza", "bird"], confidence=0.79) | {"tags": tags}))
    show(page)
    expect(page.locator("#current .near .label")).to_have_text(["pizza"])


def test_says_that_nothing_is_stored(page: Page) -> None:
    expect(page.get_by_role("contentinfo")).to_contain_text("Nothing is stored.")


def test_copies_the_json(context: BrowserContext, page: Page) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    show(page)
    page.get_by_text("Details").click()
    page.locator("[data-copies=json]").click()
    expect(page.locator("[data-copies=json]")).to_have_text("Copied")
    assert json.loads(page.evaluate("navigator.clipboard.readText()")) == prediction()


def test_without_a_clipboard_the_text_is_selected(page: Page) -> None:
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    show(page)
    page.get_by_text("Details").click()
    page.locator("[data-copies=json]").click()
    expect(page.locator("[data-copies=json]")).to_have_text("Selected")
    assert json.loads(page.evaluate("getSelection().toString()")) == prediction()


def test_the_curl_line_does_the_same(context: BrowserContext, page: Page, gateway: Gateway, tmp_path: Path) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    gateway.describe = OPEN
    page.reload()
    page.get_by_label("Words of your own").check()
    page.get_by_label("Words to choose from").fill("it's, $(touch pwned)")
    show(page, HOSTILE)
    page.get_by_text("Details").click()
    page.locator("[data-copies=curl]").click()
    expect(page.locator("[data-copies=curl]")).to_have_text("Copied")
    line = page.evaluate("navigator.clipboard.readText()")
    (tmp_path / HOSTILE).write_bytes(photo())
    result = subprocess.run(
        ["sh", "-c", line.replace("curl ", "curl --silent --show-error --noproxy '*' ", 1)],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    assert json.loads(result.stdout) == prediction()
    assert [path.name for path in tmp_path.iterdir()] == [HOSTILE]
    by_page, by_curl = gateway.seen
    assert by_page.query == by_curl.query == [("labels", "it's,$(touch pwned)"), ("unknown", "skip")]
    assert by_page.body == by_curl.body


def test_names_and_labels_stay_text(page: Page, gateway: Gateway) -> None:
    label = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    hostile = {"labels": [label], "groups": {label: [label]}, "everyday": [label], "model": label}
    gateway.describe = behaviors.answer(DESCRIPTION | hostile)
    page.reload()
    gateway.clip.append(behaviors.answer(prediction([label, "<b>bold</b>"]) | {"model": label}))
    show(page, HOSTILE)
    page.get_by_text("Details").click()
    expect(page.locator("#current h2")).to_have_text(f"a {label}")
    expect(page.locator("#current .all .label")).to_have_text([label, "<b>bold</b>"])
    expect(page.locator("#current bdi")).to_have_text(HOSTILE)
    expect(page.locator("img")).to_have_count(1)
    expect(page.locator("b, body script:not(#errors, #texts, #worker, [type=module])")).to_have_count(0)
