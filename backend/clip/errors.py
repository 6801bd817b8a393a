"""All errors of a request, each with the HTTP status and the code that the caller sees."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple


class RequestError(Exception):
    """A request that cannot be answered. Its message is one sentence for the caller."""

    status = 400
    code = "bad_parameter"
    headers: Mapping[str, str] = MappingProxyType({})
    """Headers of the answer that HTTP defines for this status."""
    details: Mapping[str, Any] = MappingProxyType({})
    """What programs may want to know beside code and message, as it stands in JSON."""


class BadParameter(RequestError):
    """A parameter that does not exist, or a value that makes no sense."""


class EmptyBody(RequestError):
    code = "empty_body"


class Unauthorized(RequestError):
    """The API key is missing or wrong."""

    status = 401
    code = "unauthorized"
    headers = MappingProxyType({"WWW-Authenticate": "Bearer"})


class UrlNotAllowed(RequestError):
    """A URL that is not of one of the allowed origins, or leads to an address that is not public."""

    status = 403
    code = "url_not_allowed"


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
    """It begins like an image of a known format and cannot be decoded."""

    status = 422
    code = "corrupt_image"


class UnknownLabel(NamedTuple):
    """A label that a closed vocabulary does not know."""

    label: str
    near: tuple[str, ...]
    """Words that it knows and that are spelled much like it, best first."""


class ClosedVocabulary(RequestError):
    """Labels or a template that are not among this model's own, where it has no text tower."""

    status = 422
    code = "closed_vocabulary"

    def __init__(self, message: str, unknown: Sequence[UnknownLabel] = ()) -> None:
        """``unknown``: the labels, where it is these."""
        super().__init__(message)
        if unknown:
            self.details = {"unknown": [label._asdict() for label in unknown]}


class TooExpensive(RequestError):
    """Decoding the image takes more time or memory than one image may have."""

    status = 422
    code = "too_expensive"


class TooManyLabels(RequestError):
    """More new text than the text tower encodes for one request."""

    status = 422
    code = "too_many_labels"


class UrlFailed(RequestError):
    """There is no file behind a URL, and a later try would find none."""

    status = 422
    code = "url_failed"


class HeadersTooLarge(RequestError):
    """The parts of a form have longer headers than are parsed."""

    status = 431
    code = "headers_too_large"


class Busy(RequestError):
    """Other requests use what this one needs, for longer than it may wait."""

    status = 503
    code = "busy"
    headers = MappingProxyType({"Retry-After": "2"})


class UrlUnavailable(RequestError):
    """The file behind a URL did not come; a later try may get it."""

    status = 503
    code = "url_unavailable"
