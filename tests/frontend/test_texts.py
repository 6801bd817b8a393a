"""The page's texts: all are there in all languages, all are used, and both who read them fill in placeholders alike."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from frontend.index.article import with_article
from frontend.index.texts import LANGUAGES, texts_for

PACKAGE = Path(__file__).parents[2] / "frontend" / "index"
FILES = {path.stem: json.loads(path.read_text("utf-8")) for path in (PACKAGE / "page" / "texts").glob("*.json")}
TEXTS, ENGLISH = FILES["en"], LANGUAGES["en"]
PARTS = ("page", "both", "script", "errors", "warnings")
OTHERS = sorted(FILES.keys() - {"en"})
# What is the same in some language, as it is a name, a sign or a word of both.
ALIKE = re.compile(r"[^a-z]*|.*\b(?:code|model|photos?|pizza|json|csv|details|notice|images?|format).*", re.IGNORECASE)
PLURAL = re.compile(r"\{(\w+), plural, ((?:[\w=]+ \{(?:[^{}]|\{\w+\})*\} ?)+)\}")
STATES = {"preparing", "sending", "looking"}  # which a card says by their names


def test_every_text_is_used_and_every_text_that_is_used_is_there() -> None:
    scripts = "\n".join(path.read_text("utf-8") for path in (PACKAGE / "page" / "script").glob("*.js"))
    here = "\n".join(path.read_text("utf-8") for path in [*PACKAGE.glob("*.py"), *(PACKAGE / "page").glob("*.html")])
    for part, source in (("script", scripts), ("page", here), ("both", scripts + here)):
        missing = [key for key in TEXTS[part] if not re.search(rf"[\"`](?:{key})[\"`]", source) and key not in STATES]
        unnamed = [
            key for key in missing if not key.startswith(("about-", "choose-", "drawing-", "preset-"))
        ]  # put together from a name
        assert not unnamed, part
    for key in re.findall(r'\bsay\("([\w-]+)"', scripts):
        assert key in ENGLISH.script
    for key in re.findall(r'\bsay\("([\w-]+)"', here):
        assert key in TEXTS["page"] | TEXTS["both"] or key in ("about-", "drawing-")


def places(text: str) -> dict[str, set[str]]:
    """The names of a text's placeholders, and the forms of its plurals."""
    plural = PLURAL.search(text)
    forms = dict(re.findall(r"([\w=]+) \{((?:[^{}]|\{\w+\})*)\}", plural[2])) if plural else {}
    plain = PLURAL.sub("", text) + "".join(forms.values())
    names = set(re.findall(r"\{(\w+)\}", plain)) | ({plural[1]} if plural else set())
    assert not re.search(r"[{}]", re.sub(r"\{\w+\}", "", PLURAL.sub("", text))), text
    return {"names": names, "forms": set(forms)}


@pytest.mark.parametrize("code", OTHERS)
def test_every_language_says_all_and_nothing_else(code: str) -> None:
    for part in PARTS:
        assert FILES[code][part].keys() == TEXTS[part].keys(), part
        for key, english in TEXTS[part].items():
            text = FILES[code][part][key]
            assert text == text.strip() or key == "comma", key
            assert text or key == "asked-articles", key
            assert places(text)["names"] == places(english)["names"], key
            assert text != english or ALIKE.fullmatch(re.sub(r"\{.*\}", "", english)) or len(english) < 16, key


@pytest.mark.parametrize("code", sorted(FILES))
def test_plurals_have_the_forms_of_the_language(code: str) -> None:
    wanted = {"one", "other"} if FILES[code]["language"]["one"] else {"other"}
    for part in ("page", "both", "script"):
        for key, text in FILES[code][part].items():
            forms = {form for form in places(text)["forms"] if not form.startswith("=")}
            assert forms <= wanted, key
            assert not forms or "other" in forms, key


@pytest.mark.parametrize("code", sorted(FILES))
def test_both_count_alike(browser: Browser, code: str) -> None:
    page = browser.new_page()
    for number in (0, 1, 2, 5, 21, 100, 999, 1_197, 9_999, 12_345, 999_999):
        asked = [code, number]
        form = page.evaluate("([code, number]) => new Intl.PluralRules(code).select(number)", asked)
        assert (form == "one") == (number in FILES[code]["language"]["one"])
        shown = page.evaluate("([code, number]) => number.toLocaleString(code)", asked)
        assert shown in LANGUAGES[code].say("photos", count=number)
    percent = page.evaluate("(code) => new Intl.NumberFormat(code, { style: 'percent' }).format(0.42)", code)
    assert LANGUAGES[code].percent(0.42) == percent
    name = page.evaluate("(code) => new Intl.DisplayNames(code, { type: 'language' }).of(code)", code)
    assert LANGUAGES[code].name.casefold() == name.casefold()
    page.close()


@pytest.mark.parametrize(
    ("tags", "accepted", "code"),
    [
        ([], "", "en"),
        ([], "de-AT,de;q=0.9,en;q=0.8", "de"),
        ([], "pt-BR,fr-CA;q=0.5", "fr"),
        ([], "de;q=0,es", "es"),
        ([], "zh-TW", "zh-Hant"),
        ([], "zh-HK,zh;q=0.9", "zh-Hant"),
        ([], "zh-CN", "zh-Hans"),
        ([], "zh-Hans-HK", "zh-Hans"),
        (["ja", "de"], "fr", "ja"),
        (["ar", "de"], "fr", "de"),
        (["../../x", ""], "fr", "fr"),
    ],
)
def test_the_language_that_is_liked_best(tags: list[str], accepted: str, code: str) -> None:
    assert texts_for(*tags, accepted=accepted).code == code


def test_what_runs_the_other_way_keeps_its_place() -> None:
    assert ENGLISH.say("rather", word="\u0642\u0637\u0629", percent="87%").startswith("I would call it \u2068\u0642")


@pytest.mark.parametrize("count", [0, 1, 2, 100, 1_197])
def test_both_fill_in_alike(page: Page, count: int) -> None:
    page.route("**/*describe", lambda route: route.fulfill(json=described(count)))
    page.reload()
    page.wait_for_selector("html[data-vocabulary]")
    assert page.locator("#labels-choice").text_content() == ENGLISH.say("choice-labels", count=count)
    assert page.locator("#everyday-choice").text_content() == ENGLISH.say("choice-everyday", count=count)


def described(count: int) -> dict[str, object]:
    words = [f"word {number}" for number in range(count)]
    return {"labels": words, "everyday": words, "vocabulary": "open", "limits": {}}


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("cat", "a cat"),
        ("apple", "an apple"),
        ("Egyptian cat", "an Egyptian cat"),
        ("hourglass", "an hourglass"),
        ("unicycle", "a unicycle"),
        ("uniform", "a uniform"),
        ("umbrella", "an umbrella"),
        ("coffee", "coffee"),
        ("binoculars", "binoculars"),
        ("bus", "a bus"),
        ("sea", "the sea"),
    ],
)
def test_the_article(word: str, said: str) -> None:
    assert with_article(word) == said


@pytest.mark.parametrize(
    ("share", "said"), [(0, "0%"), (0.0049, "<1%"), (0.0051, "1%"), (0.934, "93%"), (0.996, "99%"), (1, "99%")]
)
def test_a_share_in_words(share: float, said: str) -> None:
    assert ENGLISH.percent(share) == said
