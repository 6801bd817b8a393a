"""The page in other engines than Chromium's: WebKit, and Firefox, by WebDriver. Without these browsers it is skipped.

On Debian: ``apt install webkit2gtk-driver xvfb`` for WebKit; Firefox and geckodriver for Firefox.
"""

import os
import shutil
import subprocess
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver

from tests.launch import wait_for

from . import gateway as behaviors
from .gateway import Gateway, prediction
from .photos import camera_photo, photo

PATIENCE = 30  # seconds, for a busy computer
EXPLANATION = {"label": "apple", "grid": [[0, 0, 0], [0, 0, 1], [0, 0, 0]], "area": [0, 0, 1, 1]}
# The red less the blue of the map, a third of its height from above and below: on the left and on the right.
GLOW = """const map = document.querySelector("#current canvas");
  const row = map.getContext("2d").getImageData(0, map.height / 2, map.width, 1).data;
  return [0.1, 0.83].map((x) => 4 * Math.floor(x * map.width)).map((at) => row[at] - row[at + 2]);"""


@contextmanager
def display() -> Iterator[str]:
    """A screen that nobody sees."""
    screen = shutil.which("Xvfb")
    if not screen:
        pytest.skip("There is no screen: apt install xvfb")
    reading, writing = os.pipe()
    with subprocess.Popen([screen, "-displayfd", str(writing), "-nolisten", "tcp"], pass_fds=[writing]) as process:
        os.close(writing)
        with os.fdopen(reading) as number:
            name = number.readline().strip()
        try:
            yield f":{name}"
        finally:
            process.terminate()


@contextmanager
def webkit() -> Iterator[WebDriver]:
    driver = shutil.which("WebKitWebDriver")
    [program, *_] = [*Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"), None]
    if not driver or not program:
        pytest.skip("There is no WebKit: apt install webkit2gtk-driver")
    options = webdriver.WebKitGTKOptions()
    options.binary_location = str(program)
    options.add_argument("--automation")
    with display() as screen:
        environment = {**os.environ, "DISPLAY": screen, "GDK_BACKEND": "x11"}
        service = webdriver.WebKitGTKService(driver, env=environment)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Selenium warns of its own call
            browser = webdriver.WebKitGTK(options=options, service=service)
        try:
            yield browser
        finally:
            browser.quit()


@contextmanager
def firefox() -> Iterator[WebDriver]:
    driver, program = shutil.which("geckodriver"), shutil.which("firefox") or shutil.which("firefox-esr")
    if not driver or not program:
        pytest.skip("There is no Firefox, or no geckodriver")
    options = webdriver.FirefoxOptions()
    options.binary_location = program
    options.add_argument("-headless")
    browser = webdriver.Firefox(options=options, service=webdriver.FirefoxService(driver))
    try:
        yield browser
    finally:
        browser.quit()


@pytest.fixture(scope="module", params=[webkit, firefox], ids=["WebKit", "Firefox"])
def driver(request: pytest.FixtureRequest) -> Iterator[WebDriver]:
    with request.param() as driver:
        driver.set_page_load_timeout(PATIENCE)
        driver.set_script_timeout(PATIENCE)
        yield driver


@pytest.fixture
def page(driver: WebDriver, gateway: Gateway, index: str) -> WebDriver:
    driver.get(index)
    until(driver, lambda: bool(all_of(driver, "html[data-vocabulary]")))
    return driver


def until(driver: WebDriver, condition: Callable[[], bool]) -> None:
    wait_for(condition, lambda: f"never came: {driver.execute_script('return document.body.innerText')}", PATIENCE)


def all_of(driver: WebDriver, selector: str) -> list[Any]:
    return driver.find_elements(By.CSS_SELECTOR, selector)


def choose(page: WebDriver, folder: Path, *photos: bytes) -> None:
    paths = [folder / f"{number}.jpg" for number in range(len(photos))]
    for path, data in zip(paths, photos, strict=True):
        path.write_bytes(data)
    page.find_element(By.ID, "photo").send_keys("\n".join(map(str, paths)))


def says(page: WebDriver, selector: str, text: str) -> None:
    """Waits until what is seen there has this text."""
    until(page, lambda: any(text in one.get_property("textContent") for one in all_of(page, selector)))


def test_a_photo_and_where_it_looked(page: WebDriver, gateway: Gateway, tmp_path: Path) -> None:
    choose(page, tmp_path, camera_photo(orientation=6))
    says(page, "#current [data-state=done] h2", "an apple")
    assert page.title == "an apple, 93% sure · What is in your photo?"
    assert len(gateway.seen[0].body) < 300_000
    assert page.execute_script(
        "const [{ naturalWidth, naturalHeight }] = document.images; return naturalWidth < naturalHeight"
    )
    gateway.clip.append(behaviors.answer(prediction() | {"explanation": EXPLANATION}))
    page.find_element(By.CSS_SELECTOR, "#current .heat").click()
    says(page, "#current .legend", "Bright is what counted for “apple”.")
    left, right = page.execute_script(GLOW)
    assert right > 60 > abs(left)


def test_a_question(page: WebDriver, gateway: Gateway, tmp_path: Path) -> None:
    choose(page, tmp_path, photo())
    says(page, "#current [data-state=done] h2", "an apple")
    gateway.clip.append(behaviors.answer(prediction(["dog"], confidence=0.96)))
    page.find_element(By.CSS_SELECTOR, "#current .ask input").send_keys("a dog", Keys.ENTER)
    says(page, "#current .asked", "Yes")
    assert ("labels", "dog") in gateway.seen[-1].query
    # Not by the driver: WebKit's leaves out what came without a gesture, such as a file that is handed over.
    page.execute_script("history.back()")
    until(page, lambda: page.find_element(By.ID, "start").is_displayed())
    page.execute_script("history.forward()")
    says(page, "#current h2", "an apple")


def test_a_wall_that_is_kept(page: WebDriver, gateway: Gateway, tmp_path: Path) -> None:
    choose(page, tmp_path, *(photo(60 + number, 50) for number in range(5)))
    says(page, "#count", "5 recognized, 0 not")
    assert len(all_of(page, ".tile[data-state=done]")) == 5
    asked = len(gateway.seen)
    page.refresh()
    says(page, "#count", "5 recognized, 0 not")
    until(page, lambda: sum(one.is_displayed() for one in all_of(page, ".tile img")) == 5)
    assert len(gateway.seen) == asked
    all_of(page, ".tile button")[0].click()
    says(page, "#current h2", "an apple")
