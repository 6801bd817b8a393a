"""The browser that the page is tested in."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Error, Playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A camera that shows a pattern, and may be used.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
# The same engine without windows, tabs and menus takes less than half of the processor time.
NAMES = ("chromium-headless-shell", "chromium", "google-chrome", "google-chrome-stable", "chromium-browser")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


class NoBrowserError(Exception):
    """There is no browser to test with."""


def executable(playwright: Playwright) -> str:
    """The path of the browser. Raises ``NoBrowserError`` where there is none."""
    found = (os.environ.get("CHROMIUM"), *map(shutil.which, NAMES), str(MAC), playwright.chromium.executable_path)
    for path in found:
        if path and Path(path).exists():
            return path
    raise NoBrowserError(
        "The page is tested in a real browser, and none is here. Install Chromium or Chrome (apt install chromium), "
        "run `playwright install chromium`, or set CHROMIUM to a browser's path."
    )


@contextmanager
def launched(playwright: Playwright) -> Iterator[Browser]:
    """A headless browser. Raises ``NoBrowserError``, with what to do, where there is none that starts."""
    path = executable(playwright)
    try:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
    except Error as error:
        raise NoBrowserError(f"{path} does not start: {error}") from error
    try:
        yield browser
    finally:
        browser.close()
