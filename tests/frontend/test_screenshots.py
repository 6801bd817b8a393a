"""The pictures of the page: each is shown somewhere, and each that is shown is there."""

import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def test_each_is_used() -> None:
    texts = [path.read_text("utf-8") for path in (PROJECT / "README.md", *(PROJECT / "docs").glob("*.md"))]
    used = {name for text in texts for name in re.findall(r"screenshots/([\w-]+\.png)", text)}
    assert used == {path.name for path in (PROJECT / "docs" / "screenshots").iterdir()}
