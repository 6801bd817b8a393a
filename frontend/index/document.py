"""The HTML that is served: each document complete in itself, with a policy that lets nothing else run."""

import base64
import hashlib
import operator
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_PAGE = Path(__file__).parent / "page"


def _join(folder: str, *names: str) -> Markup:
    return Markup("\n".join((_PAGE / folder / name).read_text("utf-8") for name in names))  # noqa: S704 - our own files


_STYLE = _join("style", "base.css", "start.css", "labels.css", "card.css", "states.css")
# One module: its files share a scope and are read in this order.
_SCRIPT = _join("script", "words.js", "shrink.js", "send.js", "card.js", "labels.js", "queue.js", "intake.js")
_ERRORS = Markup((_PAGE / "errors.json").read_text("utf-8"))  # noqa: S704 - our own file
_ICON = base64.b64encode((_PAGE / "icon.svg").read_bytes()).decode()
# Drawn so that the bundled model recognizes them.
_PICTURES = ("orange", "bus", "clock")


def sure(confidence: float) -> str:
    """A probability, 0 to 1, for people: nothing is ever quite sure. As in `script/words.js`, like the next two."""
    return f"{min(99, round(confidence * 100))}%"


def opinion(confidence: float) -> str:
    """How sure a confidence lets one sound."""
    if confidence >= 0.9:
        return "I am sure: this is"
    return "This is likely" if confidence >= 0.7 else "It may be"


def known(labels: Sequence[str], otherwise: str) -> str:
    """What a recognizer's own labels are called; `otherwise` where it has not been heard."""
    count = "hundred" if len(labels) == 100 else f"{len(labels):,}"
    return f"The {count} words I know best" if labels else otherwise


def guesses(answer: Mapping[str, Any], least: float = 0.01) -> list[dict[str, Any]]:
    """A row for each label of a recognized answer: the best with its confidence, the others in proportion."""
    predictions, confidence = answer["predictions"], answer["confidence"]
    rows = [
        {"label": one["label"], "share": confidence * one["score"] / predictions[0]["score"]} for one in predictions
    ]
    return rows[:1] + [row for row in rows[1:] if row["share"] >= least]


_environment = Environment(
    loader=FileSystemLoader(_PAGE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_environment.filters.update(sure=sure, opinion=opinion, known=known, guesses=guesses, combined=operator.or_)
_environment.globals.update(style=_STYLE, script=_SCRIPT, errors=_ERRORS, icon=_ICON, pictures=_PICTURES)


def _hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            f"style-src {_hash(_STYLE)}",
            f"script-src {_hash(_SCRIPT)}",
            "require-trusted-types-for 'script'",
            "img-src data: blob:",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def render(template: str, **values: object) -> bytes:
    """One of the documents in `page/`, UTF-8; every value is escaped."""
    return _environment.get_template(template).render(**values).encode()
