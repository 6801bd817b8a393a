"""The page in the language of the visitor: texts, labels, the switch, caches, with JavaScript and without."""

# ruff: noqa: RUF001 - these are signs of other languages

import json
import re
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from frontend.index.texts import LANGUAGES
from frontend.index.verdict import Known, verdict

from . import gateway as behaviors
from .axe import violations
from .gateway import DESCRIPTION, Gateway, prediction
from .photos import file, photo

GERMAN = {
    "apple": "Apfel", "bear": "Bär", "clock": "Uhr", "orange": "Orange", "pear": "Birne", "sunflower": "Sonnenblume",
    "tulip": "Tulpe", "cat": "Katze", "dog": "Hund", "flamingo": "Flamingo", "pizza": "Pizza",
}  # fmt: skip
CODES = ["en", "de", "fr", "ar", "zh-Hans", "zh-Hant"]
KNOWN = DESCRIPTION | {"languages": CODES}


def translated(answer: dict[str, Any], words: dict[str, str]) -> dict[str, Any]:
    """An answer as clip gives it in another language."""
    said = json.loads(json.dumps(answer))
    for part in [*said["predictions"], *([said["instead"]] if "instead" in said else [])]:
        part["label_en"], part["label"] = part["label"], words.get(part["label"], part["label"])
    return dict(said)


@pytest.fixture
def speaking(gateway: Gateway, index: str) -> Gateway:
    """A gateway whose clip knows languages, which index has heard."""
    gateway.describe = behaviors.answer(KNOWN, Content_Language="en")
    requests.get(f"{index}?describe", timeout=20)
    return gateway


@pytest.mark.parametrize(
    ("query", "headers", "code", "labels"),
    [
        ("", {}, "en", "en"),
        ("", {"Accept-Language": "de-AT,en;q=0.5"}, "de", "de"),
        ("", {"Accept-Language": "ja"}, "ja", "en"),  # which this clip does not know
        ("", {"Accept-Language": "de", "Cookie": "page-language=fr"}, "fr", "fr"),
        ("?lang=zh-TW", {"Cookie": "page-language=fr"}, "zh-Hant", "zh-Hant"),
        ("?lang=ar", {"Accept-Language": "de"}, "de", "ar"),
        ("?lang=xx", {"Accept-Language": "de"}, "de", "de"),
        ("?lang=%22%3E%3Cscript%3E", {"Cookie": "page-language=%22%3E"}, "en", "en"),
    ],
)
def test_the_page_is_in_the_language_of_who_asks(
    speaking: Gateway, index: str, query: str, headers: dict[str, str], code: str, labels: str
) -> None:
    response = requests.get(f"{index}{query}", headers=headers, timeout=20)
    assert f'<html lang="{code}" dir="ltr" data-labels="{labels}">' in response.text
    assert LANGUAGES[code].say("lead") in response.text
    assert response.headers["Content-Language"] == code
    assert {"Accept-Language", "Cookie", "Accept-Encoding"} <= set(response.headers["Vary"].split(", "))


def test_each_language_has_its_own_tag_and_size(speaking: Gateway, index: str) -> None:
    tags = set()
    for code in LANGUAGES:
        response = requests.get(f"{index}?lang={code}", timeout=20)
        assert int(response.headers["Content-Length"]) < 120_000
        others = [texts.say("lead") for other, texts in LANGUAGES.items() if other != code]
        assert not any(lead in response.text for lead in others)
        tags.add(response.headers["ETag"])
        known = {"If-None-Match": response.headers["ETag"], "Accept-Language": code}
        assert requests.get(f"{index}?lang={code}", headers=known, timeout=20).status_code == 304
        other = next(other for other in LANGUAGES if other != code)
        assert requests.get(f"{index}?lang={other}", headers=known, timeout=20).status_code == 200
    assert len(tags) == len(LANGUAGES)


def test_the_switch_is_remembered(index: str) -> None:
    visitor = requests.Session()
    first = visitor.get(f"{index}?lang=de", timeout=20)
    cookie = first.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    for address in (index, f"{index}/", f"{index}?about", f"{index}?words"):
        assert '<html lang="de"' in visitor.get(address, timeout=20).text
    assert "Set-Cookie" not in visitor.get(f"{index}?lang=ar", timeout=20).headers  # labels alone
    assert "Set-Cookie" not in visitor.get(index, timeout=20).headers


def test_the_manifest_is_in_the_language(index: str) -> None:
    html = requests.get(f"{index}?lang=de", timeout=20).text
    [address] = re.findall(r'<link rel="manifest" href="([^"]+)">', html)
    manifest = requests.get(index + address.replace("&amp;", "&"), timeout=20).json()
    assert (manifest["lang"], manifest["name"]) == ("de", LANGUAGES["de"].say("title"))


def test_the_words_are_listed_in_the_language(speaking: Gateway, index: str) -> None:
    german = KNOWN | {"everyday": [*map(GERMAN.get, DESCRIPTION["everyday"])], "groups": {"Essen": ["Apfel", "Birne"]}}
    speaking.describe = behaviors.answer(german, Content_Language="de")
    requests.get(f"{index}?describe&lang=de", timeout=20)  # what another test's recognizer said is forgotten
    response = requests.get(f"{index}?words&lang=de", timeout=20)
    assert "Apfel, Birne" in response.text
    assert "Katze, Hund" in response.text
    assert "Katze" not in requests.get(f"{index}?words&lang=en", timeout=20).text


def test_a_verdict_compares_by_the_english_words() -> None:
    """A caller's own plural is the same thing as the word of the list, and an article is English alone."""
    answer = {
        **prediction(["Hunde", "Vogel"], confidence=0.8),
        "predictions": [
            {"label": "Hunde", "label_en": "dog", "score": 0.9},
            {"label": "Tiere", "label_en": "animal", "score": 0.08},
        ],
        "tags": [
            {
                "label": "Hund", "label_en": "dog", "confidence": 0.9,
                "path": ["Tier", "Säugetier"], "path_en": ["animal", "mammal"],
            },
            {"label": "Ball", "label_en": "ball", "confidence": 0.7, "path": [], "path_en": []},
        ],
    }  # fmt: skip
    said = verdict(answer, [("labels", "Hunde,Tiere")], Known(7, frozenset({"dog", "Hunde"})), LANGUAGES["de"])
    assert (said.best, said.english) == ("Hunde", "dog")
    assert [one.label for one in said.also] == ["Ball"]
    assert said.near == []
    assert said.note == "Sehr wahrscheinlich: 80\u00a0%"


@pytest.mark.parametrize(
    ("parameters", "headers", "best", "languages"),
    [
        ({"lang": "de"}, {}, "Apfel", None),
        ({}, {"Accept-Language": "de"}, "Apfel", "de"),
        ({"lang": "ar"}, {"Accept-Language": "de"}, "Apfel", "de"),
    ],
)
def test_a_verdict_is_in_the_language_that_is_asked_for(
    speaking: Gateway, index: str, parameters: dict[str, str], headers: dict[str, str], best: str, languages: str | None
) -> None:
    speaking.clip.append(behaviors.answer(translated(prediction(), GERMAN)))
    response = requests.post(index, photo(), params={**parameters, "verdict": "1"}, headers=headers, timeout=20)
    said = response.json()["verdict"]
    assert (said["best"], said["note"]) == (best, "Ich bin sicher: 93\u00a0%")
    assert speaking.seen[0].headers.get("Accept-Language") == languages


@pytest.mark.parametrize("context_options", [{"locale": "de-DE"}])
def test_an_answer_in_german(page: Page, speaking: Gateway, index: str) -> None:
    lists = {name: DESCRIPTION[name] for name in ("labels", "everyday")}
    german = {name: [GERMAN[word] for word in words] for name, words in lists.items()}
    english = {f"{name}_en": words for name, words in lists.items()}
    speaking.describe = behaviors.answer(KNOWN | german | english, Content_Language="de")
    page.goto(index)
    page.wait_for_selector("html[data-vocabulary]")
    assert page.locator("#presets button").evaluate_all("(all) => all.filter((one) => !one.hidden).length") == 1
    assert violations(page) == ""
    speaking.clip.append(behaviors.answer(translated(prediction(["cat", "dog"], confidence=0.8), GERMAN)))
    page.set_input_files("#photo", file("urlaub.jpg"))
    best = page.locator("#current .best")
    expect(best).to_have_text("Katze")
    expect(page.locator("#current .note")).to_have_text("Sehr wahrscheinlich: 80\u00a0%")
    expect(page.locator("#current .near .label")).to_have_text("Hund")
    expect(page).to_have_title("Katze, zu 80\u00a0% sicher · Was ist auf Ihrem Foto?")
    assert ("lang", "de") in speaking.seen[-1].query
    assert speaking.seen[-1].headers["Accept-Language"] == "de"
    assert violations(page) == ""
    answer = translated(prediction(["dog"], confidence=0.95), GERMAN)
    speaking.clip.append(behaviors.answer(answer))
    page.get_by_label("Ist es …?").fill("ein Hund?")
    page.keyboard.press("Enter")
    expect(page.locator("#current .asked > li")).to_contain_text("Ist es: Hund? Ja. zu 95\u00a0% sicher")
    assert dict(speaking.seen[-1].query) == {"labels": "Hund", "unknown": "skip", "lang": "de"}
    page.locator("#current").get_by_text("Einzelheiten").click()
    expect(page.locator("#current .five li").first).to_be_visible()
    assert speaking.seen[-1].query == [("lang", "de")]


@pytest.mark.parametrize("context_options", [{"locale": "zh-CN"}])
def test_a_wall_and_what_goes_wrong_in_chinese(page: Page, speaking: Gateway, index: str) -> None:
    page.goto(index)
    page.wait_for_selector("html[data-vocabulary]")
    chinese = {"apple": "苹果"}
    texts = LANGUAGES["zh-Hans"]
    speaking.clip.append(behaviors.answer(translated(prediction(), chinese) | {"warnings": ["cut_off"]}))
    page.set_input_files("#photo", file("a.jpg"))
    expect(page.locator("#current .note")).to_have_text(f"我有把握：93% · {texts.warnings['cut_off']}")
    speaking.clip.append(behaviors.error("corrupt_image", 422))
    page.set_input_files("#photo", file("b.jpg"))
    expect(page.locator("#current .best")).to_have_text(texts.errors["corrupt_image"])
    assert violations(page) == ""
    speaking.clip.extend([behaviors.answer(translated(prediction(), chinese))] * 4)
    page.set_input_files("#photo", [file(f"{n}.jpg", photo(40 + n, 30)) for n in range(4)])
    expect(page.locator("#count")).to_have_text("已识别 4 张，未识别 0 张")
    expect(page.locator(".group h2 button")).to_have_attribute("aria-label", "苹果，4 张照片")
    page.get_by_placeholder("搜索照片").fill("apple")  # the English word finds it, too
    expect(page.get_by_role("status")).to_have_text("显示 4 张照片")
    assert violations(page) == ""


@pytest.mark.parametrize("context_options", [{"locale": "en-US"}])
def test_the_switch(page: Page, speaking: Gateway, index: str) -> None:
    page.goto(f"{index}?labels=cat,dog")
    page.get_by_role("navigation", name="Language").get_by_role("link", name="Deutsch").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page).to_have_url(f"{index}?labels=cat%2Cdog")  # a link for others leaves them their language
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.locator("#languages [aria-current]")).to_have_text("Deutsch")


@pytest.mark.parametrize("context_options", [{"locale": "en-US"}])
def test_labels_that_run_from_right_to_left(page: Page, speaking: Gateway, index: str) -> None:
    page.goto(f"{index}?lang=ar")
    page.wait_for_selector("html[data-vocabulary]")
    speaking.clip.append(behaviors.answer(translated(prediction(), {"apple": "تفاحة", "bear": "دب"})))
    page.set_input_files("#photo", file("a.jpg"))
    best = page.locator("#current .best")
    expect(best).to_have_text("تفاحة")
    assert best.evaluate("(element) => getComputedStyle(element).direction") == "rtl"
    expect(page.locator("#current .note")).to_have_text("I am sure: 93%")
    assert ("lang", "ar") in speaking.seen[-1].query
    expect(page).to_have_title("\u2068تفاحة\u2069, 93% sure · What is in your photo?")


@pytest.mark.parametrize(
    ("locale", "code", "word"), [("de-DE", "de", "Apfel"), ("zh-TW", "zh-Hant", "蘋果"), ("ja-JP", "ja", "apple")]
)
def test_without_javascript(browser: Browser, speaking: Gateway, index: str, locale: str, code: str, word: str) -> None:
    texts = LANGUAGES[code]
    context = browser.new_context(java_script_enabled=False, locale=locale)
    page = context.new_page()
    page.goto(index)
    speaking.clip.append(behaviors.answer(translated(prediction(), {"apple": word})))
    page.get_by_label(texts.say("choose"), exact=True).set_input_files(file())
    page.get_by_role("button", name=texts.say("recognize"), exact=True).click()
    expect(page.get_by_role("heading", level=2)).to_have_text(word)
    expect(page.locator(".note")).to_have_text(texts.say("sure", percent=texts.percent(0.934)))
    expect(page.locator("html")).to_have_attribute("lang", code)
    known = code in CODES  # a language that this clip does not have is not asked for
    assert dict(speaking.seen[0].query).get("lang") == (code if known else None)
    page.get_by_role("link", name="Français").click()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    page.goto(index)
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    context.close()


def test_a_clip_without_languages_is_asked_in_english(page: Page, gateway: Gateway, index: str) -> None:
    gateway.describe = behaviors.answer(DESCRIPTION)
    page.goto(f"{index}?lang=de")
    page.wait_for_selector("html[data-vocabulary]")
    page.set_input_files("#photo", file())
    expect(page.locator("#current .note")).to_have_text("Ich bin sicher: 93\u00a0%")
    assert all(name != "lang" for name, _ in gateway.seen[-1].query)
