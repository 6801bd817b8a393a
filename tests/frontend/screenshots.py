"""python -m tests.frontend.screenshots [FOLDER]: pictures of the page from the running application.

Without a folder: those of the documents. With one: all states of the page there, in all sizes, light and dark.
"""

import sys
from collections.abc import Iterator
from io import BytesIO
from itertools import product
from pathlib import Path

import skimage.data
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, sync_playwright

from tests.launch import local

from .chromium import NoBrowserError, launched
from .photos import encoded, file

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
DESK = {"width": 1120, "height": 780}
PHONE = {"width": 390, "height": 844}
SIZES = [(375, 667), (390, 844), (768, 1024), (1280, 800), (1920, 1080)]
TABLET = 1000  # pixels of width up to which a screen is held in hands
COLORS = 256
NAMES = {"chelsea": "cat", "coffee": "coffee", "rocket": "rocket", "coins": "coins"}


def take(page: Page, name: str, folder: Path = FOLDER) -> None:
    """Saves what is seen, once all has come to rest, as a small PNG."""
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur()")
    page.wait_for_timeout(1_000)
    image = Image.open(BytesIO(page.screenshot()))
    image.convert("RGB").quantize(COLORS, dither=Image.Dither.NONE).save(folder / f"{name}.png", optimize=True)


def opened(browser: Browser, url: str, **options: object) -> Page:
    page = browser.new_context(**({"viewport": DESK} | options)).new_page()  # type: ignore[arg-type]
    page.goto(url)
    page.wait_for_selector("html[data-vocabulary]")
    return page


def shown(page: Page, *files: FilePayload) -> None:
    """Has the photos looked at, and waits for their answers."""
    page.set_input_files("#photo", list(files))
    page.locator(":is(#current .card, .tile):is([data-state=done], [data-state=unsure])").nth(len(files) - 1).wait_for()


def photograph(name: str) -> FilePayload:
    """One of scikit-image's photographs, which are free to use: the cat is by Stefan van der Walt, the coffee by Rachel
    Michetti, the rocket by SpaceX, the coins by the Brooklyn Museum.
    """
    [path] = (Path(str(skimage.data.__file__)).parent).glob(f"{name}.*")
    with Image.open(path) as image:
        return file(f"{NAMES[name]}.jpg", encoded(image.convert("RGB"), quality=92))


def drawings(page: Page) -> list[FilePayload]:
    """The page's own drawings, as files."""
    return [
        file(f"drawing {place}.png", one.screenshot())
        for place, one in enumerate(page.locator(".example svg").all(), 1)
    ]


def desk(browser: Browser, url: str) -> None:
    """On a screen: a result, words of one's own, where the recognizer looked, many photos."""
    page = opened(browser, url)
    many = [*map(photograph, NAMES), *drawings(page)]
    shown(page, photograph("coffee"))
    take(page, "result")

    page = opened(browser, f"{url}?labels=cat,dog,fox,rabbit")
    shown(page, photograph("chelsea"))
    take(page, "words")
    page.get_by_role("button", name="Where it looked").click()
    page.locator("#current canvas").wait_for()
    take(page, "looked")

    page = opened(browser, url)
    shown(page, *many)
    take(page, "many")


def phone(browser: Browser, url: str) -> None:
    """On a phone, light and dark: a result and the start."""
    options = {"viewport": PHONE, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
    page = opened(browser, url, **options)
    shown(page, photograph("chelsea"))
    take(page, "phone")
    take(opened(browser, url, **options, color_scheme="dark"), "phone-dark")


def states(page: Page) -> Iterator[str]:
    """Brings the page into one state after the other, and says its name."""
    yield "start"
    page.locator("#drop").evaluate("(sheet) => (sheet.hidden = false)")
    yield "drop"
    page.locator("#drop").evaluate("(sheet) => (sheet.hidden = true)")
    page.evaluate("document.getElementById('words').open = true")
    page.get_by_label("Only some of these words").check()
    page.get_by_label("Words to choose from").fill("cat, dog, flamnigo,")
    page.get_by_role("button", name="Add", exact=True).click()
    yield "words"
    shown(page, photograph("chelsea"))
    yield "unknown word"
    page.get_by_label("Everything I know").check()
    page.locator("#current .also, #current [data-state=done]").first.wait_for()
    shown(page, photograph("coffee"))
    yield "result"
    page.locator("#current .ask input").fill("a cup, a flamnigo")
    page.keyboard.press("Enter")
    page.locator("#current .asked button").first.wait_for()
    yield "question"
    page.locator("#current .heat").click()
    page.locator("#current canvas").wait_for()
    yield "heat"
    page.locator("#current .part").click()
    yield "part"
    page.locator("#current .whole").click()
    page.locator("#current").get_by_text("Details").click()
    page.locator("#current .five li").first.wait_for()
    yield "details"
    page.locator("#current .remove").click()
    page.locator("#notice").wait_for()
    yield "notice"
    page.set_input_files("#photo", file("notes.txt", b"not a photo"))
    page.locator("#current [data-state=failed]").wait_for()
    yield "failed"
    shown(page, *map(photograph, NAMES), *map(photograph, NAMES))
    yield "wall"
    page.get_by_role("button", name="Rows", exact=True).click()
    yield "wall as rows"
    page.locator(".tile button").first.click()
    page.locator("#large").wait_for()
    yield "large"
    page.get_by_role("link", name="About this recognizer").click()
    yield "about"


def everywhere(browser: Browser, url: str, folder: Path) -> None:
    """All states in all sizes, light and dark."""
    folder.mkdir(parents=True, exist_ok=True)
    for size, theme in product(SIZES, ("light", "dark")):
        width, height = size
        hand_held = {"has_touch": True, "is_mobile": True} if width < TABLET else {}
        viewport = {"width": width, "height": height}
        page = opened(browser, url, viewport=viewport, color_scheme=theme, **hand_held)
        for name in states(page):
            take(page, f"{name} {width} {theme}", folder)
        page.context.close()


def main(folder: Path | None) -> None:
    """Takes them all. What the bundled model answers is what is seen."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with local() as application, sync_playwright() as playwright:
        url = f"{application.url}/function/index"
        if folder:
            with launched(playwright) as browser:
                everywhere(browser, url, folder)
            return
        # A browser for each kind of screen: pages of one browser can share its idea of what a finger can do.
        for take_all in (desk, phone):
            with launched(playwright) as browser:
                take_all(browser, url)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    except NoBrowserError as error:
        sys.exit(str(error))
