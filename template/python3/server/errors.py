"""What the server itself answers where a request fails before or in the handler."""

import json
from typing import NamedTuple

from .headers import MAX_HEAD_BYTES, MAX_HEADER_BYTES, MAX_HEADERS_BYTES

# The same request may succeed after so many seconds.
_SOON = (("Retry-After", "2"),)


class Problem(NamedTuple):
    """An answer that is an error."""

    status: int
    code: str
    message: str
    """One or two sentences for the caller, with ``{limit}`` for the largest body in bytes."""
    headers: tuple[tuple[str, str], ...] = ()
    """Headers of the answer, names and values."""

    def body(self, limit: int = 0) -> bytes:
        """The form of every error, as JSON."""
        return json.dumps({"error": {"code": self.code, "message": self.message.format(limit=limit)}}).encode()


REFUSALS = {
    problem.status: problem
    for problem in (
        Problem(400, "bad_request", "This is not a valid HTTP request."),
        Problem(408, "request_timeout", "The request arrived too slowly."),
        Problem(413, "body_too_large", "The request body is larger than {limit:,} bytes."),
        Problem(
            415,
            "unsupported_encoding",
            "The body is compressed, as its Content-Encoding says. Send it as it is, without that header.",
            (("Accept-Encoding", "identity"),),
        ),
        Problem(
            431,
            "headers_too_large",
            f"The headers are too long: {MAX_HEADER_BYTES:,} bytes are accepted in one, {MAX_HEADERS_BYTES:,} in all, "
            f"and {MAX_HEAD_BYTES:,} with the query; send many labels as fields of a form.",
        ),
        Problem(501, "not_implemented", "This transfer encoding is not supported."),
        Problem(503, "busy", "The function is busy with other requests. Try again in a few seconds.", _SOON),
    )
}
"""By status: what is wrong with a request that is refused while it is read, or because its time is over."""
CALLER_GONE = Problem(503, "busy", "The caller has gone.")
STARTING = Problem(503, "not_ready", "The function is still starting. Try again in a few seconds.", _SOON)
CANNOT_START = Problem(503, "not_ready", "The function could not start.")
INTERNAL = Problem(500, "internal", "The function failed. Its log says why, under this call id.")
