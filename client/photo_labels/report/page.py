"""The HTML of a report. Names of files and words of a service are data in it, whatever is in them."""

import base64
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import PurePosixPath

from ..terminal import printable
from .thumbnails import Thumbnail

BEGINNING = (
    '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<meta name="generator" content="photo-labels">\n'
)
"""By this a file is known to be a report."""


@dataclass(frozen=True)
class Photo:
    """A photo in the report.

    Attributes:
        file: its path in the folder.
        address: of the photo, as a link from the report.
        confidence: the probability that its word is right; None where the service does not say.
        times: what a video shows, as text; "" for a photo.
        picture: reads its thumbnail; None for none.
    """

    file: str
    address: str
    confidence: float | None
    times: str
    picture: Callable[[], Thumbnail] | None


@dataclass(frozen=True)
class Group:
    """The photos with a word; None for those without one."""

    word: str | None
    photos: Sequence[Photo]


@dataclass(frozen=True)
class Failure:
    file: str
    message: str


def page(
    folder: str, model: str, language: str, groups: Sequence[Group], failures: Sequence[Failure]
) -> Iterator[bytes]:
    """The parts of the document in turn: only one thumbnail is in memory.

    Args:
        language: of the words, as a BCP 47 tag.
    """
    style, script = (files(__package__).joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    # What stands in the file itself may run and show, and nothing may be asked of any network.
    policy = (
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    count = sum(len(group.photos) for group in groups) + len(failures)
    title = escape(printable(f"Photos in {PurePosixPath(folder).name or folder}"))
    yield (
        f'{BEGINNING}<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{title}</title>\n<style>{style}</style>\n"
        f"<header>\n<h1>{title}</h1>\n<p>{_number(count)} in {escape(printable(folder))}, by the model "
        f"{escape(printable(model))}</p>\n</header>\n<main>\n"
        '<div class="filter" role="search" hidden><label>Filter <input id="filter" type="search" autocomplete="off" '
        'placeholder="a word or a file"></label><span id="shown" role="status"></span></div>\n'
    ).encode()
    tongue = f'lang="{escape(language)}" dir="auto"'
    yield b'<nav aria-label="Words"><ul class="words">\n'
    for number, group in enumerate(groups):
        yield f'<li><a href="#g{number}" {tongue if group.word else ""}>{_name(group)}</a></li>\n'.encode()
    yield b"</ul></nav>\n"
    for number, group in enumerate(groups):
        yield (
            f'<section id="g{number}">\n<h2><span {tongue if group.word else ""}>{_name(group)}</span> '
            f'<small>{len(group.photos):,}</small></h2>\n<ul class="photos">\n'
        ).encode()
        for photo in group.photos:
            yield _photo(photo, group.word or "not recognized").encode()
        yield b"</ul>\n</section>\n"
    if failures:
        yield b'<section id="failed">\n<h2>No answer'
        yield f' <small>{len(failures):,}</small></h2>\n<ul class="failed">\n'.encode()
        for failure in failures:
            name, message = (escape(printable(text)) for text in (failure.file, failure.message))
            yield f'<li data-text="{name}"><b>{name}</b> {message}</li>\n'.encode()
        yield b"</ul>\n</section>\n"
    yield f"</main>\n<script>{script}</script>\n</html>\n".encode()


def _photo(photo: Photo, word: str) -> str:
    path = escape(printable(photo.file))
    name = escape(printable(PurePosixPath(photo.file).name))
    picture = photo.picture() if photo.picture else None
    shown = "no picture"
    if picture:
        size = f'width="{picture.width}" height="{picture.height}"'
        shown = f'<img src="{picture.uri}" alt="{name}" {size} loading="lazy" decoding="async">'
    sure = "" if photo.confidence is None else f'<span class="sure">{photo.confidence:.0%}</span>'
    times = f"<p>{escape(printable(photo.times))}</p>" if photo.times else ""
    text = escape(printable(f"{word} {photo.file} {photo.times}"))
    return (
        f'<li data-text="{text}"><a href="{escape(photo.address)}" title="{path}">{shown}</a>'
        f'<div><span class="name">{name}</span>{sure}</div>{times}</li>\n'
    )


def _name(group: Group) -> str:
    return "Not recognized" if group.word is None else escape(printable(group.word))


def _number(count: int) -> str:
    return f"{count:,} {'photo' if count == 1 else 'photos'}"


def _hash(text: str) -> str:
    """What a policy says of a script or a style that it allows (CSP, 8.3)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
