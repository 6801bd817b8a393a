"""What a caller has sent, as it is passed on to ``clip``: a photo and its parameters."""

from dataclasses import dataclass, replace

from server.interface import Event
from server.multipart import is_form, parts_of

from .errors import Failure

ANY_BYTES = "application/octet-stream"
# The parameter by which the page asks for words.
_VERDICT = "verdict"
# A form's fields are passed on in the query, and no gateway takes a query that is much longer than this.
_MAX_FIELD_BYTES = 1 << 16
_START = 64


@dataclass(frozen=True)
class Upload:
    """A request to clip."""

    body: bytes | memoryview
    """A view where it is a part of the caller's body."""
    content_type: str
    parameters: list[tuple[str, str]]
    """For the query."""
    name: str = ""
    """The photo's file name, or ""."""
    verdict: bool = False
    """Whether the answer should have a verdict, which is not clip's to give."""
    languages: str = ""
    """The caller's Accept-Language, or ""."""


def is_json(body: bytes) -> bool:
    """Whether it is a request in Hugging Face's form, by its first bytes, as clip knows it by them."""
    return body[:_START].removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"


def read_upload(event: Event) -> Upload:
    """Take the photo out of a request: the body itself, or the file of a multipart form.

    The form's fields become query parameters, except those that a person has left empty. All other forms, with no file
    or several, damaged or with very long fields, are passed on unchanged, so that clip answers what is wrong.

    Raises:
        Failure: ``empty_body``.
    """
    if not event.body:
        raise Failure("empty_body", "The request has no photo in its body.")
    content_type = event.headers.get("Content-Type", "").strip() or ANY_BYTES
    parameters = [(name, value) for name, value in event.query.items(multi=True) if name != _VERDICT]
    asks_verdict, languages = event.query.get(_VERDICT) == "1", event.headers.get("Accept-Language", "")
    unchanged = Upload(event.body, content_type, parameters, verdict=asks_verdict, languages=languages)
    if not is_form(content_type):
        return unchanged
    try:
        parts = parts_of(event.body, content_type)
    except ValueError:
        return unchanged
    files = [part for part in parts if part.filename is not None and part.content]
    fields = [part for part in parts if part.filename is None]
    if len(files) != 1 or sum(len(field.content) for field in fields) > _MAX_FIELD_BYTES:
        return unchanged
    filled_in = [(field.name, field.text()) for field in fields if field.text().strip()]
    return replace(
        unchanged,
        body=files[0].content,
        content_type=ANY_BYTES,
        parameters=parameters + filled_in,
        name=files[0].filename or "",
    )
