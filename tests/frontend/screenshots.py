"""python -m tests.frontend.screenshots: pictures of the page in its states, from the running application."""

import sys
from io import BytesIO
from pathlib import Path

import skimage.data
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page

from tests.launch import local

from .chromium import NoBrowserError, launched
from .photos import encoded, file

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
DESK = {"width": 1120, "height": 780}
PHONE = {"width": 390, "height": 844}
COLORS = 256


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


def draw(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()


def finished(page: Page) -> None:
    page.locator("#current [aria-busy=false]").last.wait_for()


def key() -> Image.Image:
    """A picture of a key, for which the bundled model has no word."""
    image = Image.new("RGB", (1280, 960), "#2f4a57")
    pen = ImageDraw.Draw(image)
    pen.ellipse((180, 280, 580, 680), outline="#e7b23c", width=110)
    pen.rectangle((540, 430, 1120, 530), fill="#e7b23c")
    pen.rectangle((900, 500, 970, 650), fill="#e7b23c")
    pen.rectangle((1030, 500, 1100, 690), fill="#e7b23c")
    return image.resize((640, 480), Image.Resampling.LANCZOS)


def cat() -> bytes:
    """A photograph of a cat, which is none of the hundred; by Stefan van der Walt, public domain."""
    with Image.open(Path(str(skimage.data.__file__)).parent / "chelsea.png") as image:
        return encoded(image.convert("RGB"), quality=92)


def desk(browser: Browser, url: str) -> None:
    """Start, working, result, something else, not recognized and error, one after the other, on a screen."""
    page = opened(browser, url)
    take(page, "start")

    network = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 8_000, "downloadThroughput": -1, "uploadThroughput": -1}
    network.send("Network.emulateNetworkConditions", slow)
    draw(page, "bus")
    page.get_by_text("may be starting up").wait_for()
    take(page, "working")
    network.send("Network.emulateNetworkConditions", slow | {"latency": 0})
    finished(page)
    take(page, "result")

    page.set_input_files("#photo", file("cat.jpg", cat()))
    finished(page)
    take(page, "instead")

    page.set_input_files("#photo", file("key.jpg", encoded(key(), quality=92)))
    finished(page)
    take(page, "not-recognized")

    page.route("**/*", lambda route: route.fulfill(status=503))
    page.set_input_files("#photo", file("cat.jpg", cat()))
    finished(page)
    take(page, "error")


def phone(browser: Browser, url: str, scheme: str, name: str) -> None:
    """The start and a result as on a phone."""
    page = opened(
        browser, url, viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2, color_scheme=scheme
    )
    take(page, f"{name}-start")
    draw(page, "clock")
    finished(page)
    take(page, name)


def main() -> None:
    """Takes them all. The bundled model answers, so a drawing that it does not recognize is seen here, too."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with local() as application:
        url = f"{application.url}/function/index"
        # A browser for each kind of screen: pages of one browser can share its idea of what a finger can do.
        with launched() as browser:
            desk(browser, url)
        for scheme, name in (("light", "phone"), ("dark", "phone-dark")):
            with launched() as browser:
                phone(browser, url, scheme, name)


if __name__ == "__main__":
    try:
        main()
    except NoBrowserError as error:
        sys.exit(str(error))
