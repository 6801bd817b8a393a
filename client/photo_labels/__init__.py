"""Labels photos with the function ``clip``, a whole folder or one at a time: docs/client.md."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .recognizer import PhotoError, Prediction, Recognition, Recognizer, ServiceError, Tag

__all__ = ["PhotoError", "Prediction", "Recognition", "Recognizer", "ServiceError", "Tag"]


def __getattr__(name: str) -> Any:
    """What the library has is imported when it is used: the commands, which do without it, start sooner."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import recognizer

    return getattr(recognizer, name)
