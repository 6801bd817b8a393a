"""The same answer says the same with JavaScript and without: in words, numbers and bars."""

from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from . import gateway as behaviors
from .gateway import EVERYTHING, Gateway, prediction
from .photos import file, photo

HTML = {"Accept": "text/html"}
TAGS = [{"label": "chair", "confidence": 0.71, "path": []}, {"label": "plant", "confidence": 0.5041, "path": []}]
OWN = [("labels", "cat,dog"), ("unknown", "skip")]
QUESTION = [("labels", "pizza"), ("unknown", "skip")]
LABELS = [("vocabulary", "labels"), ("tags", "1")]
# What is said, in the order in which it is seen, with the widths of the bars.
SAID = """(card) => {
  const words = ".eyebrow, .best, .note, .lead-in, .label, .score, .shares, .footnote";
  const width = (bar) => bar.getAttribute("width") && Math.round(10 * parseFloat(bar.getAttribute("width")));
  return [...card.querySelectorAll(`${words}, .level`)]
    .filter((element) => !element.closest("[hidden]"))
    .map((element) => [element.classList[0], width(element) ?? element.textContent.trim()])
    .filter(([, said]) => said)
    .concat([["state", card.dataset.state]]);
}"""


def said_by_both(
    page: Page,
    browser: Browser,
    gateway: Gateway,
    index: str,
    parameters: list[tuple[str, str]],
    answers: list[dict[str, Any]],
    language: str = "en",
) -> tuple[list[list[str]], list[list[str]]]:
    """What the server says without JavaScript, and what the page does with it."""
    gateway.clip.extend(map(behaviors.answer, answers))
    headers = HTML | {"Accept-Language": language}
    response = requests.post(index, params=parameters, files={"photo": ("a.jpg", photo())}, headers=headers, timeout=20)
    assert f'<html lang="{language}"' in response.text
    reader = browser.new_page()
    reader.set_content(response.text)
    plain = reader.locator(".card").evaluate(SAID)
    reader.close()

    asked = [(name, value) for name, value in parameters if name in ("labels", "vocabulary")]
    query = [*(asked if parameters != EVERYTHING else []), *([("lang", language)] if language != "en" else [])]
    if query:
        page.goto(f"{index}?{urlencode(query)}")
    expect(page.locator(f"html[data-vocabulary][lang={language}]")).to_be_visible()
    page.wait_for_load_state("networkidle")  # the words of a link have been asked about
    gateway.seen.clear()
    gateway.clip.clear()
    gateway.clip.extend(map(behaviors.answer, answers))
    page.set_input_files("#photo", file("a.jpg"))
    expect(page.locator("#current :is([data-state=done], [data-state=unsure])")).to_be_visible()
    assert gateway.seen[0].query == parameters
    page.locator("#current .more summary").click()
    if len(answers) > 1:
        expect(page.locator("#current .five li").first).to_be_visible()
    return plain, page.locator("#current .card").evaluate(SAID)


@pytest.mark.parametrize(
    ("parameters", "answers"),
    [
        (EVERYTHING, [prediction(), prediction(confidence=0.97)]),
        (EVERYTHING, [prediction(["cat", "dog"], confidence=0.55) | {"tags": TAGS}, prediction(confidence=0.01)]),
        (EVERYTHING, [prediction(confidence=0.05), prediction(confidence=0.2, instead="cat")]),
        (EVERYTHING, [prediction() | {"warnings": ["cut_off", "preview_of_raw"]}, prediction()]),
        (LABELS, [prediction()]),
        (LABELS, [prediction(confidence=0.2, instead="flamingo")]),
        (LABELS, [prediction(confidence=0.2)]),
        (OWN, [prediction(["cat", "dog"], confidence=0.75)]),
        (OWN, [prediction(["cat", "dog"], confidence=0.1)]),
        (OWN, [prediction(["cat", "dog"], confidence=0.1, instead="pizza")]),
        (QUESTION, [prediction(["pizza"], confidence=0.95)]),
        (QUESTION, [prediction(["pizza"], confidence=0.1, instead="cat")]),
        (QUESTION, [prediction(["pizza"], confidence=0.1)]),
    ],
)
def test_both_say_the_same(
    page: Page,
    browser: Browser,
    gateway: Gateway,
    index: str,
    parameters: list[tuple[str, str]],
    answers: list[dict[str, Any]],
) -> None:
    plain, scripted = said_by_both(page, browser, gateway, index, parameters, answers)
    assert scripted == plain
    assert len(plain) > 5


@pytest.mark.parametrize("language", ["de", "fr", "ja", "zh-Hant"])
@pytest.mark.parametrize(
    ("parameters", "answers"),
    [
        (EVERYTHING, [prediction(["cat", "dog"], confidence=0.55) | {"tags": TAGS}, prediction(confidence=0.01)]),
        (EVERYTHING, [prediction(confidence=0.2, instead="cat"), prediction(confidence=0.97)]),
        (OWN, [prediction(["cat", "dog"], confidence=0.1, instead="pizza")]),
        (QUESTION, [prediction(["pizza"], confidence=0.1, instead="cat")]),
    ],
    ids=["tags", "instead", "words", "question"],
)
def test_both_say_the_same_in_every_language(
    page: Page,
    browser: Browser,
    gateway: Gateway,
    index: str,
    parameters: list[tuple[str, str]],
    answers: list[dict[str, Any]],
    language: str,
) -> None:
    plain, scripted = said_by_both(page, browser, gateway, index, parameters, answers, language)
    assert scripted == plain
    assert len(plain) > 4


def test_what_is_not_known_is_said_in_both(page: Page, gateway: Gateway, index: str) -> None:
    unknown = [{"label": "flamnigo", "near": ["flamingo"]}, {"label": "xyz", "near": []}]
    answer = behaviors.answer(prediction(["cat", "dog"]) | {"unknown": unknown})
    gateway.clip.append(answer)
    response = requests.post(index, params=OWN, files={"photo": ("a.jpg", photo())}, headers=HTML, timeout=20)
    gateway.clip.append(answer)
    page.set_input_files("#photo", file("a.jpg"))
    lines = page.locator("#current .unknown li")
    expect(lines).to_have_count(2)
    for line in lines.all():
        assert (line.text_content() or "").partition(" Take ")[0].strip() in response.text
