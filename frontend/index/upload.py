"""What a caller sent, as it goes on to `clip`: a picture, and the parameters that go with it."""

from dataclasses import dataclass

from .errors import Failure
from .interface import Event
from .multipart import is_form, parts_of

ANY_BYTES = "application/octet-stream"
# A form's fields travel on in the query, and no gateway takes one much longer than this.
_MAX_FIELD_BYTES = 1 << 16


@dataclass(frozen=True)
class Upload:
    """The body for clip (a view where it is a part of what came), its Content-Type and the query parameters; `name` is
    the picture's file name, "" where it came without one.
    """

    body: bytes | memoryview
    content_type: str
    parameters: list[tuple[str, str]]
    name: str = ""


def read_upload(event: Event) -> Upload:
    """Takes the picture out of the request: the raw body, or the file of a multipart form.

    The form's fields become query parameters, except those that a person has left empty. All other forms, without a
    file or with several, damaged or with very long fields, go on as they came: clip says what is wrong.

    Raises `Failure` `empty_body`.
    """
    if not event.body:
        raise Failure("empty_body", "The request has no photo in its body.")
    content_type = event.headers.get("Content-Type", "").strip() or ANY_BYTES
    parameters = list(event.query.items(multi=True))
    as_it_came = Upload(event.body, content_type, parameters)
    if not is_form(content_type):
        return as_it_came
    try:
        parts = parts_of(event.body, content_type)
    except ValueError:
        return as_it_came
    files = [part for part in parts if part.filename is not None and part.content]
    fields = [part for part in parts if part.filename is None]
    if len(files) != 1 or sum(len(field.content) for field in fields) > _MAX_FIELD_BYTES:
        return as_it_came
    filled_in = [(field.name, field.text()) for field in fields if field.text().strip()]
    return Upload(files[0].content, ANY_BYTES, parameters + filled_in, files[0].filename or "")
