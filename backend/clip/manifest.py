"""``model.json``: what is known of an exported model. The export writes it, the function reads it."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, Self

from .limits import MAX_NEW_LABEL_TOKENS
from .photos.preprocessing import Preprocessing

FILE = "model.json"
MIN_COSINE = 0.999
NEGATIVES = ("words", "phrases")
"""What competes with the candidates: the everyday words alone, or beside them the phrases (``export/phrases.py``)."""
_AGAIN = "Export the model again, or copy its folder again."


@dataclass(frozen=True)
class Checked:
    """How well a model in one number format agrees with open_clip in f32."""

    cosine: float
    """The cosine of its embeddings with open_clip's: the least one, for int8 the mean."""
    images: int
    agreement: float | None = None
    """For int8, which is written only if this is enough: the share of images with the same best label as in f32."""

    @property
    def agrees(self) -> bool:
        return self.agreement is not None or self.cosine >= MIN_COSINE


@dataclass(frozen=True)
class Coverage:
    """What is likely enough to be in a set of labels that holds the right one for a share of photos, see
    ``recognition/coverage.py``. It was found for the model's own labels, and with the confidence beside it."""

    levels: tuple[float, ...]
    """The shares, 0 to 1, ascending. What holds for one holds for all below it."""
    labels: tuple[float, ...]
    """For each level how likely a label has to be."""
    others: tuple[float, ...]
    """For each level the highest confidence in the best label at which the photo may show something else."""
    source: str
    """Where the numbers come from, for people."""


@dataclass(frozen=True)
class Calibration:
    """How evidence becomes a probability, and how large that has to be."""

    threshold: float
    """An answer with at least this confidence is ``recognized``."""
    weights: Mapping[str, float]
    """Of the logistic function: ``share`` is the weight of the log-odds of the best candidate's share; and ``bias``."""
    source: str
    """Where the numbers come from, for people."""
    negatives: str = NEGATIVES[0]
    """One of ``NEGATIVES``."""
    together: Mapping[str, float] | None = None
    """In place of ``weights``, for the first label of an answer, where the calibration found it worth its cost:
    ``together`` is the weight of how well the label fits the image together with a rival, see ``multi_match``."""
    parts: Mapping[str, float] | None = None
    """Of the logistic function that makes a word's log-odds in the part of a photo where it is clearest a probability,
    with ``share`` and ``bias`` as in ``weights``; None where no parts are looked at, see ``recognition/parts.py``."""
    coverage: Coverage | None = None
    """None for a model that was not calibrated for sets of labels, or whose confidence has changed since then."""

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """Read what ``dataclasses.asdict`` made of one, in JSON.

        Raises:
            TypeError: a value is missing, or there is one too many.
        """
        coverage = values.get("coverage")
        lists = ("levels", "labels", "others")
        read = None if coverage is None else Coverage(**coverage | {name: tuple(coverage[name]) for name in lists})
        return cls(**{**values, "coverage": read})


UNCALIBRATED = Calibration(0.5, {"share": 1.0, "bias": 0.0}, "not calibrated: the share of the best candidate itself")


@dataclass(frozen=True)
class Manifest:
    name: str
    pretrained: str
    weights_sha256: str
    license: str
    image: Preprocessing
    logit_scale: float
    """The factor of the cosines, after the exponential."""
    logit_bias: float
    """What is added to them. It is the same for every label, so that it changes no softmax; where a model was trained
    with a sigmoid, it makes ``logit_scale * cosine + logit_bias`` the log-odds that a label fits, else it is 0."""
    embedding_dim: int
    kind: str
    """How texts go into the text tower, one of ``inference.model_kinds.KINDS``."""
    context_length: int
    padding: int
    """The token that follows a text up to the width of the text tower's input."""
    trims_padding: bool
    """Whether the text tower takes sequences shorter than the context (its attention is causal)."""
    label_price: int | None
    """What each text costs whatever its length, in tokens of CLIP's text tower; None where its own tokens count."""
    vocabulary: Literal["open", "closed"]
    labels: tuple[str, ...]
    templates: tuple[str, ...]
    confidence: Calibration
    generality: float
    """In a ranking of everyday words, the factor of a word's weight for each level of more specific words below it.
    Without it "animal" would always win; with it "dog" wins where none of its breeds is likely enough."""
    precisions: dict[str, Checked]
    """How well the model agrees with open_clip, by number format."""
    exported_with: dict[str, str]
    files: dict[str, str]
    """The SHA-256 of each other file of the folder, in hexadecimal, by its name; empty while it is being exported."""

    @property
    def agreeing(self) -> frozenset[str]:
        """The precisions that agree with open_clip."""
        return frozenset(name for name, checked in self.precisions.items() if checked.agrees)

    @property
    def max_new_labels(self) -> int | None:
        """How many labels may be new in one request; None where their tokens are counted."""
        return None if self.label_price is None else MAX_NEW_LABEL_TOKENS // self.label_price

    @property
    def title(self) -> str:
        return f"{self.name}/{self.pretrained}"

    def write(self, folder: Path) -> None:
        """Write the manifest whole or not at all: a folder without one is not served."""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False)
        part = folder / f"{FILE}.part"
        part.write_text(text + "\n", encoding="utf-8")
        part.replace(folder / FILE)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the manifest of an exported model folder.

        Raises:
            FileNotFoundError: the folder is not an exported model.
            ValueError: it is damaged, or another version of this project exported it.
        """
        try:
            values = json.loads((folder / FILE).read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{folder / FILE} is damaged: {error}. Export the model again.") from error
        if values.keys() != {field.name for field in fields(cls)}:
            raise ValueError(f"{folder} was exported by another version: export the model again.")
        image = values.pop("image")
        return cls(
            **{
                **values,
                "image": Preprocessing(**{**image, "size": tuple(image["size"])}),
                "labels": tuple(values["labels"]),
                "templates": tuple(values["templates"]),
                "confidence": Calibration.read(values["confidence"]),
                "precisions": {name: Checked(**checked) for name, checked in values["precisions"].items()},
            }
        )

    def require_whole(self, folder: Path) -> None:
        """Compare the folder's files with their hashes.

        Raises:
            ValueError: one is missing, or is not what was exported; the message names it.
        """
        for name, expected in self.files.items():
            try:
                found = _sha256(folder / name)
            except OSError as error:
                raise ValueError(f"{folder / name} cannot be read: {error.strerror}. {_AGAIN}") from error
            if found != expected:
                raise ValueError(f"{folder / name} is damaged: its SHA-256 is not that in {FILE}. {_AGAIN}")


def hashes(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """The SHA-256 in hexadecimal of those of the files that the folder has, by name."""
    return {name: _sha256(folder / name) for name in sorted(names) if (folder / name).exists()}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
