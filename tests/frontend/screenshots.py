"""python -m tests.frontend.screenshots: pictures of the page in its states, from the running application."""

import sys
from io import BytesIO
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
COLORS = 256
NAMES = {"chelsea": "cat", "coffee": "coffee", "rocket": "rocket", "coins": "coins"}


def take(page: Page, name: str) -> None:
    """Saves what is seen, once all has come to rest, as a small PNG."""
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur()")
    page.wait_for_timeout(1_000)
    image = Image.open(BytesIO(page.screenshot()))
    image.convert("RGB").quantize(COLORS, dither=Image.Dither.NONE).save(FOLDER / f"{name}.png", optimize=True)


def opened(browser: Browser, url: str, **options: object) -> Page:
    page = browser.new_context(**({"viewport": DESK} | options)).new_page()  # type: ignore[arg-type]
    page.goto(url)
    page.wait_for_selector("html[data-vocabulary]")
    return page


def shown(page: Page, *files: FilePayload) -> None:
    """Has the photos looked at, and waits for their answers."""
    page.set_input_files("#photo", list(files))
    page.locator("#current :is([data-state=done], [data-state=unsure])").nth(len(files) - 1).wait_for()


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
    page = opened(browser, f"{url}?vocabulary=everyday")
    many = [*map(photograph, NAMES), *drawings(page)]
    shown(page, photograph("coffee"))
    take(page, "result")

    page = opened(browser, f"{url}?labels=cat,dog,fox,rabbit")
    shown(page, photograph("chelsea"))
    take(page, "words")
    page.get_by_role("button", name="Where it looked").click()
    page.locator("#current canvas").wait_for()
    take(page, "looked")

    page = opened(browser, f"{url}?vocabulary=everyday")
    shown(page, *many)
    take(page, "many")


def phone(browser: Browser, url: str) -> None:
    """On a phone, light and dark: a result and the start."""
    options = {"viewport": PHONE, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
    page = opened(browser, f"{url}?vocabulary=everyday", **options)
    shown(page, photograph("chelsea"))
    take(page, "phone")
    take(opened(browser, url, **options, color_scheme="dark"), "phone-dark")


def main() -> None:
    """Takes them all. What the bundled model answers is what is seen."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with local() as application, sync_playwright() as playwright:
        # A browser for each kind of screen: pages of one browser can share its idea of what a finger can do.
        for take_all in (desk, phone):
            with launched(playwright) as browser:
                take_all(browser, f"{application.url}/function/index")


if __name__ == "__main__":
    try:
        main()
    except NoBrowserError as error:
        sys.exit(str(error))
