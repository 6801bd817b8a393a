"""``model.json``: what an exported model folder says about itself. The export writes it, the function reads it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, Self

from .preprocessing import Preprocessing

FILE = "model.json"


@dataclass(frozen=True)
class Recognition:
    """When the best label is good enough to claim: ``statistic`` is at least ``threshold``.

    ``cosine`` is that of the image and the best label. ``probability`` is that of the best label, the softmax over the
    candidates (the maximum softmax probability of Hendrycks and Gimpel, "A Baseline for Detecting Misclassified and
    Out-of-Distribution Examples in Neural Networks", 2017). ``energy`` is the logarithm of the sum of the exponentiated
    logits, over the candidates (the negative energy of Liu et al., "Energy-based Out-of-distribution Detection", 2020);
    it grows with the number of candidates, which a closed vocabulary limits.
    """

    statistic: Literal["cosine", "probability", "energy"]
    threshold: float
    source: str
    """Where the threshold comes from, for people."""


@dataclass(frozen=True)
class Manifest:
    name: str
    pretrained: str
    weights_sha256: str
    license: str
    image: Preprocessing
    logit_scale: float
    """The factor of the cosines, already exponentiated."""
    logit_bias: float | None
    """Part of the model; a softmax does not see it."""
    embedding_dim: int
    context_length: int
    trims_padding: bool
    """Whether the text tower takes sequences shorter than the context (its attention is causal)."""
    vocabulary: Literal["open", "closed"]
    labels: tuple[str, ...]
    templates: tuple[str, ...]
    recognition: Recognition
    exported_with: dict[str, str]

    @property
    def title(self) -> str:
        return f"{self.name}/{self.pretrained}"

    def write(self, folder: Path) -> None:
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False)
        (folder / FILE).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the manifest of an exported model folder.

        Raises:
            FileNotFoundError: the folder is no exported model.
        """
        values = json.loads((folder / FILE).read_text(encoding="utf-8"))
        image = values.pop("image")
        return cls(
            **{
                **values,
                "image": Preprocessing(**{**image, "size": tuple(image["size"])}),
                "labels": tuple(values["labels"]),
                "templates": tuple(values["templates"]),
                "recognition": Recognition(**values["recognition"]),
            }
        )
