"""Bounds on a request's start line and headers, held before anything parses them.

Parsers of headers, such as waitress's and werkzeug's, are regular expressions. Some take a time that grows with the
square of a value's length, in one call that nothing interrupts. What this module lets through is read in milliseconds.
"""

import re
from collections import Counter

MAX_HEADER_BYTES = 1024
"""The longest value of a header, all headers of this name together."""
MAX_LONG_HEADER_BYTES = 8192
"""The same for a header that nothing here parses: it is ignored, or compared or searched as it is."""
MAX_HEADERS_BYTES = 16384
"""All headers together, their names included. The start line, with path and query, is not one of them."""
MAX_HEAD_BYTES = 262144
"""The start line and the headers."""

_LONG = frozenset((b"AUTHORIZATION", b"COOKIE", b"REFERER", b"USER-AGENT", b"BAGGAGE", b"TRACESTATE"))
# Proxies and callers give headers of their own such names.
_LONG_PREFIX = b"X-"
# Of a line that does not fit this, waitress's own expression tries every split.
_START_LINE = re.compile(rb"\S+ \S+(?: HTTP/[0-9]\.[0-9])?")
_FOLD = re.compile(rb"\r\n[ \t]+")
_WHITE_SPACE = b" \t"


def bounded(head: bytes) -> tuple[bytes, bool]:
    """The start line and the headers of a request, as far as they are within the bounds.

    Args:
        head: the request up to the empty line that ends its headers.

    Returns:
        The same without the headers that are over a bound, each in one line and without white space around its value;
        and whether all were within the bounds.

    Raises:
        ValueError: the start line is not that of an HTTP request.
    """
    start, _, fields = head.partition(b"\r\n")
    if not _START_LINE.fullmatch(start.rstrip()):
        raise ValueError("the start line is not that of an HTTP request")
    kept, sizes, total, all_fit = [start], Counter[bytes](), 0, True
    for line in _FOLD.sub(b" ", fields).split(b"\r\n"):
        name, colon, value = line.partition(b":")
        value = value.strip(_WHITE_SPACE)
        key = name.upper()
        most = MAX_LONG_HEADER_BYTES if key in _LONG or key.startswith(_LONG_PREFIX) else MAX_HEADER_BYTES
        sizes[key] += len(value)
        total += len(line)
        if sizes[key] <= most and total <= MAX_HEADERS_BYTES:
            kept.append(name + colon + value)
        else:
            all_fit = False
    return b"\r\n".join(kept), all_fit
