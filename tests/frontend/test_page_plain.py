"""Without JavaScript: the form posts, and the answer is a page."""

import base64
import re

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from . import gateway as behaviors
from .axe import violations
from .gateway import EVERYDAY, LABELS, Gateway, prediction
from .photos import camera_photo, file, photo

pytestmark = pytest.mark.parametrize("context_options", [{"java_script_enabled": False}])


@pytest.fixture(params=["", "/"], ids=["without slash", "with slash"])
def index(gateway: Gateway, request: pytest.FixtureRequest) -> str:
    index = f"{gateway.url}/function/index{request.param}"
    requests.get(f"{index}?describe", timeout=20)  # what another test's recognizer said is forgotten
    return index


def recognize(page: Page, name: str = "holiday.jpg") -> None:
    page.get_by_label("Choose a photo").set_input_files(file(name))
    page.get_by_role("button", name="Recognize").click()


def test_the_way_there_and_back(page: Page, gateway: Gateway, index: str) -> None:
    page.get_by_label("Words to choose from").fill("a cat, a dog")  # which says what is meant, whatever is checked
    recognize(page)
    expect(page.get_by_role("heading", level=2)).to_have_text("an apple")
    expect(page.locator(".eyebrow")).to_be_hidden()
    expect(page.locator(".note")).to_have_text("I am sure: 93%")
    expect(page.locator(".near .label")).to_have_text(LABELS[1:3])  # the others have less than one in a hundred
    expect(page.locator(".near .score")).to_have_text(["4%", "1%"])
    expect(page).to_have_title("an apple, 93% sure · What is in your photo?")
    shown = page.get_by_role("img", name="Your photo")
    assert shown.evaluate("(image) => image.naturalWidth") == 320
    assert gateway.seen[0].body == photo()
    assert gateway.seen[0].query == [("tags", "1"), ("unknown", "skip"), ("labels", "a cat, a dog")]
    page.get_by_role("link", name="Another photo").click()
    assert page.url == f"{index}?"
    recognize(page)
    expect(page.get_by_role("heading", level=2)).to_have_text("an apple")


def test_a_photo_as_a_phone_takes_it(page: Page, gateway: Gateway) -> None:
    data = camera_photo()
    assert len(data) > 4_000_000
    preview = f"data:image/jpeg;base64,{base64.b64encode(photo(64, 48)).decode()}"
    gateway.clip.append(behaviors.answer(prediction() | {"preview": preview}))
    page.get_by_label("Choose a photo").set_input_files(file("IMG_0001.jpg", data))
    page.get_by_role("button", name="Recognize").click()
    expect(page.get_by_role("heading", level=2)).to_have_text("an apple")
    assert gateway.seen[0].body == data
    assert gateway.seen[0].query == [("tags", "1"), ("unknown", "skip"), ("vocabulary", "all"), ("preview", "1")]
    assert page.get_by_role("img", name="Your photo").evaluate("(image) => image.naturalWidth") == 64


def test_not_recognized(page: Page, gateway: Gateway) -> None:
    gateway.clip.append(behaviors.answer(prediction(confidence=0.2)))
    recognize(page)
    expect(page.get_by_role("heading", level=2)).to_have_text("I do not know what this is")
    expect(page.locator(".near .label")).to_have_text(LABELS[:3])
    expect(page.locator(".main")).to_be_hidden()


def test_what_was_not_read_is_said(page: Page, gateway: Gateway) -> None:
    gateway.clip.append(behaviors.answer(prediction() | {"warnings": ["cut_off", "of_another_version"]}))
    recognize(page)
    note = "I am sure: 93% · The file is cut off: I saw only the part that is there."
    expect(page.locator(".note")).to_have_text(note)


def test_a_link_carries_the_words(page: Page, gateway: Gateway, index: str) -> None:
    page.goto(f"{index}?labels=a+cat,a+%22dog%22&template=a+{{}}&from=mail")
    expect(page.get_by_label("Words to choose from")).to_have_value('a cat,a "dog"')
    recognize(page)
    asked = [("tags", "1"), ("unknown", "skip")]
    assert gateway.seen[0].query == [*asked, ("labels", 'a cat,a "dog"'), ("template", "a {}")]
    page.goto(f"{index}?vocabulary=everyday")
    recognize(page)
    assert gateway.seen[1].query == [*asked, ("vocabulary", "everyday")]


def test_several_photos(page: Page, gateway: Gateway) -> None:
    damaged = {"error": {"code": "corrupt_image", "message": "It is damaged."}}
    gateway.clip.append(behaviors.answer({"results": [prediction(), damaged], "model": "tiny/test"}))
    page.get_by_label("Choose a photo").set_input_files([file(), file("damaged.jpg")])
    page.get_by_role("button", name="Recognize").click()
    expect(page.get_by_role("heading", level=2)).to_have_text(["an apple", re.compile("damaged and cannot be opened")])
    expect(page).to_have_title("2 photos · What is in your photo?")
    page.get_by_role("link", name="Another photo").click()
    expect(page.get_by_label("Choose a photo")).to_be_visible()


def test_everyday_things_and_what_it_is_instead(page: Page, gateway: Gateway) -> None:
    page.get_by_label("11 everyday things").check()
    gateway.clip.append(behaviors.answer(prediction(confidence=0.2, instead="flamingo")))
    recognize(page)
    assert gateway.seen[0].query == [("tags", "1"), ("unknown", "skip"), ("vocabulary", "everyday")]
    expect(page.locator(".note")).to_have_text("Most likely: 87%")
    expect(page.get_by_role("heading", level=2)).to_have_text("a flamingo")


def test_one_word_is_a_question(page: Page, gateway: Gateway) -> None:
    for confidence, answer, note in [
        (0.95, "Yes", "95% sure"),
        (0.1, "I do not think so", "I would call it a cat, 87% sure."),
    ]:
        page.get_by_label("Only some of these words").check()
        page.get_by_label("Words to choose from").fill("pizza")
        gateway.clip.append(behaviors.answer(prediction(["pizza"], confidence=confidence, instead="cat")))
        recognize(page)
        expect(page.locator(".eyebrow")).to_have_text("Is it a pizza?")
        expect(page.get_by_role("heading", level=2)).to_have_text(answer)
        expect(page.locator(".note")).to_have_text(note)
        page.get_by_role("link", name="Another photo").click()


def test_it_says_what_it_knows(page: Page, index: str) -> None:
    link = page.get_by_role("link", name="All words that I know")
    page.goto(link.evaluate("(link) => link.href"))
    expect(page.locator("dt")).to_have_text(["food", "plant", "other"])
    expect(page.locator("dd")).to_have_text(["apple, orange, pear", "sunflower, tulip", "bear, clock"])
    expect(page.locator("#everyday")).to_have_text(", ".join(EVERYDAY))


def test_the_recognizers_own_words_are_in_the_details(page: Page, gateway: Gateway) -> None:
    gateway.clip.extend(
        [behaviors.answer(prediction(["cat"])), behaviors.answer(prediction(confidence=0.01, instead="cat"))]
    )
    recognize(page)
    assert [seen.query for seen in gateway.seen][1:] == [[]]
    expect(page.locator(".five .label").first).to_be_hidden()
    page.get_by_text("Details").click()
    expect(page.locator(".footnote")).to_have_text("None of the 7 words I know best.")
    expect(page.locator(".five .label")).to_have_text(LABELS[:5])


@pytest.mark.parametrize(
    "trouble", [behaviors.error("internal", 500), behaviors.close, behaviors.slow(3, behaviors.answer(prediction()))]
)
def test_the_answer_is_there_without_them(page: Page, gateway: Gateway, trouble: behaviors.Behavior) -> None:
    gateway.clip.extend([behaviors.answer(prediction()), trouble])
    recognize(page)
    expect(page.get_by_role("heading", level=2)).to_have_text("an apple")
    page.get_by_text("Details").click()
    expect(page.locator(".five .label")).to_have_count(0)


def test_a_word_that_is_not_known(page: Page, gateway: Gateway) -> None:
    unknown = [{"label": "flamnigo", "near": ["flamingo"]}, {"label": "xyz", "near": []}]
    gateway.clip.append(behaviors.answer(prediction(["cat", "dog"]) | {"unknown": unknown}))
    page.get_by_label("Words to choose from").fill("cat, dog, flamnigo, xyz")
    recognize(page)
    expect(page.get_by_role("heading", level=2)).to_have_text("a cat")
    expect(page.locator(".unknown li")).to_have_text(
        ["I do not know “flamnigo”. Do you mean flamingo?", "I do not know “xyz”."]
    )
    refusal = {"code": "closed_vocabulary", "message": "None is known.", "unknown": unknown}
    gateway.clip.append(behaviors.answer({"error": refusal}, 422))
    page.go_back()
    recognize(page)
    expect(page.locator(".unknown li").first).to_contain_text("Do you mean flamingo?")


def test_about_the_recognizer(page: Page, gateway: Gateway) -> None:
    page.get_by_role("link", name="About this recognizer").click()
    expect(page).to_have_title("About this recognizer")
    headings = ["What it does", "What it knows", "How often it is wrong", "The model", "What happens to your photo"]
    expect(page.get_by_role("heading", level=2)).to_have_text([*headings, "What it is not for"])
    expect(page.locator("main")).to_contain_text("7 words that it knows best, and 11 everyday things.")
    expect(page.locator("main")).to_contain_text("tiny/test")
    page.get_by_role("link", name="To the start").click()
    expect(page.get_by_label("Choose a photo")).to_be_visible()


def test_an_error_in_words(page: Page, gateway: Gateway) -> None:
    gateway.clip.append(behaviors.error("corrupt_image", 422))
    with page.expect_navigation() as navigation:
        recognize(page)
    assert navigation.value.status == 422
    expect(page.get_by_role("heading", level=2)).to_contain_text("This photo is damaged")


def test_names_and_labels_stay_text(page: Page, gateway: Gateway) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    gateway.clip.append(behaviors.answer(prediction([hostile])))
    recognize(page, hostile)
    expect(page.get_by_role("heading", level=2)).to_have_text(hostile)
    expect(page.locator("figcaption")).to_have_text(hostile)
    expect(page.locator("img")).to_have_count(1)


def test_axe_finds_nothing(page: Page, browser: Browser) -> None:
    """axe needs JavaScript, so it gets the document that came without."""
    recognize(page)
    expect(page.get_by_role("heading", level=2)).to_have_text("an apple")
    reader = browser.new_page()
    reader.set_content(page.content())
    found = violations(reader)
    reader.close()
    assert found == ""
