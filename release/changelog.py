"""Reads the changelog, and the version of the folder client (https://keepachangelog.com)."""

import re
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parent.parent
_HEADING = re.compile(r"^## \[(?P<version>[^\]]+)\](?: - (?P<date>\d{4}-\d{2}-\d{2}))?$", re.MULTILINE)


class ReleaseError(Exception):
    """This cannot be released; the message says why."""


def client_version() -> str:
    """The version of the folder client's package."""
    document = tomllib.loads((PROJECT / "client" / "pyproject.toml").read_text(encoding="utf-8"))
    return str(document["project"]["version"])


def notes(changelog: str, of: str) -> str:
    """The changelog's section about a version, without its heading.

    Raises:
        ReleaseError: there is no such section, it has no date, or nothing is in it.
    """
    headings = list(_HEADING.finditer(changelog))
    for heading, end in zip(headings, [*(each.start() for each in headings[1:]), len(changelog)], strict=True):
        if heading["version"] == of:
            text = changelog[heading.end() : end].strip()
            if not heading["date"] or not text:
                raise ReleaseError(f"CHANGELOG.md: the section {of} needs a date and at least one entry.")
            return text
    raise ReleaseError(f"CHANGELOG.md has no section {of}: rename [Unreleased] to [{of}] - YYYY-MM-DD.")
