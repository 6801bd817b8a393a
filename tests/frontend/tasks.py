"""How long the page's thread was busy without a pause."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page

# The tasks of main threads, and hardly anything else: all that threads tell each other would be many times as much.
_CATEGORIES = ["-*", "disabled-by-default-devtools.timeline"]
_TASK = "RunTask"


@contextmanager
def measured(browser: Browser, page: Page) -> Iterator[list[float]]:
    """Measures the tasks of the page's thread while the block runs; then the list has their milliseconds.

    It is the processor's time that is measured. A PerformanceObserver's "longtask" counts the time on the clock, also
    that in which other programs had the processor: that is the computer's, not the page's.
    """
    tasks: list[float] = []
    browser.start_tracing(page=page, categories=_CATEGORIES)
    try:
        yield tasks
    finally:
        events: list[dict[str, Any]] = json.loads(browser.stop_tracing())["traceEvents"]
    threads = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    tasks.extend(
        event["tdur"] / 1000
        for event in events
        if event["name"] == _TASK and "tdur" in event and (event["pid"], event["tid"]) in threads
    )
    assert tasks, "the browser has measured nothing"
