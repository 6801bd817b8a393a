"""Labels photos with the function ``clip``, a whole folder or one at a time: docs/client.md."""

from .recognizer import PhotoError, Prediction, Recognition, Recognizer, ServiceError, Tag

__all__ = ["PhotoError", "Prediction", "Recognition", "Recognizer", "ServiceError", "Tag"]
