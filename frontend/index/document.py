"""The HTML that is served. A document loads nothing else, and its Content-Security-Policy lets nothing else run."""

import base64
import hashlib
import json
import operator
import re
from pathlib import Path

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup
from rcssmin import cssmin
from rjsmin import jsmin

from .errors import CATALOG
from .modules import join
from .texts import LANGUAGES, Texts

_PAGE = Path(__file__).parent / "page"


def _read(folder: str, kind: str, names: str) -> str:
    return "\n".join((_PAGE / folder / f"{name}.{kind}").read_text("utf-8") for name in names.split())


def _encoded(name: str) -> str:
    return base64.b64encode((_PAGE / name).read_bytes()).decode()


# In this order.
_STYLE = cssmin(_read("style", "css", "tokens base start words card states earlier wall teach"))
_SCRIPT = jsmin(join(_PAGE / "script", "intake"))
_WORKER = jsmin(join(_PAGE / "script", "worker"))
# Of the files that the recognizer reads, as a browser knows not all of them for pictures.
ENDINGS = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".avifs",
    ".heic", ".heics", ".heif", ".heifs", ".hif", ".3fr", ".arw", ".cr2", ".cr3", ".dng", ".erf", ".nef", ".nrw",
    ".orf", ".pef", ".raf", ".rw2", ".rwl", ".sr2", ".srw",
)  # fmt: skip
# Drawings that the bundled model recognizes.
_PICTURES = ("umbrella", "school bus", "clock")


def _template(name: str) -> str:
    """A file of the folder, without indentation."""
    return re.sub(r"^ +", "", (_PAGE / name).read_text("utf-8"), flags=re.MULTILINE)


_environment = Environment(
    loader=FunctionLoader(_template), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_environment.filters.update(combined=operator.or_)
_environment.globals.update(
    style=Markup(_STYLE),  # noqa: S704 - this and the next two are our own files
    script=Markup(_SCRIPT),  # noqa: S704
    worker=Markup(_WORKER),  # noqa: S704
    icon=_encoded("icon.svg"),
    pictures=_PICTURES,
    endings=",".join(ENDINGS),
    languages=LANGUAGES,
)


def _hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            f"style-src {_hash(_STYLE)}",
            f"script-src {_hash(_SCRIPT)}",
            "worker-src blob:",  # the thread of script/worker.js, whose text stands in the document
            "require-trusted-types-for 'script'",
            "img-src 'self' data: blob:",
            "manifest-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def render(template: str, texts: Texts, **values: object) -> bytes:
    """Render a document of ``page/`` in UTF-8, in one language. All values are escaped."""
    language = {"texts": texts, "say": texts.say, "script_texts": _for_script(texts)}
    return _environment.get_template(template).render(**language, **values).encode()


def _for_script(texts: Texts) -> dict[str, Markup]:
    """The documents that the script reads."""
    errors = {code: [entry["status"], int(entry["retry"]), texts.errors[code]] for code, entry in CATALOG.items()}
    return {name: _json(value) for name, value in (("errors", errors), ("texts", texts.script))}


def _json(document: object) -> Markup:
    compact = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return Markup(compact.replace("<", "\\u003c"))  # noqa: S704 - our own texts
