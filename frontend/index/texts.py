"""What the page says to people, in one place: ``page/texts/en.json``; an error's words are in ``page/errors.json``.

Placeholders are ICU's: ``{name}``, and ``{count, plural, one {# photo} other {# photos}}``, in which ``#`` is the number.
The script has the same in ``page/script/texts.js``.
"""

import json
import re
from pathlib import Path

_TEXTS: dict[str, dict[str, str]] = json.loads((Path(__file__).parent / "page" / "texts" / "en.json").read_text("utf-8"))
SCRIPT = _TEXTS["script"]
"""What the script says; the rest is said by this function."""
_PLURAL = re.compile(r"\{(\w+), plural, ((?:\w+ \{[^{}]*\} ?)+)\}")
_FORM = re.compile(r"(\w+) \{([^{}]*)\}")
_PLACE = re.compile(r"\{(\w+)\}")


def say(key: str, **values: str | int) -> str:
    """A text with its placeholders filled in; whole numbers get separators.

    Raises:
        KeyError: there is no such text, or it needs a value that is not given.
    """
    text = _PLURAL.sub(lambda found: _chosen(found, values), _TEXTS["page"][key])
    return _PLACE.sub(lambda found: _shown(values[found[1]]), text)


def _chosen(plural: re.Match[str], values: dict[str, str | int]) -> str:
    count = values[plural[1]]
    forms = dict(_FORM.findall(plural[2]))
    return str(forms["one" if count == 1 else "other"]).replace("#", _shown(count))


def _shown(value: str | int) -> str:
    return f"{value:,}" if isinstance(value, int) else value
