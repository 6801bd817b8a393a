"""The API key: where one is mounted as a secret, only requests that send it are answered."""

import hmac
import os
from dataclasses import dataclass
from pathlib import Path

from werkzeug.datastructures import Headers

from .errors import Unauthorized

_SECRET = "clip-api-key"  # noqa: S105 - its name


@dataclass(frozen=True)
class ApiKey:
    """``value`` is what callers must send; None means that none is needed."""

    value: bytes | None

    @classmethod
    def mounted(cls) -> "ApiKey":
        """Read the secret where OpenFaaS mounts it, or in the folder that ``secrets_dir`` names.

        Raises:
            OSError: the secret is there and cannot be read.
            ValueError: it is empty, or has characters that cannot be sent in a header.
        """
        path = Path(os.environ.get("secrets_dir", "/var/openfaas/secrets"), _SECRET)
        try:
            value = path.read_bytes().strip()
        except FileNotFoundError:
            return cls(None)
        if not value or not all(0x21 <= byte <= 0x7E for byte in value):
            raise ValueError(f"{path} must hold an API key of visible ASCII characters.")
        return cls(value)

    def require(self, headers: Headers) -> None:
        """Raise Unauthorized unless the key comes as ``Authorization: Bearer KEY`` or ``X-Api-Key: KEY``."""
        if self.value is None:
            return
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        sent = token.strip() if scheme.lower() == "bearer" else headers.get("X-Api-Key", "")
        if not hmac.compare_digest(sent.encode(errors="replace"), self.value):
            raise Unauthorized("An API key is needed, as 'Authorization: Bearer KEY' or 'X-Api-Key: KEY'.")
