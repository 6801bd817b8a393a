"""Things that a visitor teaches the page: how they are learned, kept, saved, loaded, used and forgotten."""

import base64
import json
import re
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, expect

from backend.clip.export.example_file import read_file
from backend.clip.manifest import Manifest
from backend.clip.recognition.background import Background, unit
from backend.clip.recognition.examples import Examples, confidences
from frontend.index.texts import LANGUAGES
from tests.launch import Running
from tests.things import view

from . import gateway as behaviors
from .axe import violations
from .gateway import DESCRIPTION, Gateway
from .photos import encoded, file

PACKAGE = Path(__file__).parents[2]
MANIFEST = Manifest.read(PACKAGE / "backend" / "clip" / "model")
WEIGHTS = [9.0, -4.0, 1.0]
CENTER = unit(np.pad(np.ones(4), (0, MANIFEST.embedding_dim - 4))) / 2
RED, GREEN, BLUE = (220, 20, 20), (20, 220, 20), (20, 20, 220)
TEXTS = json.loads((PACKAGE / "frontend" / "index" / "page" / "texts" / "en.json").read_text("utf-8"))
CUT_OFF = TEXTS["warnings"]["cut_off"]
NAME = "our dog Bella"
SMALL, PHONE = {"viewport": {"width": 375, "height": 667}}, {"viewport": {"width": 390, "height": 844}}
WIDE = {"viewport": {"width": 1920, "height": 1080}}


def text_of(row: NDArray[np.floating]) -> str:
    return base64.b64encode(row.astype("<f4").tobytes()).decode()


def described(**changes: object) -> behaviors.Behavior:
    """A recognizer that has the bundled model's name and weights, and embeds pictures by their color."""
    background = {"center": text_of(CENTER), "weights": WEIGHTS}
    model = {"model": MANIFEST.title, "weights_sha256": MANIFEST.weights_sha256, "embedding_background": background}
    return behaviors.answer(DESCRIPTION | model | changes)


def embedding(photo: bytes) -> NDArray[np.float64]:
    """Of unit length: the mean color."""
    with Image.open(BytesIO(photo)) as image:
        color = np.asarray(image.convert("RGB"), np.float64).mean((0, 1)) / 255
    return unit(np.pad(np.append(color, 0.2), (0, MANIFEST.embedding_dim - 4)))


def embed(handler: Any) -> None:
    asked = json.loads(handler.body)
    assert asked["encoding_format"] == "base64"
    rows = [embedding(base64.b64decode(uri.partition(",")[2])) for uri in asked["input"]]
    data = [{"index": place, "embedding": text_of(row)} for place, row in enumerate(rows)]
    behaviors.answer({"object": "list", "data": data, "model": MANIFEST.title})(handler)


def colored(color: Sequence[int], name: str = "photo.jpg") -> FilePayload:
    return file(name, encoded(Image.new("RGB", (64, 48), tuple(color))))


@pytest.fixture
def teachable(page: Page, gateway: Gateway) -> Page:
    """The page of a recognizer that embeds, with the section open."""
    gateway.describe, gateway.embed = described(), embed
    page.reload()
    expect(page.locator("html[data-vocabulary]")).to_be_visible()
    page.get_by_text("Teach it a thing").click()
    return page


def teach(page: Page, name: str, *photos: FilePayload) -> None:
    page.set_input_files("#lesson-files", list(photos))
    expect(page.locator("#lesson-photos li")).to_have_count(len(photos))
    page.get_by_label("What is it called?").fill(name)
    page.get_by_role("button", name="Learn it").click()
    expect(page.locator("#lesson-note")).to_contain_text("Learned")


def show(page: Page, photo: FilePayload) -> None:
    page.set_input_files("#photo", photo)
    expect(page.locator("#current :is([data-state=done], [data-state=unsure])")).to_have_count(1)


def learned(**things: Sequence[FilePayload]) -> Examples:
    photos = [np.array([embedding(photo["buffer"]) for photo in given]) for given in things.values()]
    return Examples.learned(list(things), photos, "embedding", Background(CENTER, np.array(WEIGHTS)))


def test_a_photo_of_a_taught_thing_leads_with_its_name(teachable: Page) -> None:
    page = teachable
    dog, mug = [colored(RED), colored((200, 60, 30))], [colored(BLUE)]
    teach(page, f"  {NAME} ", *dog)
    teach(page, "blue mug", *mug)
    expect(page.locator("#things h3")).to_have_text([NAME, "blue mug"])
    shown = colored((210, 30, 60))
    show(page, shown)
    expect(page.locator("#current h2")).to_have_text(NAME)
    expect(page.locator("#current .eyebrow")).to_have_text("Taught by you")
    odds = learned(dog=dog, mug=mug).log_odds_of(embedding(shown["buffer"]))
    sure = LANGUAGES["en"].percent(float(confidences(odds)[0]))
    expect(page.locator("#current .note")).to_contain_text(sure)
    expect(page.get_by_role("status")).to_have_text(f"photo.jpg: {NAME}, taught by you, {sure} sure")
    expect(page.locator("#current .also .label").first).to_have_text("apple")  # what it says by itself
    show(page, colored(GREEN))
    expect(page.locator("#current h2")).to_have_text("an apple")
    expect(page.locator("#current .eyebrow")).to_be_hidden()


def test_a_wall_is_grouped_by_it_and_saved_with_it(teachable: Page, gateway: Gateway) -> None:
    page = teachable
    teach(page, NAME, colored(RED))
    gateway.clip.append(behaviors.answer(behaviors.prediction()))
    page.set_input_files("#photo", [colored(RED if n < 3 else GREEN, f"{n}.jpg") for n in range(5)])
    expect(page.locator("#count")).to_have_text("5 recognized, 0 not")
    expect(page.locator(".group .word")).to_have_text([NAME, "apple"])
    with page.expect_download() as download:
        page.locator("#save").get_by_role("button", name="Save as JSON").click()
    rows = {row["file"]: row.get("taught") for row in json.loads(download.value.path().read_text("utf-8"))}
    assert rows == {"0.jpg": NAME, "1.jpg": NAME, "2.jpg": NAME, "3.jpg": None, "4.jpg": None}
    page.locator(".tile button").first.click()
    expect(page.locator("#current h2")).to_have_text(NAME)


def test_warnings_stay(teachable: Page, gateway: Gateway) -> None:
    page = teachable
    teach(page, NAME, colored(RED))
    for confidence in (0.934, 0.1):
        gateway.clip.append(behaviors.answer(behaviors.prediction(confidence=confidence) | {"warnings": ["cut_off"]}))
        show(page, colored(RED))
        expect(page.locator("#current h2")).to_have_text(NAME)
        expect(page.locator("#current .note")).to_have_text(re.compile(f"^[^·%]+% · {re.escape(CUT_OFF)}$"))


def test_words_of_the_visitor_stay_the_question(teachable: Page, gateway: Gateway) -> None:
    page = teachable
    teach(page, NAME, colored(RED))
    page.get_by_label("Only some of these words").check()
    page.get_by_label("Words to choose from").fill("apple,")
    show(page, colored(RED))
    expect(page.locator("#current .eyebrow")).to_have_text("Is it an apple?")


def test_where_it_cannot_be_compared_the_answer_is_there(teachable: Page, gateway: Gateway) -> None:
    page = teachable
    teach(page, NAME, colored(RED))
    gateway.embed = behaviors.error("internal", 500)
    show(page, colored(RED))
    expect(page.locator("#current h2")).to_have_text("an apple")
    expect(page.locator("#current .note")).to_contain_text("I could not compare it with what you have taught")


def test_photos_that_are_shown_are_looked_at_again_when_asked(teachable: Page) -> None:
    page = teachable
    show(page, colored(RED))
    expect(page.locator("#current h2")).to_have_text("an apple")
    teach(page, NAME, colored(RED))
    page.get_by_role("button", name="Look at these photos again").click()
    expect(page.locator("#current h2")).to_have_text(NAME)


def test_what_was_taught_outlives_a_reload_until_it_is_forgotten(teachable: Page) -> None:
    page = teachable
    teach(page, NAME, colored(RED), colored((200, 60, 30)))
    teach(page, NAME.upper(), colored((230, 10, 10)))  # the same thing
    teach(page, "blue mug", colored(BLUE))
    page.reload()
    page.get_by_text("Teach it a thing").click()
    expect(page.locator(".thing .tally")).to_have_text(["3 photos", "1 photo"])
    expect(page.locator("#things img:visible")).to_have_count(4)
    page.get_by_role("button", name=f"Forget photo 2 of {NAME}").click()
    expect(page.locator(".thing .tally")).to_have_text(["2 photos", "1 photo"])
    page.get_by_role("button", name="Forget photo 1 of blue mug").click()
    expect(page.locator("#things h3")).to_have_text([NAME])
    page.reload()
    page.get_by_text("Teach it a thing").click()
    expect(page.locator("#things h3")).to_have_text([NAME])
    page.get_by_role("button", name=f"Forget {NAME}").click()
    expect(page.locator("#things h3")).to_have_count(0)
    teach(page, "a", colored(RED))
    teach(page, "b", colored(BLUE))
    page.get_by_role("button", name="Forget all").click()
    expect(page.locator("#things h3")).to_have_count(0)
    page.reload()
    expect(page.locator("html[data-vocabulary]")).to_be_visible()
    show(page, colored(RED))
    expect(page.locator("#current h2")).to_have_text("an apple")


NAMES = ["<img src=x onerror=alert(1)>", "{name} & {count}", "Grüße, Küsse", "كلبنا", "👩\u200d🚒 $& $1"]


def test_a_saved_file_is_what_the_service_reads_and_is_loaded_back(
    teachable: Page, tmp_path: Path, browser: Browser, index: str
) -> None:
    page = teachable
    photos = [colored(color) for color in (RED, GREEN, BLUE, (90, 90, 0), (0, 90, 90))]
    for name, photo in zip(NAMES, photos, strict=True):
        teach(page, name, photo)
    expect(page.locator("#things h3")).to_have_text(NAMES)
    assert page.locator("#things h3 *").count() == 0
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as a file").click()
    saved = tmp_path / "things.json"
    download.value.save_as(saved)
    things = read_file(saved, MANIFEST)
    assert [thing.name for thing in things] == NAMES
    for thing, photo in zip(things, photos, strict=True):
        assert thing.photos == pytest.approx(embedding(photo["buffer"])[np.newaxis], abs=1e-6)

    other = browser.new_page()
    other.goto(index)
    other.get_by_text("Teach it a thing").click()
    for count in ("Loaded 5 things.", "There is nothing new in it."):
        other.set_input_files("#things-file", saved)
        expect(other.locator("#lesson-note")).to_have_text(count)
        expect(other.locator("#things h3")).to_have_text(NAMES)
    show(other, colored(RED))
    expect(other.locator("#current h2")).to_have_text(NAMES[0])
    other.context.close()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", '{"version": 1}', "x" * 1000, '{"version":1,"model":"m","weights_sha256":"w","things":[{}]}'],
)
def test_another_file_is_refused(teachable: Page, text: str) -> None:
    teachable.set_input_files("#things-file", file("notes.json", text.encode()))
    expect(teachable.locator("#lesson-note")).to_have_text(
        "notes.json is not a file of things that this page has saved."
    )
    expect(teachable.locator("#things h3")).to_have_count(0)


def test_things_of_another_model_are_not_used(teachable: Page, gateway: Gateway, tmp_path: Path) -> None:
    page = teachable
    teach(page, NAME, colored(RED))
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as a file").click()
    download.value.save_as(tmp_path / "things.json")
    gateway.describe = described(weights_sha256="0" * 64)
    page.reload()
    expect(page.locator("html[data-vocabulary]")).to_be_visible()
    page.get_by_text("Teach it a thing").click()
    expect(page.locator("#things-note")).to_have_text(
        "One thing was taught to another model, and is not used with this one."
    )
    page.set_input_files("#things-file", tmp_path / "things.json")
    expect(page.locator("#lesson-note")).to_contain_text(f"taught to another model, {MANIFEST.title}")
    show(page, colored(RED))
    expect(page.locator("#current h2")).to_have_text("an apple")


NOTHING_IS_KEPT = {
    "no database": "indexedDB.open = () => { throw new DOMException('no', 'SecurityError'); };",
    "no room": "IDBObjectStore.prototype.put = () => { throw new DOMException('full', 'QuotaExceededError'); };",
}


@pytest.mark.parametrize("script", NOTHING_IS_KEPT.values(), ids=NOTHING_IS_KEPT)
def test_where_nothing_is_kept_the_page_says_so(context: BrowserContext, teachable: Page, script: str) -> None:
    page = teachable
    context.add_init_script(script)
    page.reload()
    page.get_by_text("Teach it a thing").click()
    teach(page, NAME, colored(RED))
    expect(page.locator("#things-note")).to_contain_text("This browser does not keep what you teach")
    show(page, colored(RED))
    expect(page.locator("#current h2")).to_have_text(NAME)
    page.reload()
    page.get_by_text("Teach it a thing").click()
    expect(page.locator("#things h3")).to_have_count(0)


def test_what_is_wrong_with_a_lesson(teachable: Page, gateway: Gateway) -> None:
    page = teachable
    learn, note = page.get_by_role("button", name="Learn it"), page.locator("#lesson-note")
    learn.click()
    expect(note).to_have_text("Choose a photo of it first.")
    page.set_input_files("#lesson-files", [colored(RED)] * 51)
    expect(note).to_have_text("I learn from 50 photos of a thing at most.")
    expect(page.locator("#lesson-photos li")).to_have_count(50)
    learn.click()
    expect(note).to_have_text("Say what it is called.")
    for name in ("a" * 201, "bell\u0007", "a\u202eb"):
        page.get_by_label("What is it called?").fill(name)
        learn.click()
        expect(note).to_have_text("A name has at most 200 characters, all of which can be seen.")
    page.get_by_label("What is it called?").fill(NAME)
    learn.click()
    expect(note).to_contain_text("Learned", timeout=60_000)
    page.set_input_files("#lesson-files", colored(RED))
    page.get_by_label("What is it called?").fill(NAME)
    learn.click()
    expect(note).to_have_text("I learn from 50 photos of a thing at most.")
    page.get_by_label("What is it called?").fill("another")
    gateway.embed = behaviors.error("corrupt_image", 422)
    learn.click()
    expect(note).to_contain_text("1 photo was not learned:")
    expect(page.locator("#lesson-photos li")).to_have_count(1)
    expect(page.locator("#things h3")).to_have_text([NAME])


def test_photos_dropped_on_it_are_to_be_learned(teachable: Page) -> None:
    page = teachable
    page.evaluate(
        """() => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File(["x"], "dog.jpg", { type: "image/jpeg" }));
          const options = { dataTransfer, bubbles: true, cancelable: true };
          const target = document.querySelector("#teach > p");
          for (const kind of ["dragover", "drop"]) target.dispatchEvent(new DragEvent(kind, options));
        }"""
    )
    expect(page.locator("#lesson-photos li")).to_have_count(1)
    expect(page.locator("#drop")).to_be_hidden()
    expect(page.locator("#start")).to_be_visible()


def test_a_model_without_a_background_is_compared_by_what_is_taught_and_drawn(page: Page, gateway: Gateway) -> None:
    gateway.describe, gateway.embed = described(embedding_background=None), embed
    page.reload()
    page.get_by_text("Teach it a thing").click()
    teach(page, NAME, colored(RED))
    teach(page, "blue mug", colored(BLUE))
    show(page, colored(RED))
    expect(page.locator("#current h2")).to_have_text(NAME)


LIKENESS = """async ([text, things, drawn, background, image]) => {
  const { likenesses, learn, unmeasured } = await import(`data:text/javascript;base64,${btoa(text)}`);
  return likenesses(learn(things, background ?? unmeasured(things, drawn)), image);
}"""


@pytest.mark.parametrize("measured", [True, False])
def test_the_page_computes_what_the_service_does(browser: Browser, *, measured: bool) -> None:
    random = np.random.default_rng(5)
    common = random.normal(size=32)
    things = [unit(common + random.normal(size=(count, 32))) for count in (1, 2, 5, 20)]
    drawn = unit(random.normal(size=(3, 32)))
    background = Background(unit(common) / 2, np.array([20.0, -9.5, 2.0]))
    if not measured:
        background = Background.without_photographs(np.array([each.mean(axis=0) for each in things]), drawn)
    examples = Examples.learned([*"abcd"], things, "embedding", background)
    source = (PACKAGE / "frontend" / "index" / "page" / "script" / "likeness.js").read_text("utf-8")
    page = browser.new_page()
    for image in [things[2][0], unit(things[3].mean(axis=0)), unit(random.normal(size=32)), unit(common)]:
        given = {"center": background.center.tolist(), "weights": background.weights.tolist()} if measured else None
        rows = [each.tolist() for each in things]
        found = page.evaluate(LIKENESS, [source, rows, drawn.tolist(), given, image.tolist()])
        assert found == pytest.approx(confidences(examples.log_odds_of(image)), rel=1e-9)
    page.context.close()


@pytest.mark.parametrize(
    "context_options",
    [SMALL | {"color_scheme": "light"}, PHONE | {"color_scheme": "dark"}, WIDE | {"color_scheme": "dark"}],
    ids=["375, light", "390, dark", "1920, dark"],
)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(teachable: Page) -> None:
    page = teachable
    teach(page, "Donaudampfschifffahrtsgesellschaft" * 4, *[colored(RED)] * 6)
    page.set_input_files("#lesson-files", [colored(BLUE)] * 3)
    expect(page.locator("#lesson-photos li")).to_have_count(3)
    page.evaluate("document.getAnimations().map((animation) => animation.cancel())")
    assert violations(page) == ""
    for direction in ("rtl", "ltr"):
        page.evaluate("(direction) => (document.documentElement.dir = direction)", direction)
        width, visible = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width <= visible
    show(page, colored(RED))
    page.evaluate("document.getAnimations().map((animation) => animation.cancel())")
    assert violations(page) == ""


def test_keyboard_alone(teachable: Page) -> None:
    page = teachable
    page.get_by_text("Teach it a thing").focus()
    page.keyboard.press("Tab")
    expect(page.locator("#lesson-files")).to_be_focused()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files([colored(RED), colored(RED)])
    expect(page.get_by_label("What is it called?")).to_be_focused()
    page.keyboard.type(NAME)
    page.keyboard.press("Enter")
    expect(page.locator("#lesson-note")).to_be_focused()
    expect(page.locator("#lesson-note")).to_have_text(f"Learned “{NAME}” from 2 photos.")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name=f"More photos of {NAME}")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # forgets the first photo
    expect(page.locator(".thing .tally")).to_have_text("1 photo")
    expect(page.get_by_role("button", name=f"Forget photo 1 of {NAME}")).to_be_focused()


def test_index_passes_embeddings_on(gateway: Gateway, index: str) -> None:
    bodies = []

    def keep(handler: Any) -> None:
        bodies.append((handler.body, handler.headers["Content-Type"]))
        behaviors.answer({"object": "list", "data": [{"index": 0, "embedding": [0.6, 0.8]}], "model": "m"})(handler)

    gateway.embed = keep
    body = b'{"input": "a cat"}'
    answer = requests.post(f"{index}?embeddings", data=body, headers={"Content-Type": "application/json"}, timeout=30)
    assert answer.json()["data"][0]["embedding"] == [0.6, 0.8]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert bodies == [(body, "application/json")]
    for document, status, code in [
        (behaviors.answer({"data": [{"embedding": "x"}]}), 502, "clip_bad_answer"),
        (behaviors.answer({"data": [{"embedding": ["x"]}], "model": "m"}), 502, "clip_bad_answer"),
        (behaviors.error("bad_parameter", 400), 400, "bad_parameter"),
        (behaviors.plain("", 401), 401, "unauthorized"),
    ]:
        gateway.embed = document
        answer = requests.post(f"{index}?embeddings", data=body, timeout=30)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert requests.post(f"{index}?embeddings", timeout=30).json()["error"]["code"] == "empty_body"


def test_the_bundled_model_learns_from_a_few_photos(
    context: BrowserContext, application: Running, tmp_path: Path
) -> None:
    page = context.new_page()
    page.goto(f"{application.url}/function/index")
    expect(page.locator("html[data-vocabulary]")).to_be_visible()
    page.get_by_text("Teach it a thing").click()
    for name, scene in {"our cat Chelsea": "chelsea.png", "my cup": "coffee.png"}.items():
        teach(page, name, *[file(f"{number}.jpg", view(scene, number)) for number in range(3)])
        show(page, file("another.jpg", view(scene, 9)))
        expect(page.locator("#current h2")).to_have_text(name)
        expect(page.locator("#current .eyebrow")).to_have_text("Taught by you")
    show(page, file("rocket.jpg", view("rocket.jpg", 9)))
    expect(page.locator("#current h2")).to_be_visible()
    expect(page.locator("#current .eyebrow")).to_be_hidden()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as a file").click()
    download.value.save_as(tmp_path / "things.json")
    assert [len(thing.photos) for thing in read_file(tmp_path / "things.json", MANIFEST)] == [3, 3]
