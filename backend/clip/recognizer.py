"""Pixels to ranked labels, by an exported model folder and nothing else."""

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .deadline import Deadline
from .engine import compile_tower
from .errors import ClosedVocabulary
from .manifest import Manifest

if TYPE_CHECKING:
    from .text import LabelEncoder


@dataclass(frozen=True)
class Prediction:
    label: str
    score: float
    """Softmax over all candidate labels, 0 to 1."""


@dataclass(frozen=True)
class Ranking:
    predictions: list[Prediction]
    """Best first."""
    evidence: float
    """The statistic of ``Manifest.recognition``."""
    recognized: bool
    """Whether the best match is good enough to claim anything (``Manifest.recognition``)."""


@dataclass(frozen=True)
class Candidates:
    labels: Sequence[str]
    embeddings: NDArray[np.float32]
    """float32 [labels, dim], rows of unit length."""


class Recognizer:
    """A loaded model. Its methods may be called from any number of threads."""

    def __init__(self, folder: Path, *, precision: str | None = None) -> None:
        """Load the exported model in ``folder`` and run it once, so that no request pays for that.

        Args:
            folder: see ``export.py`` for what is in it.
            precision: "f32" or "bf16"; None takes the processor's best.

        Raises:
            FileNotFoundError: the folder is no exported model.
        """
        self.manifest = Manifest.read(folder)
        self._folder = folder
        self._precision = precision
        self._own = Candidates(self.manifest.labels, np.load(folder / "labels.npy"))
        self._tower = compile_tower(folder / "image.xml", batch=1, precision=precision)
        self._local = threading.local()
        self._encoder_lock = threading.Lock()
        self.embed(np.zeros((*self.manifest.image.size, 3), np.uint8))

    def embed(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Encode one image.

        Args:
            pixels: uint8 [height, width, 3], RGB, as ``read_pixels`` returns them.

        Returns:
            float32 [dim], of unit length.
        """
        request = getattr(self._local, "request", None)
        if request is None:
            request = self._local.request = self._tower.create_infer_request()
        request.infer([pixels[np.newaxis]])
        embedding: NDArray[np.float32] = request.get_output_tensor().data[0].copy()
        return embedding

    def candidates(self, labels: Sequence[str], template: str | None, deadline: Deadline) -> Candidates:
        """What an image is compared with.

        Args:
            labels: the caller's own, or none for the model's.
            template: the caller's prompt with ``{}`` for the label; None for the default.

        Raises:
            ClosedVocabulary: this model has no text tower, and these are not among its own labels and prompts.
            BadParameter: a label is too long for the text tower.
            TooManyLabels: the labels that are new are too many for one request.
            Busy: the text tower could not encode them in time.
        """
        if not labels and template is None:
            return self._own
        if self.manifest.vocabulary == "closed":
            return self._among_own(labels, template)
        from .text import DEFAULT_TEMPLATE

        labels = labels or self.manifest.labels
        return Candidates(labels, self._encoder.encode(labels, template or DEFAULT_TEMPLATE, deadline))

    def rank(self, embedding: NDArray[np.float32], candidates: Candidates, top_k: int) -> Ranking:
        """The best labels: softmax over the candidates of logit scale times cosine.

        Args:
            embedding: float32 [dim], of unit length.
            top_k: how many predictions, at most as many as there are candidates.
        """
        # A matrix product of 1,000 rows would start BLAS threads, which spin on the processors that OpenVINO needs.
        cosines: NDArray[np.float32] = np.vecdot(candidates.embeddings, embedding)
        logits = self.manifest.logit_scale * cosines.astype(np.float64)
        exponents = np.exp(logits - logits.max())
        total = exponents.sum()
        probabilities = exponents / total
        best = np.argsort(-probabilities, kind="stable")[:top_k]
        rule = self.manifest.recognition
        evidence = {
            "cosine": cosines[best[0]],
            "probability": probabilities[best[0]],
            "energy": logits[best[0]] + math.log(total),
        }[rule.statistic]
        predictions = [Prediction(candidates.labels[i], float(probabilities[i])) for i in best]
        return Ranking(predictions, float(evidence), bool(evidence >= rule.threshold))

    def _among_own(self, labels: Sequence[str], template: str | None) -> Candidates:
        if template is not None:
            raise ClosedVocabulary(
                "This model has a closed vocabulary: it knows its own prompts only, no other template."
            )
        rows = {label.lower(): row for row, label in enumerate(self.manifest.labels)}
        if unknown := [label for label in labels if label.lower() not in rows]:
            shown = ", ".join(label[:40] for label in unknown[:3]) + (", …" if len(unknown) > 3 else "")
            raise ClosedVocabulary(
                f"This model has a closed vocabulary and does not know: {shown}. GET / lists the labels that it knows."
            )
        return Candidates(labels, self._own.embeddings[[rows[label.lower()] for label in labels]])

    @property
    def _encoder(self) -> "LabelEncoder":
        with self._encoder_lock:
            return self._loaded_encoder

    @cached_property
    def _loaded_encoder(self) -> "LabelEncoder":
        # The tokenizer and ftfy are for open vocabularies; a function that is never asked does not load them.
        from .text import LabelEncoder

        return LabelEncoder(self._folder, self.manifest, precision=self._precision)
