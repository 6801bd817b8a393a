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
    """Whether the answer should say where in the photo a label was found."""
    explained: str | None = None
    """That label; None for what the answer says that the photo shows."""
    tags: bool = False
    """Whether the answer should have every word that the photo is recognized by."""
    skip_unknown: bool = False
    """Whether labels that a closed vocabulary does not know are left out; otherwise they are an error."""
    coverage: float | None = None
    """The share of photos, 0 to 1, for which a set of labels should hold the right one; None for no set."""
