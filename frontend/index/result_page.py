"""The answer as a page, for browsers that post the form without JavaScript."""

import base64
import json

from .document import HEADERS, render
from .errors import words_for
from .interface import Response
from .upload import Upload
from .verdict import verdict

# Shown again only where that is cheap: such a photo travels back inside the page.
_MAX_SHOWN_BYTES = 1 << 20
_SIGNATURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png", b"GIF8": "image/gif"}


def result_page(answer: Response, upload: Upload | None, path: str) -> Response:
    """Clip's answer, or a `Failure`'s, to a request for `path`, as HTML with the same status and headers."""
    document = json.loads(answer["body"])
    if "predictions" not in document and "error" not in document:
        return answer  # several photos' labels, or Hugging Face's form: no browser's form asks for these
    error = document.get("error")
    body = render(
        "result.html",
        name=upload.name if upload else "",
        photo=_photo_url(upload.body) if upload else None,
        answer=document,
        verdict=None if error else verdict(document, upload.parameters if upload else ()),
        # Relative, as the prefix is the gateway's business; at "/" it may end with a slash or not.
        start="?" if path == "/" else "./" + "../" * (path.count("/") - 1),
        problem=words_for(error.get("code", ""), answer["statusCode"]) if error else None,
    )
    return {**answer, "headers": answer["headers"] | HEADERS, "body": body}


def _photo_url(image: bytes | memoryview) -> str | None:
    """The photo as a data URL, if it is small and by its first bytes of a kind that every browser shows."""
    kind = next((kind for signature, kind in _SIGNATURES.items() if image[: len(signature)] == signature), None)
    if kind is None or len(image) > _MAX_SHOWN_BYTES:
        return None
    return f"data:{kind};base64,{base64.b64encode(image).decode()}"
