"""The page itself: made once, sent compressed where it can be, and not sent again to who has it."""

import gzip
import hashlib
from http import HTTPStatus

from werkzeug.http import parse_etags, parse_set_header, quote_etag

from .document import HEADERS, render
from .interface import Answer, Event

PAGE = render("index.html")
COMPRESSED = gzip.compress(PAGE, mtime=0)
TAG = hashlib.sha256(PAGE).hexdigest()[:16]


def start_page(event: Event) -> Answer:
    """The page, or 304 where the caller's copy is still the same."""
    headers = HEADERS | {
        "ETag": quote_etag(TAG, weak=True),  # weak: it stands for the page, compressed or not
        "Cache-Control": "no-cache",
        "Vary": "Accept-Encoding",
    }
    if parse_etags(event.headers.get("If-None-Match")).contains_weak(TAG):
        return {"statusCode": HTTPStatus.NOT_MODIFIED, "headers": headers, "body": b""}
    if "gzip" in parse_set_header(event.headers.get("Accept-Encoding")):
        return {"statusCode": HTTPStatus.OK, "headers": headers | {"Content-Encoding": "gzip"}, "body": COMPRESSED}
    return {"statusCode": HTTPStatus.OK, "headers": headers, "body": PAGE}
