"""Which URLs are fetched: those of origins that whoever runs the service has named, and no others.

A URL is read by one narrow pattern, and what it finds is what is compared, connected to and asked for. So there is no
second reading of it that could see another host.
"""

import ipaddress
import re
from collections.abc import Set
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import BadParameter, UrlNotAllowed

SETTING = "allow_urls"
_MAX_URL = 4096
# A host by name or number, and no user, zone or fragment; a target of the characters that RFC 3986 has for it.
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<target>/[a-z0-9._~:/@!$&'()*+,;=%-]*(?:\?[a-z0-9._~:/@!$&'()*+,;=%?-]*)?)?",
    re.IGNORECASE | re.ASCII,
)
_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# What resolvers take for a part of an IPv4 address: a name never ends with it.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """Where a URL leads to."""

    scheme: str
    """http or https."""
    host: str
    """As a URL has it, in small letters: an IPv6 address is in brackets."""
    port: int

    @property
    def is_secure(self) -> bool:
        return self.scheme == "https"

    @property
    def bare_host(self) -> str:
        """Without brackets."""
        return self.host.strip("[]")

    @property
    def authority(self) -> str:
        """What the header ``Host`` has."""
        return self.host if self.port == _DEFAULT_PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def address(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
        """The address that the host is; None for a name."""
        try:
            return ipaddress.ip_address(self.bare_host)
        except ValueError:
            return None


@dataclass(frozen=True)
class Remote:
    """A URL that may be fetched."""

    origin: Origin
    target: str
    """Path and query. The query may be a signature: it is for no message and no log."""


def allowed_origins(setting: str) -> Set[Origin]:
    """Read the list of origins, such as ``https://photos.example.com, http://10.0.0.5:9000``.

    Raises:
        ValueError: naming the setting, for what is not an origin.
    """
    return frozenset(map(_allowed, setting.replace(",", " ").split()))


def require_allowed(url: str, allowed: Set[Origin]) -> Remote:
    """Read a caller's URL.

    Raises:
        UrlNotAllowed: its origin is not among the ``allowed`` ones.
        BadParameter: it is not a plain absolute URL.
    """
    if not allowed:
        raise UrlNotAllowed(f"This service fetches no URLs: {SETTING} names no origins. Send the photo itself.")
    if url[:5].lower() == "s3://":
        raise BadParameter("s3:// is not fetched: send the https:// URL that 'aws s3 presign' makes of it.")
    found = _URL.fullmatch(url) if len(url) <= _MAX_URL else None
    if found is None:
        raise BadParameter(
            f"url must be an absolute https:// URL of at most {_MAX_URL:,} ASCII characters, escaped as usual, "
            "without a user, a zone or a fragment."
        )
    origin = _origin(found)
    if origin not in allowed:
        raise UrlNotAllowed(f"Nothing is fetched from {origin.scheme}://{origin.authority}: it is not in {SETTING}.")
    return Remote(origin, found["target"] or "/")


def _origin(found: re.Match[str]) -> Origin:
    scheme = found["scheme"].lower()
    return Origin(scheme, found["host"].lower(), int(found["port"] or _DEFAULT_PORTS[scheme]))


def _allowed(text: str) -> Origin:
    found = _URL.fullmatch(text)
    origin = _origin(found) if found else None
    if found is None or origin is None or found["target"] not in (None, "/") or not 0 < origin.port < 1 << 16:
        raise ValueError(f"{SETTING} must have origins such as https://photos.example.com, not {text[:80]!r}")
    if origin.address is not None:
        plain = str(origin.address)
        if origin.bare_host != plain:
            raise ValueError(f"{SETTING} must have {plain!r} in place of {origin.bare_host!r}")
    elif not _NAME.fullmatch(origin.host) or _NUMBER.fullmatch(origin.host.rpartition(".")[2]):
        raise ValueError(f"{SETTING} has {origin.host[:80]!r}, which is neither a name nor an address")
    return origin
