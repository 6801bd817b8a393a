"""What a request asks of the recognizer: which candidates, how many of them in the answer, in which prompt."""

from dataclasses import dataclass

from ..limits import DEFAULT_TOP_K


@dataclass(frozen=True)
class Query:
    top_k: int = DEFAULT_TOP_K
    labels: tuple[str, ...] = ()
    """The caller's candidates, in order and without repetitions; none for the model's."""
    everyday: bool = False
    """Whether the candidates are the everyday words."""
    template: str | None = None
    preview: bool = False
    """Whether the answer should contain a small picture of the photo."""
    explain: bool = False
    """Whether the answer should say where in the photo a label was found."""
    explained: str | None = None
    """That label; None for what the answer says that the photo shows."""
    skip_unknown: bool = False
    """Whether labels that a closed vocabulary does not know are left out; otherwise they are an error."""
    coverage: float | None = None
    """The share of photos, 0 to 1, for which a set of labels should hold the right one; None for no set."""
