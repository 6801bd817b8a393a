"""What the server itself answers where a request fails before or in the handler."""

import json
from typing import NamedTuple


class Problem(NamedTuple):
    """An answer that is an error."""

    status: int
    code: str
    message: str
    """One or two sentences for the caller, with ``{limit}`` for the largest body in bytes."""
    retry_after: int | None = None
    """Seconds after which the same request may succeed."""

    def body(self, limit: int = 0) -> bytes:
        """The form of every error, as JSON."""
        return json.dumps({"error": {"code": self.code, "message": self.message.format(limit=limit)}}).encode()


REFUSALS = {
    problem.status: problem
    for problem in (
        Problem(400, "bad_request", "This is not a valid HTTP request."),
        Problem(408, "request_timeout", "The request arrived too slowly."),
        Problem(413, "body_too_large", "The request body is larger than {limit:,} bytes."),
        Problem(431, "headers_too_large", "The request headers are too large."),
        Problem(501, "not_implemented", "This transfer encoding is not supported."),
        Problem(503, "busy", "The function is busy with other requests. Try again in a few seconds.", 2),
    )
}
"""By status: what is wrong with a request that is refused while it is read, or because its time is over."""
CALLER_GONE = Problem(503, "busy", "The caller has gone.")
STARTING = Problem(503, "not_ready", "The function is still starting. Try again in a few seconds.", 2)
CANNOT_START = Problem(503, "not_ready", "The function could not start.")
INTERNAL = Problem(500, "internal", "The function failed. Its log says why, under this call id.")
