"""In which language a page is, and its labels, which can be in more languages than the page's own texts."""

from collections.abc import Collection
from dataclasses import replace
from typing import NamedTuple

from werkzeug.http import dump_cookie, parse_cookie

from server.interface import Event

from .texts import ENGLISH, LANGUAGES, Texts, match, texts_for
from .upload import Upload

PARAMETER = "lang"
_COOKIE = "page-language"
_YEAR = 365 * 24 * 3600  # seconds
VARY = "Accept-Language, Cookie"
"""What the language of a page depends on, beside its address."""


class Chosen(NamedTuple):
    """What a visitor sees."""

    texts: Texts
    labels: str
    """The tag of the language that the labels are asked for in."""
    is_asked_for: bool = False
    """Whether the request names the language of the labels."""


def chosen(event: Event, known: Collection[str], lang: str = "") -> Chosen:
    """The languages of a page that answers the request: of the address, of the cookie, of the browser.

    Args:
        event: the request.
        known: the languages of clip's labels; English where these are not known.
        lang: the parameter, where it does not stand in the address.
    """
    asked = lang or event.query.get(PARAMETER, "")
    remembered = parse_cookie(event.headers.get("Cookie")).get(_COOKIE, "")
    texts = texts_for(asked, remembered, accepted=event.headers.get("Accept-Language", ""))
    is_asked_for = match(asked) in {*known, *LANGUAGES}
    labels = match(asked) if is_asked_for else texts.code
    return Chosen(texts, labels if not known or labels in known else ENGLISH, is_asked_for)


def remember(event: Event) -> dict[str, str]:
    """The header by which a browser remembers the language of the page that the address names, if it does."""
    code = match(event.query.get(PARAMETER, ""))
    if code not in LANGUAGES:
        return {}
    # Without a path, it is for the addresses beside this one: only the gateway knows the prefix.
    return {"Set-Cookie": dump_cookie(_COOKIE, code, max_age=_YEAR, path=None, httponly=True, samesite="Lax")}


def in_language(upload: Upload, seen: Chosen, known: Collection[str]) -> Upload:
    """The upload of a form, asking for labels in the language of the page where it does not name one."""
    if any(name == PARAMETER for name, _ in upload.parameters):
        return upload
    if seen.labels == ENGLISH or seen.labels not in known:
        return replace(upload, languages=seen.labels)
    return replace(upload, parameters=[*upload.parameters, (PARAMETER, seen.labels)])
