"""For everyone: axe-core in every state, the keyboard alone, every size, both directions, less motion, every prefix."""

import threading
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Error, Page, expect

from tests.launch import wait_for

from . import gateway as behaviors
from .axe import violations
from .gateway import DESCRIPTION, LABELS, Gateway, prediction
from .photos import file, photo

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SMALL_PHONE = {"viewport": {"width": 375, "height": 553}, "has_touch": True, "is_mobile": True}
NARROW = {"viewport": {"width": 320, "height": 640}}
ZOOMED = {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2}
CINEMA = {"viewport": {"width": 3840, "height": 2160}}
LIGHT, DARK = {"color_scheme": "light"}, {"color_scheme": "dark"}

UNKNOWN = [{"label": "flamnigo", "near": ["flamingo"]}]

# What is beside the window, unless it is in a row that is pushed sideways.
OUTSIDE = """() => [...document.querySelectorAll("main :is(p, h2, li, button, label, pre, img)")]
  .filter((element) => element.checkVisibility())
  .filter((element) => {
    do element = element.parentElement;
    while (element && getComputedStyle(element).overflowX !== "auto");
    return !element;
  })
  .filter((element) => {
    const { left, right } = element.getBoundingClientRect();
    return left < -1 || right > innerWidth + 1;
  })
  .map((element) => element.outerHTML.slice(0, 80))"""


def through_all_states(page: Page, gateway: Gateway, look: Callable[[str], None]) -> None:
    """Brings the page into each of its states, and looks at it there."""
    gateway.describe = behaviors.answer(DESCRIPTION | {"vocabulary": "open"})
    page.reload()
    expect(page.locator("html[data-vocabulary]")).to_be_visible()
    look("start")
    if page.get_by_role("button", name="Use the camera").is_visible():
        page.context.grant_permissions(["camera"])
        page.get_by_role("button", name="Use the camera").click()
        expect(page.get_by_role("button", name="Take the photo")).to_be_focused()
        look("camera")
        page.get_by_role("button", name="Cancel").click()
    if not page.get_by_label("Words of your own").is_visible():  # on a phone they are folded
        page.get_by_text("What shall I look for?").click()
    page.get_by_label("Words of your own").check()
    page.get_by_role("button", name="pets").click()
    page.get_by_text("Advanced").click()
    look("own words")
    page.get_by_label("Everything I know").check()

    ready = threading.Event()
    tags = [{"label": "chair", "confidence": 0.7, "path": []}]
    # Held by the gateway in index's place, which does not wait as long as it takes to look.
    tagged = prediction(confidence=0.8) | {"tags": tags}
    gateway.index.append(behaviors.until(ready, behaviors.answer_of_index(tagged)))
    page.set_input_files("#photo", file("a-rather-long-name-" * 8 + ".jpg"))
    expect(page.locator("[data-state=looking]")).to_be_visible()
    look("looking")
    ready.set()
    expect(page.locator("[data-state=done]")).to_be_visible()
    look("result")
    page.get_by_text("Details").click()
    expect(page.locator("#current .five li").first).to_be_visible()
    look("result with its details")
    gateway.clip.append(behaviors.answer(prediction(["cat", "dog"]) | {"unknown": UNKNOWN}))
    page.get_by_label("Is it …?").fill("cat, dog, flamnigo")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Take flamingo")).to_be_visible()
    look("a question, and a word that is not known")
    page.get_by_role("button", name="Ask about a part").click()
    look("choosing a part")
    page.keyboard.press("Escape")
    explanation = {"label": "apple", "grid": [[0, 1], [0.5, 0]], "area": [0, 0, 1, 1]}
    gateway.clip.append(behaviors.answer(prediction() | {"explanation": explanation}))
    page.get_by_role("button", name="Where it looked").click()
    expect(page.locator("#current canvas")).to_be_visible()
    look("heat map")
    gateway.clip.append(behaviors.answer(prediction() | {"explanation": explanation | {"area": [0.2, 0, 0.8, 1]}}))
    page.locator("#current .also button").click()
    expect(page.locator("#current .also button")).to_have_attribute("aria-pressed", "true")
    look("heat map of a guess")

    gateway.clip.append(behaviors.answer(prediction(["donaudampfschifffahrtsgesellschaft" * 2, "b"], confidence=0.2)))
    page.set_input_files("#photo", file())
    expect(page.locator("[data-state=unsure]")).to_be_visible()
    look("not recognized, and history")
    gateway.clip.append(behaviors.answer(prediction(["donaudampfschifffahrtsgesellschaft" * 2, "b"])))
    page.set_input_files("#photo", file())
    expect(page.locator("#current [data-state=done]")).to_be_visible()
    look("a long word")

    gateway.clip.append(behaviors.error("corrupt_image", 422))
    page.set_input_files("#photo", file())
    expect(page.locator("[data-state=failed]")).to_be_visible()
    look("error")

    waiting = threading.Event()
    gateway.index.extend([behaviors.until(waiting, behaviors.error("internal", 500))] * 3)
    page.set_input_files("#photo", [file(), file("second.heic", b"not for browsers"), file()])
    expect(page.locator("[data-state=looking]")).to_have_count(3)
    wait_for(lambda: not gateway.index, "not three at a time")
    look("a few on their way")
    page.locator("#current").get_by_role("button", name="Cancel").last.click()
    waiting.set()
    expect(page.locator("#count")).to_have_text("0 recognized, 0 not, 3 failed")
    look("a few done")

    page.set_input_files("#photo", [file(f"{number}.jpg") for number in range(5)])
    expect(page.locator("#count")).to_have_text("5 recognized, 0 not")
    look("many")
    page.locator(".tile button").first.click()
    expect(page.locator("#current h2")).to_have_text("an apple")
    page.get_by_role("button", name="Clear").click()
    look("many, one of them opened, and a notice")


@pytest.mark.parametrize("context_options", [LIGHT, DARK, PHONE | DARK], ids=["light", "dark", "phone, dark"])
def test_axe_finds_nothing(page: Page, gateway: Gateway) -> None:
    def look(state: str) -> None:
        page.evaluate("document.getAnimations().map((animation) => animation.cancel())")
        assert violations(page) == "", state

    through_all_states(page, gateway, look)


@pytest.mark.parametrize("context_options", [NARROW, PHONE, ZOOMED, CINEMA], ids=["320", "phone", "zoom 200%", "4K"])
def test_nothing_is_wider_than_the_window(page: Page, gateway: Gateway) -> None:
    def look(state: str) -> None:
        for direction in ("rtl", "ltr"):
            page.evaluate("(direction) => (document.documentElement.dir = direction)", direction)
            width, visible = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            assert width <= visible, (state, direction)
            assert page.evaluate(OUTSIDE) == [], (state, direction)

    through_all_states(page, gateway, look)


@pytest.mark.parametrize("context_options", [CINEMA])
def test_type_grows_with_the_screen(page: Page) -> None:
    assert page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)") > 20


def test_bars_grow_from_the_side_one_reads_from(page: Page) -> None:
    page.evaluate("document.documentElement.dir = 'rtl'")
    page.set_input_files("#photo", file())
    expect(page.locator("[data-state=done]")).to_be_visible()
    page.wait_for_function("() => document.getAnimations().every(({ playState }) => playState === 'finished')")
    track, level = page.locator(".track").nth(1).bounding_box(), page.locator(".level").nth(1).bounding_box()
    assert track
    assert level
    assert level["x"] + level["width"] == pytest.approx(track["x"] + track["width"], abs=1)


@pytest.mark.parametrize("context_options", [{"reduced_motion": "reduce"}])
def test_nothing_moves_for_those_who_ask_for_that(page: Page, gateway: Gateway) -> None:
    def look(state: str) -> None:
        assert page.evaluate("document.getAnimations().length") == 0, state

    through_all_states(page, gateway, look)


@pytest.mark.parametrize("context_options", [LIGHT, DARK], ids=["light", "dark"])
def test_looks_as_the_system_does(page: Page, context_options: dict[str, object]) -> None:
    color = page.evaluate("getComputedStyle(document.body).backgroundColor")
    brightness = sum(map(int, color.removeprefix("rgb(").removesuffix(")").split(",")))
    assert (brightness < 150) == (context_options == DARK)


def test_keyboard_alone(context: BrowserContext, page: Page, gateway: Gateway) -> None:
    def tab_to(name: str, limit: int = 12) -> None:
        for _ in range(limit):
            page.keyboard.press("Tab")
            if name in page.evaluate("(document.activeElement.labels?.[0] ?? document.activeElement).textContent"):
                assert page.evaluate("document.activeElement.matches(':focus-visible')")
                return
        pytest.fail(f"the keyboard does not reach {name}")

    # The browser learns while the next lines run that a test answers its dialog: a key sent right away could be first.
    with page.expect_file_chooser() as chooser:
        tab_to("Choose a photo", limit=1)
        outline = page.locator("label[for=photo]").evaluate("(label) => getComputedStyle(label).outlineStyle")
        assert outline == "solid"
        page.keyboard.press("Space")
    gateway.clip.append(behaviors.error("internal", 500))
    chooser.value.set_files(file())
    expect(page.locator("[data-state=failed]")).to_be_visible()
    expect(page.locator("#current h2")).to_be_focused()
    tab_to("Try again", limit=1)
    page.keyboard.press("Enter")
    expect(page.locator("[data-state=done]")).to_be_visible()
    expect(page.locator("#current h2")).to_be_focused()
    tab_to("Where it looked", limit=1)
    tab_to("Ask about a part", limit=1)
    tab_to("Is it …?", limit=1)
    tab_to("Ask", limit=1)
    tab_to("Details", limit=1)
    page.keyboard.press("Enter")
    expect(page.locator("#current .five li").first).to_be_visible()
    tab_to("apple", limit=1)  # the guesses
    tab_to("predictions")
    tab_to("Copy curl line", limit=1)
    tab_to("Remove", limit=2)
    tab_to("What shall I look for?", limit=1)
    tab_to("Everything I know", limit=1)  # the radio buttons
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("11 everyday things")).to_be_checked()
    expect(page.locator("[data-state=done]")).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Words to choose from")).to_be_focused()
    page.keyboard.type("cat,dog")
    page.keyboard.press("Enter")
    expect(page.locator("#chips li")).to_have_count(2)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")  # takes the dog out again
    expect(page.locator("#chips li")).to_have_count(1)
    expect(page.get_by_label("Words to choose from")).to_be_focused()
    page.go_back()
    expect(page.locator("#photo")).to_be_focused()
    tab_to("umbrella")
    page.keyboard.press("Enter")
    expect(page.locator("[data-state=done]")).to_have_count(2)
    tab_to("Show", limit=20)
    page.keyboard.press("Enter")
    expect(page.locator("#current h2")).to_be_focused()
    tab_to("Clear", limit=20)
    page.keyboard.press("Enter")
    expect(page.locator("#another")).to_be_focused()
    tab_to("Undo", limit=20)
    page.keyboard.press("Enter")
    expect(page.locator("#past h2")).to_be_focused()


@pytest.mark.parametrize("context_options", [SMALL_PHONE, PHONE, ZOOMED], ids=["375x553", "390x844", "zoom 200%"])
@pytest.mark.parametrize("size", [(400, 900), (900, 400)], ids=["tall", "wide"])
def test_the_answer_is_on_the_screen(page: Page, gateway: Gateway, size: tuple[int, int]) -> None:
    best = {"label": LABELS[0], "score": 0.5}
    ranked = [best, *({"label": label, "score": 0.1} for label in LABELS[1:5])]
    gateway.clip.append(behaviors.answer(prediction(confidence=0.6) | {"predictions": ranked}))
    page.set_input_files("#photo", file(data=photo(*size)))
    expect(page.locator("[data-state=done]")).to_be_visible()
    expect(page.locator("#current .near li")).to_have_count(4)
    height = page.evaluate("innerHeight")
    boxes = page.locator("#current :is(.eyebrow, .best, .note, .main, .near li)").evaluate_all(
        "(elements) => elements.map((element) => element.getBoundingClientRect().toJSON())"
    )
    boxes = [box for box in boxes if box["height"]]  # there is no line above the word
    assert len(boxes) == 7
    assert all(0 <= box["top"] < box["bottom"] <= height for box in boxes), boxes
    shown = page.locator("#current .frame").bounding_box()
    assert shown
    assert shown["height"] <= 0.4 * height


@pytest.mark.parametrize("context_options", [NARROW, SMALL_PHONE, LIGHT], ids=["320", "375", "desk"])
@pytest.mark.parametrize("count", [1, 3])
def test_a_known_word_is_not_broken(page: Page, gateway: Gateway, count: int) -> None:
    for word in ("kitchenware", "hippopotamus", "rhinoceros beetle"):
        gateway.clip.extend([behaviors.answer(prediction([word]))] * count)
        page.set_input_files("#photo", [file(f"{number}.jpg") for number in range(count)])
        expect(page.locator("#current [data-state=done]")).to_have_count(count)
        lines = page.locator("#current h2").first.evaluate(
            """(heading, word) => {
              const [range, text] = [document.createRange(), heading.firstChild];
              range.setStart(text, text.data.indexOf(word));
              range.setEnd(text, text.data.indexOf(word) + word.length);
              return range.getClientRects().length;
            }""",
            word.split()[0],
        )
        assert lines == 1, word


def test_progress_is_heard(page: Page, gateway: Gateway) -> None:
    page.evaluate(
        """() => {
          window.heard = [];
          const status = document.querySelector("[role=status]");
          new MutationObserver(() => heard.push(status.textContent)).observe(status, { childList: true });
        }"""
    )
    page.set_input_files("#photo", file())
    expect(page.locator("[data-state=done]")).to_be_visible()
    assert page.evaluate("heard") == ["Looking at holiday.jpg", "holiday.jpg: an apple, 93% sure"]


@pytest.mark.parametrize(
    "path", ["/function/index", "/function/index/", "/tools/deep/index", "/index/", "/function/index?from=mail#top"]
)
def test_works_behind_any_prefix(context: BrowserContext, gateway: Gateway, path: str) -> None:
    page = context.new_page()
    asked: list[tuple[str, str]] = []
    page.on("request", lambda request: asked.append((request.method, request.url.split("#")[0])))
    page.goto(gateway.url + path)
    expect(page.locator("html[data-vocabulary]")).to_be_visible()
    page.locator(".example").first.click()
    expect(page.locator("[data-state=done]")).to_be_visible()
    here = gateway.url + path.split("?")[0]
    asked = [(method, url) for method, url in asked if not url.startswith(("blob:", "data:"))]
    assert asked == [
        ("GET", gateway.url + path.split("#")[0]),
        ("GET", f"{here}?describe"),
        ("POST", f"{here}?vocabulary=all&tags=1&verdict=1"),
    ]


def test_the_policy_stops_what_is_not_ours(context: BrowserContext, index: str) -> None:
    page = context.new_page()
    page.goto(index)
    with pytest.raises(Error, match="TrustedHTML"):
        page.evaluate("document.body.innerHTML = '<b>markup</b>'")
    with pytest.raises(Error, match="TrustedScript"):
        page.evaluate("document.body.setAttribute('onclick', 'alert(1)')")
    with pytest.raises(Error, match="Failed to fetch"):
        page.evaluate("fetch('http://127.0.0.1:9/')")


def test_no_other_site_can_frame_it(context: BrowserContext, index: str) -> None:
    page = context.new_page()
    page.set_content(f'<iframe src="{index}"></iframe>')
    page.wait_for_load_state("networkidle")
    assert page.frames[1].url.startswith("chrome-error:")
