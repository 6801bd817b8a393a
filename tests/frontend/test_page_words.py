"""What the recognizer is to look for: its own words, everyday things, or the visitor's."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.launch import wait_for

from . import gateway as behaviors
from .gateway import DESCRIPTION, EVERYDAY, EVERYTHING, Gateway, prediction
from .photos import file

OPEN = behaviors.answer(DESCRIPTION | {"vocabulary": "open"})


def show(page: Page, count: int = 1) -> None:
    page.set_input_files("#photo", [file(f"{number}.jpg") for number in range(count)])
    expect(page.locator("#current :is([data-state=done], [data-state=unsure])")).to_have_count(count)


def chips(page: Page, *words: str) -> None:
    """Fails unless these are the words that are chosen."""
    expect(page.locator("#chips span")).to_have_text(list(words))


def asked(page: Page) -> list[tuple[str, str]]:
    """What stands in the address."""
    return parse_qsl(urlsplit(page.url).query)


@pytest.fixture
def open_page(page: Page, gateway: Gateway) -> Page:
    """The page of a recognizer with an open vocabulary."""
    gateway.describe = OPEN
    page.reload()
    expect(page.locator("html[data-vocabulary=open]")).to_be_visible()
    return page


def test_all_words_are_a_page_of_their_own(page: Page) -> None:
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="All words that I know").click()
    expect(opened.value.locator("#everyday")).to_have_text(", ".join(EVERYDAY))
    expect(page.locator("#start")).to_be_visible()


def test_everyday_things(page: Page, gateway: Gateway) -> None:
    page.get_by_label("11 everyday things").check()
    gateway.clip.append(behaviors.answer(prediction(confidence=0.2)))
    show(page)
    assert gateway.seen[0].query == [("vocabulary", "everyday"), ("tags", "1")]
    expect(page.locator("#current h2")).to_have_text("I do not know what this is")
    assert asked(page) == [("vocabulary", "everyday")]
    page.get_by_label("The 7 words I know best").check()  # looks again at the photo that is shown
    expect(page.locator("#current h2")).to_have_text("an apple")
    assert gateway.seen[1].query == [("vocabulary", "labels"), ("tags", "1")]
    assert asked(page) == [("vocabulary", "labels")]
    page.get_by_label("Everything I know").check()
    expect(page.locator("#current .card[data-state=done]")).to_be_visible()
    assert gateway.seen[2].query == EVERYTHING
    assert asked(page) == []


def test_words_of_a_closed_vocabulary(page: Page, gateway: Gateway) -> None:
    expect(page.get_by_label("Words to choose from")).to_be_hidden()
    page.get_by_label("Only some of these words").check()
    expect(page.get_by_label("Words to choose from")).to_be_focused()
    expect(page.get_by_text("Advanced")).to_be_hidden()
    page.keyboard.type("cat, dog,")
    chips(page, "cat", "dog")
    assert page.locator("#known option").evaluate_all("(options) => options.length") == len(set(EVERYDAY))
    show(page)
    assert gateway.seen[0].query == [("labels", "cat,dog"), ("unknown", "skip")]


def test_each_word_is_a_chip(open_page: Page, gateway: Gateway) -> None:
    page = open_page
    page.get_by_label("Words of your own").check()
    field = page.get_by_label("Words to choose from")
    field.fill(" my cat, , Grüße & Küsse ,MY CAT,")
    field.press("Enter")
    chips(page, "my cat", "Grüße & Küsse")
    gateway.clip.append(behaviors.answer(prediction(["my cat"], confidence=0.2)))
    show(page)
    assert gateway.seen[0].query == [("labels", "my cat,Grüße & Küsse"), ("unknown", "skip")]
    expect(page.locator("#current .eyebrow")).to_have_text("None of your words.")
    expect(page.get_by_role("status")).to_have_text("0.jpg: none of your words")
    page.get_by_role("button", name="Take out my cat").click()  # asks again about the photo that is shown
    expect(page.locator("#current h2")).to_have_text("Yes")
    assert gateway.seen[1].query == [("labels", "Grüße & Küsse"), ("unknown", "skip")]
    field.fill("dog")
    page.get_by_role("button", name="Add").click()
    chips(page, "Grüße & Küsse", "dog")
    page.get_by_role("button", name="Take out dog").click()
    page.get_by_role("button", name="Take out Grüße & Küsse").click()
    expect(field).to_be_focused()
    # A photo that came while the page still asks about the last one would be shown beside it.
    expect(page.locator("#current :is([data-state=done], [data-state=unsure])")).to_have_count(1)
    show(page)
    assert gateway.seen[-1].query == EVERYTHING


def test_words_that_are_still_being_typed_count(page: Page, gateway: Gateway) -> None:
    page.get_by_label("Only some of these words").check()
    page.keyboard.type("cat, do")
    show(page)
    assert gateway.seen[0].query == [("labels", "cat,do"), ("unknown", "skip")]


def test_presets(page: Page, gateway: Gateway, open_page: Page) -> None:
    page.get_by_label("Words of your own").check()
    page.get_by_role("button", name="rooms").click()
    expect(page.locator("#chips span").first).to_have_text("kitchen")
    page.get_by_role("button", name="pets").click()
    expect(page.locator("#chips span").first).to_have_text("cat")
    show(page)
    assert gateway.seen[0].query[0][1].startswith("cat,dog,rabbit")


def test_presets_of_a_closed_vocabulary_have_its_words_only(page: Page) -> None:
    page.get_by_label("Only some of these words").check()
    expect(page.get_by_role("button", name="rooms")).to_be_hidden()
    page.get_by_role("button", name="pets").click()
    chips(page, "cat", "dog")


def test_the_template_is_for_the_advanced(open_page: Page, gateway: Gateway) -> None:
    page = open_page
    page.get_by_label("Words of your own").check()
    page.keyboard.type("cat,dog,")
    page.get_by_text("Advanced").click()
    page.get_by_label("The sentence that each word is put into").fill("a drawing of a {}")
    show(page)
    assert gateway.seen[0].query == [("labels", "cat,dog"), ("template", "a drawing of a {}"), ("unknown", "skip")]
    assert asked(page) == gateway.seen[0].query[:2]


@pytest.mark.parametrize(
    ("confidence", "answer", "note"),
    [(0.95, "Yes", "95% sure"), (0.75, "Most likely", "75% sure"), (0.5, "Maybe", "50% sure"),
     (0.1, "I do not think so", "I would call it a cat, 87% sure.")],
)  # fmt: skip
def test_one_word_is_a_question(page: Page, gateway: Gateway, confidence: float, answer: str, note: str) -> None:
    page.get_by_label("Only some of these words").check()
    page.keyboard.type("pizza,")
    gateway.clip.append(behaviors.answer(prediction(["pizza"], confidence=confidence, instead="cat")))
    show(page)
    expect(page.locator("#current .eyebrow")).to_have_text("Is it a pizza?")
    expect(page.locator("#current h2")).to_have_text(answer)
    expect(page.locator("#current .note")).to_have_text(note)
    expect(page).to_have_title(f"Is it a pizza? {answer} · What is in your photo?")


def test_a_link_carries_the_words(open_page: Page, gateway: Gateway, index: str) -> None:
    page = open_page
    page.goto(f"{index}?labels=my%20cat,dog&template=a+{{}}&from=mail#here")
    chips(page, "my cat", "dog")
    expect(page.get_by_label("Words of your own")).to_be_checked()
    show(page)
    assert gateway.seen[0].query == [("labels", "my cat,dog"), ("template", "a {}"), ("unknown", "skip")]
    page.get_by_role("button", name="Take out dog").click()
    expect(page.locator("#current h2")).to_have_text("Yes")
    assert page.url.endswith("#here")
    assert sorted(asked(page)) == [("from", "mail"), ("labels", "my cat"), ("template", "a {}")]
    page.reload()
    chips(page, "my cat")
    page.goto(f"{index}?vocabulary=everyday")
    expect(page.get_by_label("11 everyday things")).to_be_checked()


def test_the_way_back_keeps_the_words(page: Page) -> None:
    show(page)
    page.get_by_label("11 everyday things").check()
    expect(page.locator("#current [data-state=done]")).to_be_visible()
    page.go_back()
    expect(page.locator("#start")).to_be_visible()
    assert asked(page) == [("vocabulary", "everyday")]


def test_many_photos_are_looked_at_again_only_when_asked(page: Page, gateway: Gateway) -> None:
    page.set_input_files("#photo", [file(f"{number}.jpg") for number in range(4)])
    expect(page.locator("#count")).to_have_text("4 recognized, 0 not")
    expect(page.get_by_role("button", name="Look at these photos again")).to_be_hidden()
    page.get_by_label("11 everyday things").check()
    page.get_by_role("button", name="Look at these photos again").click()
    expect(page.locator("#count")).to_have_text("4 recognized, 0 not")
    expect(page.get_by_role("button", name="Look at these photos again")).to_be_hidden()
    assert [seen.query for seen in gateway.seen] == [EVERYTHING] * 4 + [[("vocabulary", "everyday"), ("tags", "1")]] * 4


UNKNOWN = [{"label": "flamnigo", "near": ["flamingo"]}]


def test_one_unknown_word_is_marked_and_the_others_are_asked(page: Page, gateway: Gateway) -> None:
    gateway.clip.append(behaviors.answer(prediction(["cat", "dog"]) | {"unknown": UNKNOWN}))
    page.get_by_label("Only some of these words").check()
    page.get_by_label("Words to choose from").fill("cat,flamnigo,dog")
    show(page)
    expect(page.locator("#current h2")).to_have_text("a cat")
    expect(page.locator("#current .unknown")).to_contain_text("I do not know “flamnigo”.")
    expect(page.locator("#chips .unknown-word span")).to_have_text(["flamnigo"])
    page.locator("#current").get_by_role("button", name="Take flamingo").click()
    chips(page, "cat", "flamingo", "dog")
    expect(page.locator("#current .card[data-state=done] h2")).to_have_text("an apple")
    assert gateway.seen[-1].query == [("labels", "cat,flamingo,dog"), ("unknown", "skip")]
    expect(page.locator("#chips .unknown-word")).to_have_count(0)


def test_a_link_says_before_the_first_photo_which_words_are_not_known(page: Page, gateway: Gateway, index: str) -> None:
    gateway.clip.append(behaviors.answer(prediction(["cat"]) | {"unknown": UNKNOWN}))
    page.goto(f"{index}?labels=cat,flamnigo")
    expect(page.locator("#words .unknown")).to_contain_text("I do not know “flamnigo”.")
    expect(page.locator("#chips .unknown-word span")).to_have_text(["flamnigo"])
    expect(page.locator("#start")).to_be_visible()
    assert gateway.seen[0].query == [("labels", "cat,flamnigo"), ("unknown", "skip"), ("top_k", "1")]
    with page.expect_response(lambda response: "flamingo" in response.url):
        page.locator("#words").get_by_role("button", name="Take flamingo").click()
    chips(page, "cat", "flamingo")
    expect(page.locator("#words .unknown")).to_be_empty()
    expect(page.locator("#chips .unknown-word")).to_have_count(0)
    refusal = {"code": "closed_vocabulary", "message": "None is known.", "unknown": UNKNOWN}
    gateway.clip.append(behaviors.answer({"error": refusal}, 422))
    page.goto(f"{index}?labels=flamnigo")
    expect(page.locator("#words .unknown")).to_contain_text("I do not know “flamnigo”.")


def test_an_open_vocabulary_is_not_asked_what_it_knows(open_page: Page, gateway: Gateway, index: str) -> None:
    open_page.goto(f"{index}?labels=cat,flamnigo")
    expect(open_page.locator("html[data-vocabulary=open]")).to_be_visible()
    show(open_page)
    assert len(gateway.seen) == 1


def test_a_question_beside_the_photo(page: Page, gateway: Gateway) -> None:
    """It is answered below the field; the answer to the photo stays, and so does the choice."""
    show(page)
    gateway.clip.append(behaviors.answer(prediction(["dog"], confidence=0.03, instead="cat")))
    page.get_by_label("Is it …?").fill("a dog?")
    page.keyboard.press("Enter")
    lines = page.locator("#current .asked > li")
    expect(lines).to_have_text(["Is it a dog? I do not think so. I would call it a cat, 87% sure."])
    expect(page.get_by_role("status")).to_have_text("Is it a dog? I do not think so. I would call it a cat, 87% sure.")
    expect(page.locator("#current h2")).to_have_text("an apple")
    assert gateway.seen[1].query == [("labels", "dog"), ("unknown", "skip")]
    assert gateway.seen[1].body == gateway.seen[0].body
    assert asked(page) == []
    gateway.clip.append(behaviors.answer(prediction(["cat", "dog"]) | {"unknown": UNKNOWN}))
    page.get_by_label("Is it …?").fill("cat, the dog, flamnigo")
    page.locator("#current").get_by_role("button", name="Ask", exact=True).click()
    expect(lines.first).to_contain_text("Of cat, dog: a cat, 93% sure")
    expect(lines.first).to_contain_text("I do not know “flamnigo”.")
    page.locator("#current").get_by_role("button", name="Take flamingo").click()
    expect(lines).to_have_count(3)
    wait_for(
        lambda: gateway.seen[-1].query == [("labels", "flamingo"), ("unknown", "skip")], "flamingo is not asked for"
    )
    gateway.clip.append(behaviors.error("internal", 500))
    page.get_by_label("Is it …?").fill("pizza")
    page.keyboard.press("Enter")
    expect(lines.first).to_contain_text("Something went wrong")
