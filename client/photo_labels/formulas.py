"""Keeps spreadsheets from taking a cell of a table for a formula, as the page does in its ``summary.js``.

https://owasp.org/www-community/attacks/CSV_Injection: an apostrophe goes before what they take for the beginning of
one, also behind a separator that they may know instead of the comma.
"""

import re

_BEGINNING = "[=+\\-@\uff1d\uff0b\uff0d\uff20]"
_FIRST = re.compile(rf"^(?=[' ]*(?:{_BEGINNING}|[\t\r\n]))")
_LATER = re.compile(rf"([;\t\r\n])(?=[' ]*{_BEGINNING})")
_WAS_FIRST = re.compile(rf"^'(?=[' ]*(?:{_BEGINNING}|[\t\r\n]))")
_WAS_LATER = re.compile(rf"([;\t\r\n])'(?=[' ]*{_BEGINNING})")


def harmless(text: str) -> str:
    """The text with an apostrophe before each part of it that a spreadsheet would take for a formula."""
    return _FIRST.sub("'", _LATER.sub(r"\1'", text))


def original(text: str) -> str:
    """Undo ``harmless``."""
    return _WAS_LATER.sub(r"\1", _WAS_FIRST.sub("", text))
