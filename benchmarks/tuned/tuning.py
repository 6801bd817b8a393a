"""What can be set differently; the defaults leave ``clip`` as it is."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Tuning:
    engine: dict[str, str | int | bool | None] = field(default_factory=dict)
    """OpenVINO's properties in place of those in ``backend/clip/engine.py``; None takes one away."""
    dynamic: bool = False
    """Leave the batch of the image tower dynamic."""
    handling: int | None = None
    """Requests that are decoded and inferred at the same time."""
    inferring: int | None = None
    """Requests that are inferred at the same time."""
    gather: int | None = None
    """Put up to so many waiting requests into one batch."""
