"""The page: rendered once for each description of clip, compressed, and not sent again to a browser that has it."""

import gzip
import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urlencode

from werkzeug.http import parse_etags, parse_set_header, quote_etag

from server.interface import Context, Event, Response

from .document import HEADERS, render
from .errors import Failure
from .languages import VARY, Chosen, remember
from .texts import ENGLISH, LANGUAGES
from .verdict import Known

# In seconds: how long the page waits for clip's description, how long a description is used, and how long after a
# failure clip is not asked again.
TIMEOUT = 1.0
MAX_AGE = 60.0
RETRY_DELAY = 10.0

# Of a model: the share, in percent, of wrong ones among its answers with a confidence of 0.9 or more, on the two parts
# of photographs that docs/answers.md tells of.
MEASURED = {"lite2-clip-208/cifar100": {"low": 2, "high": 3}}


class Page(NamedTuple):
    html: bytes
    compressed: bytes
    tag: str


class Choice(NamedTuple):
    """What a link to the page asks the recognizer to choose from: the values of these parameters."""

    labels: str = ""
    template: str = ""
    vocabulary: str = ""


@lru_cache(maxsize=4 * len(LANGUAGES))
def page(
    template: str,
    about: str | None,
    choice: Choice = Choice(),  # noqa: B008 - it cannot be changed
    seen: Chosen = Chosen(LANGUAGES[ENGLISH], ENGLISH),  # noqa: B008
) -> Page:
    """A document for a recognizer with this description, in JSON; None if it is not known yet."""
    known = json.loads(about) if about else None
    measured = MEASURED.get(known["model"]) if known else None
    address = urlencode(_address(template, choice))
    html = render(template, seen.texts, about=known, choice=choice, seen=seen, measured=measured, address=address)
    return Page(html, gzip.compress(html, mtime=0), hashlib.sha256(html).hexdigest()[:16])


def _address(template: str, choice: Choice) -> dict[str, str]:
    """The query of the address that the page has, without the language."""
    name = template.removesuffix(".html")
    return {name: ""} if name != "index" else {name: value for name, value in choice._asdict().items() if value}


class Description:
    """Clip's description of itself, which is asked for again from time to time."""

    def __init__(
        self, describe: Callable[[Context, str, str], Response], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._describe = describe
        self._clock = clock
        self._about: dict[str, str] = {}  # by language
        self.known = Known()
        """What clip knows."""
        self._due: dict[str, float] = {}

    def fetch(self, context: Context, lang: str = "", languages: str = "") -> Response:
        """Ask clip. The answer may be an error, which is not kept.

        Args:
            context: that of the request.
            lang: the parameter of this name, or "".
            languages: the caller's Accept-Language, or "".

        Raises:
            Failure: clip gave no answer.
        """
        answer = self._describe(context, lang, languages)
        if answer["statusCode"] == HTTPStatus.OK:
            body = answer["body"]
            language = answer["headers"].get("Content-Language", ENGLISH)
            self._about[language] = body if isinstance(body, str) else body.decode()
            self._due[language] = self._clock() + MAX_AGE
            if language == ENGLISH:
                self.known = Known.of(json.loads(body))
        elif answer["statusCode"] != HTTPStatus.BAD_REQUEST:  # that of a lang which there is not
            self._due[ENGLISH] = self._clock() + RETRY_DELAY
        return answer

    def latest(self, context: Context, language: str = ENGLISH) -> str | None:
        """The last description, in JSON; None if there is none. Asking starts a clip that is scaled to zero.

        Args:
            context: that of the request.
            language: the tag of one that clip knows; in others the description is in English.
        """
        if self._clock() >= self._due.get(language, 0.0):
            self._due[language] = self._clock() + MAX_AGE  # so that requests at the same time do not ask as well
            try:
                soon = replace(context, deadline=min(context.deadline, self._clock() + TIMEOUT))
                self.fetch(soon, "", "" if language == ENGLISH else language)
            except Failure:
                self._due[language] = self._clock() + RETRY_DELAY
        return self._about.get(language, self._about.get(ENGLISH))


def start_page(event: Event, about: str | None, seen: Chosen) -> Response:
    """The page, with ``?words`` or ``?about`` one about clip; 304 if the caller's copy is still right."""
    other = next((name for name in ("words", "about") if name in event.query), None)
    if other:
        html, compressed, tag = page(f"{other}.html", about, seen=seen)
    else:
        choice = Choice(*(",".join(event.query.getlist(name)) for name in Choice._fields))
        html, compressed, tag = page("index.html", about, choice, seen)
    headers = HEADERS | {
        "ETag": quote_etag(tag, weak=True),  # weak: it stands for the page, compressed or not
        "Cache-Control": "no-cache",
        "Vary": f"Accept-Encoding, {VARY}",
        "Content-Language": seen.texts.code,
        **remember(event),
    }
    if parse_etags(event.headers.get("If-None-Match")).contains_weak(tag):
        return {"statusCode": HTTPStatus.NOT_MODIFIED, "headers": headers, "body": b""}
    if "gzip" in parse_set_header(event.headers.get("Accept-Encoding")):
        return {"statusCode": HTTPStatus.OK, "headers": headers | {"Content-Encoding": "gzip"}, "body": compressed}
    return {"statusCode": HTTPStatus.OK, "headers": headers, "body": html}
