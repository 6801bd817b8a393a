"""The context of a request."""

import math
from dataclasses import dataclass


@dataclass
class Caller:
    """Who asks, until when, and whether they are still there."""

    call_id: str = ""
    deadline: float = math.inf
    gone: bool = False

    def abandoned(self) -> bool:
        return self.gone
