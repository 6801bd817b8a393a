"""Cross-origin requests: which other sites' pages may use the function (https://fetch.spec.whatwg.org/#http-cors-protocol)."""

import re
from dataclasses import dataclass

from werkzeug.datastructures import Headers

_ANY = "*"
# Seconds that a browser may keep the answer to a preflight; Chromium takes no more.
_MAX_AGE = "7200"
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@\s,*]+")
_TOKENS = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,1000}")


@dataclass(frozen=True)
class Origins:
    """The sites whose pages may use the function; none by default. They may send an API key, and never cookies."""

    allowed: frozenset[str] = frozenset()

    @classmethod
    def read(cls, text: str) -> "Origins":
        """Read ``https://one.example, https://two.example:8443``, or ``*`` for all sites.

        Raises:
            ValueError: naming the variable, for anything that is not an origin.
        """
        names = [name.strip().lower().rstrip("/") for name in text.split(",") if name.strip()]
        for name in names:
            if name != _ANY and not _ORIGIN.fullmatch(name):
                raise ValueError(f"allow_origins must be * or origins such as https://example.com, not {name[:80]!r}")
        return cls(frozenset(names))

    def headers(self, origin: str) -> dict[str, str]:
        """The headers that let a page read an answer; ``origin`` is the page's, or "" for any other caller."""
        if not self.allowed:
            return {}
        if _ANY in self.allowed:
            return {"Access-Control-Allow-Origin": _ANY, "Access-Control-Expose-Headers": _ANY}
        told = {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": _ANY}
        return (told if self._may(origin) else {}) | {"Vary": "Origin"}

    def preflight(self, method: str, headers: Headers) -> dict[str, str] | None:
        """The headers that answer a preflight, which a browser sends before a page's request; None if this is none."""
        wanted = headers.get("Access-Control-Request-Method", "")
        if method != "OPTIONS" or not wanted or not self._may(headers.get("Origin", "")):
            return None
        sent = headers.get("Access-Control-Request-Headers", "")
        allowed = {"Access-Control-Allow-Methods": wanted, "Access-Control-Allow-Headers": sent}
        harmless = {name: value for name, value in allowed.items() if _TOKENS.fullmatch(value)}
        return harmless | {"Access-Control-Max-Age": _MAX_AGE}

    def _may(self, origin: str) -> bool:
        return bool(origin) and (_ANY in self.allowed or origin.lower() in self.allowed)
