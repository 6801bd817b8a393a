"""The API key: where one is mounted as a secret, only requests that send it are answered.

There may be two, one a line, so that one can take the place of the other while both are in use.
"""

import hmac
import os
from dataclasses import dataclass
from pathlib import Path

from werkzeug.datastructures import Headers

from ..errors import Unauthorized

_SECRET = "clip-api-key"  # noqa: S105 - its name
_MAX_KEYS = 2


@dataclass(frozen=True)
class ApiKey:
    """``values`` are what callers may send; where there are none, nothing is needed."""

    values: tuple[bytes, ...]

    @classmethod
    def mounted(cls) -> "ApiKey":
        """Read the secret where OpenFaaS mounts it, or in the folder that ``secrets_dir`` names.

        Raises:
            OSError: the secret is there and cannot be read.
            ValueError: it has no key or more than two, or characters that cannot be sent in a header.
        """
        path = Path(os.environ.get("secrets_dir", "/var/openfaas/secrets"), _SECRET)
        try:
            lines = path.read_bytes().splitlines()
        except FileNotFoundError:
            return cls(())
        values = tuple(value for line in lines if (value := line.strip()))
        if not 1 <= len(values) <= _MAX_KEYS or not all(0x21 <= byte <= 0x7E for byte in b"".join(values)):
            raise ValueError(f"{path} must hold one API key of visible ASCII characters, or two, one a line.")
        return cls(values)

    def require(self, headers: Headers) -> None:
        """Raise Unauthorized unless a key comes as ``Authorization: Bearer KEY`` or ``X-Api-Key: KEY``."""
        if not self.values:
            return
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        sent = token.strip() if scheme.lower() == "bearer" else headers.get("X-Api-Key", "")
        # All are compared, so that the time does not tell which one it is.
        if not sum(hmac.compare_digest(sent.encode(errors="replace"), value) for value in self.values):
            raise Unauthorized("An API key is needed, as 'Authorization: Bearer KEY' or 'X-Api-Key: KEY'.")
