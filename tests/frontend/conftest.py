"""A real ``index`` behind a test gateway that can fail on demand, and a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.functions import serving
from tests.launch import wait_for

from .gateway import Gateway

# Of index's call to clip: room for its retries, and short enough to wait for.
CLIP_TIMEOUT = 4
PATIENCE = 15_000  # milliseconds, for a busy computer


@pytest.fixture(scope="session")
def running_gateway() -> Iterator[Gateway]:
    """The gateway, and behind it ``index`` as the template's own server runs it, in a process of its own."""
    gateway = Gateway()
    with (
        gateway.listening(),
        serving(
            "index",
            gateway_url=gateway.url,
            clip_timeout=f"{CLIP_TIMEOUT}s",
            # A proxy that leads nowhere: calls inside the cluster must not go there.
            http_proxy="http://127.0.0.1:9",
            no_proxy="",
        ) as program,
    ):
        gateway.index_url = program.url
        yield gateway


@pytest.fixture
def gateway(running_gateway: Gateway) -> Gateway:
    """The gateway in its initial state."""
    # The last test's page may have asked in the background. That would take what this test prepares.
    wait_for(lambda: not running_gateway.under_way, "requests of another test stay under way")
    running_gateway.forget()
    return running_gateway


@pytest.fixture
def index(gateway: Gateway) -> str:
    """The address of ``index`` behind the gateway."""
    return f"{gateway.url}/function/index"


@pytest.fixture
def context_options() -> dict[str, object]:
    """Options of the browser context; tests set others with ``parametrize``."""
    return {}


@pytest.fixture
def context(browser: Browser, context_options: dict[str, object]) -> Iterator[BrowserContext]:
    """A browser profile of the test's own."""
    context = browser.new_context(**context_options)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, index: str) -> Iterator[Page]:
    """The opened page. The test fails on an error in a script and on a violation of the Content-Security-Policy."""
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
    page.on(
        "console",
        lambda message: complaints.append(message.text) if "Failed to load resource" not in message.text else None,
    )
    page.goto(index)
    yield page
    assert not complaints
