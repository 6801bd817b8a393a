"""What a request asks of the recognizer: which candidates, how many of them in the answer, in which prompt."""

from dataclasses import dataclass
from typing import Literal

from ..limits import DEFAULT_TOP_K

Vocabulary = Literal["labels", "everyday", "all", "examples"]


@dataclass(frozen=True)
class Query:
    top_k: int = DEFAULT_TOP_K
    labels: tuple[str, ...] = ()
    """The caller's candidates, in order and without repetitions; none for the model's."""
    vocabulary: Vocabulary = "labels"
    """What the candidates are where the caller has named none: the model's labels, the everyday words, the things that
    it has learned from examples, or all of these."""
    template: str | None = None
    preview: bool = False
    """Whether the answer should contain a small picture of the photo."""
    explain: bool = False
    """Whether the answer should say where in the photo the first label was found."""
    tags: bool = False
    """Whether the answer should have every word that the photo is recognized by."""
