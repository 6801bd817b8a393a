"""axe-core: what keeps people with disabilities from using a page."""

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page

OPTIONS = {
    # A rule of WCAG 2.2 AA that axe-core leaves out unless it is asked for.
    "rules": {"target-size": {"enabled": True}},
    # Of the rules that are kept, one element each is enough to know that they were checked.
    "resultTypes": ["violations"],
}


def violations(page: Page) -> str:
    """A report of every rule that the page breaks as it is now, "" where it breaks none."""
    results = Axe().run(page, options=OPTIONS)
    assert results.response["passes"], "axe-core has checked nothing"
    return str(results.generate_report()) if results.violations_count else ""
