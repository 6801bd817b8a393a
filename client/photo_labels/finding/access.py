"""Where the service is, and how it is asked."""

import argparse
from dataclasses import dataclass

NEEDED = "This needs NumPy and Pillow: pip install 'photo-labels[find]'."
"""What is said where the other modules of this package cannot be imported."""


@dataclass(frozen=True)
class Access:
    """How the service is asked.

    Attributes:
        url: the address of ``clip``; None for that of ``make up``.
        key: the API key, or "".
        at_most: requests at a time.
        timeout: seconds for one answer.
        wait: seconds for a service that is away.
    """

    url: str | None
    key: str
    at_most: int
    timeout: float
    wait: float

    @classmethod
    def of(cls, given: argparse.Namespace) -> "Access":
        """As the options say that ``commands/options.py`` adds."""
        return cls(given.url, given.key, given.at_most, given.timeout, given.wait)
