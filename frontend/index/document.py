"""The HTML that is served: each document complete in itself, with a policy that lets nothing else run."""

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

PAGE = Path(__file__).parent / "page"


def _join(folder: str, *names: str) -> Markup:
    return Markup("\n".join((PAGE / folder / name).read_text("utf-8") for name in names))  # noqa: S704 - our own files


STYLE = _join("style", "base.css", "start.css", "labels.css", "card.css", "states.css")
# One module: its files share a scope and are read in this order.
SCRIPT = _join("script", "words.js", "shrink.js", "send.js", "card.js", "labels.js", "queue.js", "intake.js")
ERRORS = Markup((PAGE / "errors.json").read_text("utf-8"))  # noqa: S704 - our own file
ICON = base64.b64encode((PAGE / "icon.svg").read_bytes()).decode()
# Drawn so that the bundled model recognizes them.
PICTURES = ("orange", "bus", "clock")


def percent(score: float) -> str:
    """A score from 0 to 1 for people: nothing is ever quite impossible or quite sure. As in `script/words.js`."""
    if 0 < score < 0.001:
        return "< 0.1%"
    if 0.999 < score < 1:
        return "> 99.9%"
    return f"{score:.1%}"


_environment = Environment(
    loader=FileSystemLoader(PAGE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_environment.filters["percent"] = percent
_environment.globals.update(style=STYLE, script=SCRIPT, errors=ERRORS, icon=ICON, pictures=PICTURES)


def _hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            f"style-src {_hash(STYLE)}",
            f"script-src {_hash(SCRIPT)}",
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
