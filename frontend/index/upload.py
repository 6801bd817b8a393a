"""What a caller sent: a picture's bytes, and the parameters that go with it."""

from dataclasses import dataclass
from io import BytesIO

from werkzeug.exceptions import HTTPException
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from .clip import Parameters
from .errors import Failure
from .interface import Event

PARAMETERS = ("top_k", "labels", "template")
# The fields travel on in a query, and no gateway takes one much longer than this.
MAX_FIELD_BYTES = 1 << 16
MAX_PARTS = 100


@dataclass(frozen=True)
class Upload:
    """One picture as it was sent, its file name ("" where it came without one), and clip's query parameters."""

    image: bytes
    name: str
    parameters: Parameters


def read_upload(event: Event) -> Upload:
    """Takes the picture out of the request: the raw body, or the first file of a multipart form.

    A form's fields named like clip's parameters are parameters too, unless they are empty.
    Raises `Failure` `empty_body` or `bad_form`.
    """
    parameters = [(key, value) for key, value in event.query.items(multi=True) if key in PARAMETERS]
    mimetype, options = parse_options_header(event.headers.get("Content-Type"))
    if mimetype != "multipart/form-data":
        upload = Upload(event.body, "", parameters)
    else:
        upload = _read_form(event.body, options, parameters)
    if not upload.image:
        raise Failure("empty_body", "the request holds no picture")
    return upload


def _read_form(body: bytes, options: dict[str, str], parameters: Parameters) -> Upload:
    # Bytes stay in memory: werkzeug would spool a large file to disk, and nothing of a photo is to be stored.
    parser = FormDataParser(
        stream_factory=lambda *_, **__: BytesIO(),
        max_form_memory_size=MAX_FIELD_BYTES,
        max_form_parts=MAX_PARTS,
        silent=False,
    )
    try:
        _, form, files = parser.parse(BytesIO(body), "multipart/form-data", len(body), options)
    except (ValueError, HTTPException) as error:
        raise Failure("bad_form", f"the multipart form cannot be read: {error}") from error
    fields = [(key, value) for key, value in form.items(multi=True) if key in PARAMETERS and value.strip()]
    file = next(iter(files.values()), None)
    return Upload(file.read() if file else b"", (file and file.filename) or "", parameters + fields)
