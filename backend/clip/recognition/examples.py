"""Things that a model has learned from a few photos of each, and how an image is compared with them.

The prototype of a thing is the mean of its photos, as in Snell et al., "Prototypical Networks for Few-shot Learning",
NeurIPS 2017, with nothing trained, less what photographs have in common. Everything that was not learned competes with
the things as one more candidate, whose logit is 0.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, cast, get_args

import numpy as np
from numpy.typing import NDArray

from ..manifest import Manifest
from .background import Background, Space, unit, vector
from .candidates import View

FILE = "examples.npz"
RECOGNIZED = 0.5
"""A thing with at least this confidence is recognized."""
_VERSION = 1


@dataclass(frozen=True)
class Examples:
    """n things. Its methods may be called from any number of threads."""

    names: tuple[str, ...]
    space: Space
    background: Background
    prototypes: NDArray[np.float64]
    """float64 [n, dim], of unit length."""
    counts: NDArray[np.float64]
    """float64 [n], the photos of each."""

    @classmethod
    def learned(
        cls, names: Sequence[str], photos: Sequence[NDArray[np.float64]], space: Space, background: Background
    ) -> Self:
        """Learn things.

        Args:
            photos: of each thing, float64 [photos, dim], ``vector`` of each photo; the mean where it has several views.
            background: of the model.
        """
        means = np.array([background.centered(each).mean(axis=0) for each in photos])
        counts = np.array([len(each) for each in photos], np.float64)
        return cls(tuple(names), space, background, unit(means), counts)

    @classmethod
    def read(cls, folder: Path, manifest: Manifest) -> Self | None:
        """Those of an exported model folder; None where it has none.

        Raises:
            ValueError: another version of this project, or another model, has learned them.
        """
        path = folder / FILE
        if not path.exists():
            return None
        with np.load(path, allow_pickle=False) as arrays:
            if int(arrays["version"]) != _VERSION:
                raise ValueError(f"{path} was learned by another version: learn the examples again.")
            require_model(str(arrays["weights_sha256"]), str(arrays["model"]), manifest, str(path))
            space = cast(Space, str(arrays["space"]))
            if space not in get_args(Space):
                raise ValueError(f"{path} is damaged: learn the examples again.")
            center, weights, prototypes, counts = (
                arrays[name].astype(np.float64) for name in ("center", "weights", "prototypes", "counts")
            )
            return cls(tuple(arrays["names"].tolist()), space, Background(center, weights), prototypes, counts)

    def write(self, folder: Path, manifest: Manifest) -> None:
        """Write them into the folder of the model that has learned them."""
        np.savez_compressed(
            folder / FILE,
            version=np.array(_VERSION),
            model=np.array(manifest.title),
            weights_sha256=np.array(manifest.weights_sha256),
            space=np.array(self.space),
            names=np.array(self.names),
            prototypes=self.prototypes.astype(np.float32),
            counts=self.counts.astype(np.int32),
            center=self.background.center.astype(np.float32),
            weights=self.background.weights,
        )

    def log_odds(self, view: View) -> NDArray[np.float64]:
        """float64 [n], the log-odds of each thing for an image, against everything that was not learned."""
        return self.log_odds_of(vector(view, self.space))

    def log_odds_of(self, image: NDArray[np.float64]) -> NDArray[np.float64]:
        """``log_odds`` of a ``vector``."""
        # A matrix product of many rows would start BLAS threads, which spin on the processors that OpenVINO needs.
        cosines = np.vecdot(self.prototypes, self.background.centered(image))
        scale, bias, by_count = self.background.weights
        return np.asarray(scale * cosines + bias + by_count / self.counts)

    def mistaken(self, photos: Sequence[NDArray[np.float64]]) -> list[Counter[int]]:
        """Look at each photo as if its thing had been learned without it (leave-one-out).

        Args:
            photos: those that were learned, see ``learned``.

        Returns:
            Of each thing, which others its photos were taken for, and how many; nothing for one with a single photo.
        """
        counters = []
        for thing, own in enumerate(photos):
            counter: Counter[int] = Counter()
            if len(own) > 1:
                images = self.background.centered(own)
                likeness = images @ self.prototypes.T
                without = unit(images.sum(axis=0) - images)
                likeness[:, thing] = np.vecdot(images, without)
                counter.update(best for best in likeness.argmax(axis=1).tolist() if best != thing)
            counters.append(counter)
        return counters

    def direction(self, view: View, thing: int) -> NDArray[np.float64]:
        """The direction in which a change of the tower's output makes a thing most likely: [dim] or [classes]."""
        if self.space == "embedding":
            return np.asarray(self.prototypes[thing])
        own = vector(view, self.space)
        share = np.exp(view.classes - view.classes.max())
        toward = self.prototypes[thing] * own
        return np.asarray(toward - share / share.sum() * toward.sum())


def require_model(weights_sha256: str, title: str, manifest: Manifest, source: str) -> None:
    """Refuse examples of another model.

    Args:
        weights_sha256: of the weights that the examples were learned with, whose model is called ``title``.
        source: where the examples are from, for the message.

    Raises:
        ValueError: ``manifest`` is of another model.
    """
    if weights_sha256 != manifest.weights_sha256:
        raise ValueError(
            f"{source} has examples of another model, {title[:80]!r}; this is {manifest.title!r}. "
            "Learn the photos again with this one."
        )


def confidences(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """float64 [..., n], the probability of each thing, with all others and everything else as its rivals.

    Args:
        log_odds: float64 [..., n], of ``Examples.log_odds``.
    """
    most = np.maximum(log_odds.max(axis=-1, keepdims=True), 0)
    exponents = np.exp(log_odds - most)
    return np.asarray(exponents / (exponents.sum(axis=-1, keepdims=True) + np.exp(-most)))
