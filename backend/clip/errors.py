"""Everything that can be wrong with a request, each with the HTTP status and the code that the caller sees."""

from collections.abc import Collection, Mapping
from types import MappingProxyType


class RequestError(Exception):
    """A request that cannot be answered. Its message is one sentence for the caller."""

    status = 400
    code = "bad_parameter"
    headers: Mapping[str, str] = MappingProxyType({})
    """What HTTP wants to be said along with the status."""


class BadParameter(RequestError):
    """A parameter that does not exist, or a value that makes no sense."""


class EmptyBody(RequestError):
    code = "empty_body"


class Unauthorized(RequestError):
    """The function wants its API key."""

    status = 401
    code = "unauthorized"
    headers = MappingProxyType({"WWW-Authenticate": "Bearer"})


class NotFound(RequestError):
    status = 404
    code = "not_found"


class MethodNotAllowed(RequestError):
    status = 405
    code = "method_not_allowed"

    def __init__(self, allowed: Collection[str]) -> None:
        """``allowed``: the methods of this path. What takes GET takes HEAD as well."""
        methods = ", ".join(sorted({*allowed} | ({"HEAD"} if "GET" in allowed else set())))
        super().__init__(f"This address takes {methods}.")
        self.headers = {"Allow": methods}


class BodyTooLarge(RequestError):
    status = 413
    code = "body_too_large"


class TooManyPixels(RequestError):
    status = 413
    code = "too_many_pixels"


class UnsupportedImage(RequestError):
    """Not an image, or an image of a format outside the list."""

    status = 415
    code = "unsupported_image"


class CorruptImage(RequestError):
    """Begins like an image of a known format, and cannot be decoded."""

    status = 422
    code = "corrupt_image"


class ClosedVocabulary(RequestError):
    """Labels or a template that this model has no text tower for."""

    status = 422
    code = "closed_vocabulary"


class TooExpensive(RequestError):
    """A file that takes its decoder more time or memory than one request may have."""

    status = 422
    code = "too_expensive"


class TooManyLabels(RequestError):
    """More new text than the text tower may encode for one request."""

    status = 422
    code = "too_many_labels"


class Busy(RequestError):
    """Other requests take what this one needs, for longer than it may wait."""

    status = 503
    code = "busy"
    headers = MappingProxyType({"Retry-After": "2"})
