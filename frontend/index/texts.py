"""What the page says to people: a file for each language in ``page/texts``, named by its tag.

Placeholders are ICU's: ``{name}``, and ``{count, plural, =0 {none} one {# photo} other {# photos}}``, in which ``#`` is
the number. The script reads them alike, in ``page/script/texts.js``.
"""

import json
import re
from pathlib import Path

from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

ENGLISH = "en"
_FOLDER = Path(__file__).parent / "page" / "texts"
_FORM = re.compile(r"([\w=]+) \{((?:[^{}]|\{\w+\})*)\}")
_PLURAL = re.compile(rf"\{{(\w+), plural, ((?:{_FORM.pattern} ?)+)\}}")
_PLACE = re.compile(r"\{(\w+)\}")
_THOUSANDS = re.compile(r"\B(?=(?:\d{3})+$)")
# Letters of scripts that run from right to left.
_FROM_RIGHT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")
_TRADITIONAL = {"hant", "tw", "hk", "mo"}


class Texts:
    """All that is said in one language."""

    def __init__(self, code: str) -> None:
        """``code``: one of the files."""
        told = json.loads((_FOLDER / f"{code}.json").read_text("utf-8"))
        self.code = code
        self.name: str = told["language"]["name"]
        """Of the language, in the language."""
        self.script: dict[str, str] = told["script"] | told["both"]
        """What the script says."""
        self.errors: dict[str, str] = told["errors"]
        """The words for each code of ``page/errors.json``."""
        self.warnings: dict[str, str] = told["warnings"]
        """What is said for each code in clip's ``warnings``."""
        self._said_here: dict[str, str] = told["page"] | told["both"]
        self._one: list[int] = told["language"]["one"]
        self._separator: str = told["language"]["separator"]
        self._separated_from: int = told["language"]["separated-from"]

    def say(self, key: str, **values: str | int) -> str:
        """A text with its placeholders filled in; whole numbers get separators.

        Raises:
            KeyError: there is no such text, or it needs a value that is not given.
        """
        text = _PLURAL.sub(lambda found: self._chosen(found, values), self._said_here[key])
        return _PLACE.sub(lambda found: self._shown(values[found[1]]), text)

    def percent(self, share: float) -> str:
        """A probability, 0 to 1, as a percentage of at most 99: nothing is certain."""
        whole = round(share * 100)
        return self.say("percent", number=min(99, whole)) if whole or not share else self.say("less-than-a-percent")

    def _chosen(self, plural: re.Match[str], values: dict[str, str | int]) -> str:
        count = values[plural[1]]
        forms = dict(_FORM.findall(plural[2]))
        form = forms.get(f"={count}") or forms["one" if count in self._one and "one" in forms else "other"]
        return str(form).replace("#", self._shown(count))

    def _shown(self, value: str | int) -> str:
        if isinstance(value, int):
            return _THOUSANDS.sub(self._separator, str(value)) if value >= self._separated_from else str(value)
        # What runs the other way keeps its place in the sentence.
        return f"\u2068{value}\u2069" if _FROM_RIGHT.search(value) and "\u2068" not in value else value


LANGUAGES = {path.stem: Texts(path.stem) for path in sorted(_FOLDER.glob("*.json"))}
"""By their tags, which are BCP 47's."""


def match(tag: str) -> str:
    """A BCP 47 tag without what makes no difference here: ``pt`` for ``pt-BR``, ``zh-Hant`` for ``zh-TW``."""
    language, *others = tag.strip().lower().replace("_", "-").split("-")
    if language == "zh":
        return "zh-Hant" if _TRADITIONAL & set(others) and "hans" not in others else "zh-Hans"
    return language


def texts_for(*tags: str, accepted: str = "") -> Texts:
    """The texts in the first language of these that there is; English where there is none.

    Args:
        tags: what was chosen, the last choice first; "" where nothing was.
        accepted: an Accept-Language header, or "".
    """
    liked = [tag for tag, quality in parse_accept_header(accepted, LanguageAccept) if quality]
    return LANGUAGES[next((code for tag in (*tags, *liked) if (code := match(tag)) in LANGUAGES), ENGLISH)]
