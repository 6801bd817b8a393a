"""What the page says to people, in one place: ``page/texts/en.json``; an error's words are in ``page/errors.json``.

Placeholders are ICU's: ``{name}``, and ``{count, plural, =0 {none} one {# photo} other {# photos}}``, in which ``#`` is
the number. The script reads them alike, in ``page/script/texts.js``.
"""

import json
import re
from pathlib import Path

_FILE = Path(__file__).parent / "page" / "texts" / "en.json"
_TEXTS: dict[str, dict[str, str]] = json.loads(_FILE.read_text("utf-8"))
_SAID_HERE = _TEXTS["page"] | _TEXTS["both"]
SCRIPT = _TEXTS["script"] | _TEXTS["both"]
"""What the script says."""
_FORM = re.compile(r"([\w=]+) \{((?:[^{}]|\{\w+\})*)\}")
_PLURAL = re.compile(rf"\{{(\w+), plural, ((?:{_FORM.pattern} ?)+)\}}")
_PLACE = re.compile(r"\{(\w+)\}")


def say(key: str, **values: str | int) -> str:
    """A text with its placeholders filled in; whole numbers get separators.

    Raises:
        KeyError: there is no such text, or it needs a value that is not given.
    """
    text = _PLURAL.sub(lambda found: _chosen(found, values), _SAID_HERE[key])
    return _PLACE.sub(lambda found: _shown(values[found[1]]), text)


def _chosen(plural: re.Match[str], values: dict[str, str | int]) -> str:
    count = values[plural[1]]
    forms = dict(_FORM.findall(plural[2]))
    form = forms.get(f"={count}") or forms["one" if count == 1 and "one" in forms else "other"]
    return str(form).replace("#", _shown(count))


def _shown(value: str | int) -> str:
    return f"{value:,}" if isinstance(value, int) else value
