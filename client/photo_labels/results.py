"""What is known of a photo after it was sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .states import State


@dataclass(frozen=True)
class Result:
    """What the service says about a photo.

    Attributes:
        file: its path in the folder.
        answer: the service's JSON, with ``predictions`` or with ``error``.
        state: of the file, when it was read.
    """

    file: str
    answer: Mapping[str, Any]
    state: State

    @property
    def error(self) -> str | None:
        """The code of the error, if there is one."""
        error = self.answer.get("error")
        return None if error is None else str(error["code"])

    @property
    def label(self) -> str | None:
        """The best label, or None if the photo is not recognized."""
        return str(self.answer["predictions"][0]["label"]) if self.answer.get("recognized") else None

    @property
    def instead(self) -> str | None:
        """The everyday word that a photo is recognized by when no label is; None where there is none."""
        instead = self.answer.get("instead")
        return None if self.label is not None or instead is None else str(instead["label"])

    @property
    def word(self) -> str | None:
        """The word to use for the photo: the label that it is recognized by, or the word instead of one."""
        return self.label or self.instead

    @property
    def english_word(self) -> str | None:
        """The same in English."""
        part = self._of_word
        return None if part is None else str(part.get("label_en", part["label"]))

    @property
    def confidence(self) -> float | None:
        """The probability that ``word`` is right, 0 to 1; None where there is no word, or the service does not say."""
        part = self.answer if self.label is not None else self._of_word
        return None if part is None else part.get("confidence")

    @property
    def _of_word(self) -> Mapping[str, Any] | None:
        if self.label is not None:
            best: Mapping[str, Any] = self.answer["predictions"][0]
            return best
        return self.answer.get("instead")
