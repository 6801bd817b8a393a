"""The page's texts: all are there, all are used, and placeholders are filled in alike by both who read them."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page

from frontend.index.article import with_article
from frontend.index.texts import SCRIPT, say
from frontend.index.verdict import percent

PACKAGE = Path(__file__).parents[2] / "frontend" / "index"
TEXTS = json.loads((PACKAGE / "page" / "texts" / "en.json").read_text("utf-8"))
STATES = {"preparing", "sending", "looking"}  # which a card says by their names


def test_every_text_is_used_and_every_text_that_is_used_is_there() -> None:
    scripts = "\n".join(path.read_text("utf-8") for path in (PACKAGE / "page" / "script").glob("*.js"))
    here = "\n".join(path.read_text("utf-8") for path in [*PACKAGE.glob("*.py"), *(PACKAGE / "page").glob("*.html")])
    for part, source in (("script", scripts), ("page", here), ("both", scripts + here)):
        missing = [key for key in TEXTS[part] if not re.search(rf"[\"`](?:{key})[\"`]", source) and key not in STATES]
        unnamed = [key for key in missing if not key.startswith(("about-", "choose-"))]  # put together from a name
        assert not unnamed, part
    for key in re.findall(r'\bsay\("([\w-]+)"', scripts):
        assert key in SCRIPT
    for key in re.findall(r'\bsay\("([\w-]+)"', here):
        assert key in TEXTS["page"] | TEXTS["both"] or key == "about-"


@pytest.mark.parametrize("count", [0, 1, 2, 100, 1_197])
def test_both_fill_in_alike(page: Page, count: int) -> None:
    page.route("**/*describe", lambda route: route.fulfill(json=described(count)))
    page.reload()
    page.wait_for_selector("html[data-vocabulary]")
    assert page.locator("#labels-choice").text_content() == say("choice-labels", count=count)
    assert page.locator("#everyday-choice").text_content() == say("choice-everyday", count=count)


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
    assert percent(share) == said
