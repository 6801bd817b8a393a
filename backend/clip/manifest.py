"""``model.json``: what is known of an exported model. The export writes it, the function reads it."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal, Self

from .confidence import Calibration
from .preprocessing import Preprocessing

FILE = "model.json"


@dataclass(frozen=True)
class Manifest:
    name: str
    pretrained: str
    weights_sha256: str
    license: str
    image: Preprocessing
    logit_scale: float
    """The factor of the cosines, after the exponential."""
    embedding_dim: int
    context_length: int
    trims_padding: bool
    """Whether the text tower takes sequences shorter than the context (its attention is causal)."""
    vocabulary: Literal["open", "closed"]
    labels: tuple[str, ...]
    templates: tuple[str, ...]
    confidence: Calibration
    generality: float
    """In a ranking of everyday words, the factor of a word's probability for each level of more special words below it.
    Without it "animal" would always win; with it "dog" wins where none of its breeds is likely enough."""
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
            ValueError: another version of this project exported it.
        """
        values = json.loads((folder / FILE).read_text(encoding="utf-8"))
        if values.keys() != {field.name for field in fields(cls)}:
            raise ValueError(f"{folder} was exported by another version: export the model again.")
        image = values.pop("image")
        return cls(
            **{
                **values,
                "image": Preprocessing(**{**image, "size": tuple(image["size"])}),
                "labels": tuple(values["labels"]),
                "templates": tuple(values["templates"]),
                "confidence": Calibration(**values["confidence"]),
            }
        )
