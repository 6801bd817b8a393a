"""The model: pixels to ranked labels, from an exported model folder."""

import logging
import math
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..deadline import Deadline
from ..errors import BadParameter, ClosedVocabulary
from ..inference.image_tower import ImageTower
from ..inference.precision import fastest, setting
from ..manifest import Manifest
from .candidates import NO_EMBEDDINGS, NO_WORDS, Candidates, View
from .confidence import Evidence, confidence
from .examples import RECOGNIZED, Examples, confidences
from .explanation import Explainer
from .query import Query
from .vocabulary import LABEL_EMBEDDINGS, Everyday, FineClasses

if TYPE_CHECKING:
    from ..inference.text_tower import LabelEncoder

_log = logging.getLogger("function")

# ``instead`` is one of so many best everyday words, if it is more likely right than wrong.
_CALLED_INSTEAD = 5
_LIKELY = 0.5
_TAGS_TRIED = 20


class Prediction(NamedTuple):
    label: str
    score: float
    """Softmax over all candidate labels, 0 to 1."""


@dataclass(frozen=True)
class Instead:
    """An everyday word that the photo shows, where no candidate is recognized."""

    label: str
    confidence: float


@dataclass(frozen=True)
class Tag:
    """An everyday word that the photo is recognized by."""

    label: str
    confidence: float
    path: tuple[str, ...]
    """The more general words above it, most general first."""


@dataclass(frozen=True)
class Ranking:
    predictions: list[Prediction]
    """Best first."""
    confidence: float
    """The probability, 0 to 1, that the best label names what is in the photo."""
    recognized: bool
    """Whether that reaches ``Calibration.threshold``."""
    instead: Instead | None
    """The everyday word that the photo is recognized by, if it is by none of the candidates."""


class Recognizer:
    """A loaded model. Its methods may be called from any number of threads."""

    def __init__(self, folder: Path, *, precision: str | None = None) -> None:
        """Load the exported model in ``folder`` and run it once, so that no request pays for that.

        Args:
            folder: see ``export.py`` for what is in it.
            precision: one of ``PRECISIONS``; None takes that of the setting, or else the fastest that agrees.

        Raises:
            FileNotFoundError: the folder is no exported model.
            ValueError: the setting is none that this model was checked in; a file of the folder is damaged or missing.
        """
        self.manifest = Manifest.read(folder)
        self._folder = folder
        # What no request has needed yet must be whole as well, such as the text tower. Hashing lets other threads run.
        with ThreadPoolExecutor(1, "hashes") as pool:
            checking = pool.submit(self.manifest.require_whole, folder)
            try:
                self._load(precision)
            finally:
                checking.result()  # it names the file; what loading a damaged one raises does not
        _log.info("%s computes in %s", self.manifest.title, self.precision)

    def _load(self, precision: str | None) -> None:
        folder = self._folder
        self.precision = precision or setting(self.manifest.precisions) or fastest(self.manifest.agreeing)
        self.everyday = Everyday.read(folder, self.manifest.logit_scale)
        self._own = self.everyday.own(self.manifest.labels, folder)
        self.examples = Examples.read(folder, self.manifest)
        names = self.examples.names if self.examples else ()
        self._things = {name.casefold(): thing for thing, name in enumerate(names)}
        self.observe_batch: Callable[[int], None] = lambda size: None
        """Is called with the number of images of each run of the image tower."""
        self._tower = ImageTower(folder, self.precision, lambda size: self.observe_batch(size))
        self.explainer = None
        if self._tower.has_map:
            precision = "f32" if self.precision == "int8" else self.precision
            self.explainer = Explainer(folder, self.everyday, self.examples, self.manifest.image, precision)
        self._encoder_lock = threading.Lock()
        self.embed(np.zeros((*self.manifest.image.size, 3), np.uint8))

    def expect(self) -> AbstractContextManager[None]:
        """In the block, this thread decodes an image and embeds it: images of other requests may wait for it."""
        return self._tower.expect()

    def embed(self, pixels: NDArray[np.uint8], deadline: Deadline | None = None, *, with_map: bool = False) -> View:
        """Encode one image.

        Args:
            pixels: uint8 [height, width, 3], RGB, as ``read_pixels`` returns them.
            deadline: of the request; None where none waits.
            with_map: whether the view has the map, of a model that has an ``explainer``.

        Raises:
            Busy: the time of the request is over, or its caller has gone.
        """
        embedding, *others = self._tower.infer(pixels, deadline or Deadline.unlimited(), with_map=with_map)
        map_ = others.pop() if with_map else None
        return View(embedding, others[0].astype(np.float64) if others else np.empty(0), map_)

    def candidates(self, query: Query, deadline: Deadline) -> Candidates:
        """Find what an image is compared with.

        Raises:
            ClosedVocabulary: this model has no text tower, and these are not among its own labels and prompts.
            BadParameter: a label is too long for the text tower; the model has learned no examples.
            TooManyLabels: the labels that are new are too many for one request.
            Busy: the text tower could not encode them in time.
        """
        if query.vocabulary == "examples":
            if not self.examples:
                raise BadParameter("This model has learned no examples. Start it with some: make up EXAMPLES=folder.")
            return self._of_things
        things = [label for label in query.labels if label.casefold() in self._things]
        if things:
            labels = tuple(label for label in query.labels if label.casefold() not in self._things)
            words = self._of_words(replace(query, labels=labels), deadline) if labels else self._of_things
            return replace(words, things=tuple(self._things[name.casefold()] for name in things))
        return self._of_words(query, deadline)

    def _of_words(self, query: Query, deadline: Deadline) -> Candidates:
        if query.vocabulary == "everyday":
            return self.everyday.candidates
        if query.vocabulary == "all":
            return self._everything
        if not query.labels and query.template is None:
            return self._own
        if self.manifest.vocabulary == "closed":
            return self._known(query.labels, query.template)
        from ..inference.text_tower import DEFAULT_TEMPLATE

        labels = query.labels or self.manifest.labels
        return self.everyday.named(labels, self._encoder.encode(labels, query.template or DEFAULT_TEMPLATE, deadline))

    def encode(self, texts: Sequence[str], deadline: Deadline) -> tuple[NDArray[np.float32], int]:
        """Encode texts as they are, without a template; a closed vocabulary has its labels' embeddings.

        Returns:
            float32 [texts, dim], rows of unit length, and the number of tokens, which a closed vocabulary has not.

        Raises:
            ClosedVocabulary: this model has no text tower, and these are not all among its own labels.
            BadParameter, TooManyLabels, Busy: see ``candidates``.
        """
        if self.manifest.vocabulary == "closed":
            return self._label_embeddings[self._rows(texts)], 0
        from ..inference.text_tower import count_tokens

        tokens = self._encoder.tokens(texts, deadline)
        return self._encoder.embed(tokens, deadline), count_tokens(tokens)

    def rank(self, view: View, candidates: Candidates, top_k: int) -> Ranking:
        """The best labels, by the softmax over the candidates, and how sure the first of them is.

        Args:
            top_k: how many predictions, at most as many as there are candidates.
        """
        words = self.everyday.logits(view)
        own = self._logits(view, words, candidates)
        odds = self.examples.log_odds(view) if self.examples else np.empty(0)
        things = np.array(candidates.things, np.intp)
        logits = np.concatenate([own, self.everyday.total(view, words) + odds[things]])
        exponents = np.exp(logits - logits.max())
        probabilities = exponents / exponents.sum()
        best = np.argsort(-probabilities, kind="stable")[:top_k]
        first = int(best[0])
        if first < len(own):
            sure, enough = self._confidence(view, words, candidates, own, first), self.manifest.confidence.threshold
        else:
            sure, enough = float(confidences(odds)[things[first - len(own)]]), RECOGNIZED
        recognized = sure >= enough
        return Ranking(
            [
                Prediction(self._name(candidates, i), score)
                for i, score in zip(best, probabilities[best].tolist(), strict=True)
            ],
            sure,
            recognized,
            None if recognized else self._instead(view, words, candidates.words),
        )

    def _name(self, candidates: Candidates, position: int) -> str:
        if self.examples and position >= len(candidates.labels):
            return self.examples.names[candidates.things[position - len(candidates.labels)]]
        return candidates.labels[position]

    def _logits(self, view: View, words: NDArray[np.float64], candidates: Candidates) -> NDArray[np.float64]:
        if not candidates.embeddings.size:
            logits = words[candidates.words] + candidates.offsets
        else:
            # A matrix product of 1,000 rows would start BLAS threads, which spin on the processors that OpenVINO needs.
            cosines: NDArray[np.float32] = np.vecdot(candidates.embeddings, view.embedding)
            logits = self.manifest.logit_scale * cosines.astype(np.float64)
        if candidates.overlapping:
            known = np.maximum(candidates.words, 0)
            heights = np.where(candidates.words >= 0, self.everyday.heights[known], 0)
            logits = logits + heights * math.log(self.manifest.generality)
        return logits

    def _confidence(
        self, view: View, words: NDArray[np.float64], candidates: Candidates, logits: NDArray[np.float64], best: int
    ) -> float:
        evidence = Evidence(*self.everyday.rivals(view, words, candidates, logits, best))
        return confidence(evidence, self.manifest.confidence)

    def _instead(self, view: View, words: NDArray[np.float64], asked: NDArray[np.intp]) -> Instead | None:
        """The best everyday word that is confident enough and is not among the ``asked`` ones.

        Where the model is not sure which kind of cat it is, it may be sure of "cat" (Deng et al., "Hedging Your Bets:
        Optimizing Accuracy-Specificity Trade-offs in Large Scale Visual Recognition", 2012).
        """
        everyday = self.everyday.candidates
        logits = self._logits(view, words, everyday)
        for word in np.argsort(-logits, kind="stable")[:_CALLED_INSTEAD]:
            if word not in asked:
                sure = self._confidence(view, words, everyday, logits, int(word))
                if sure >= max(_LIKELY, self.manifest.confidence.threshold):
                    return Instead(everyday.labels[word], sure)
        return None

    def tags(self, view: View) -> list[Tag]:
        """Every everyday word that the photo is recognized by, but for those that another of them implies."""
        everyday = self.everyday.candidates
        words = self.everyday.logits(view)
        logits = self._logits(view, words, everyday)
        found: dict[int, float] = {}
        for word in np.argsort(-logits, kind="stable")[:_TAGS_TRIED].tolist():
            sure = self._confidence(view, words, everyday, logits, word)
            if sure >= max(_LIKELY, self.manifest.confidence.threshold):
                found[word] = sure
        paths = {word: self.everyday.path(word) for word in found}
        implied = {above for path in paths.values() for above in path}
        tags = [
            Tag(self.everyday.words[word], sure, tuple(self.everyday.words[above] for above in paths[word]))
            for word, sure in found.items()
            if word not in implied
        ]
        return sorted(tags, key=lambda tag: -tag.confidence)

    def _known(self, labels: Sequence[str], template: str | None) -> Candidates:
        """Labels of a closed vocabulary: the model's own and the everyday words."""
        if template is not None:
            raise ClosedVocabulary(
                "This model has a closed vocabulary: it knows its own prompts only, no other template."
            )
        own = {label.casefold(): row for row, label in enumerate(self.manifest.labels)}
        rows = [own.get(label.casefold(), -1) for label in labels]
        words = [self.everyday.find(label) for label in labels]
        if unknown := [label for label, row, word in zip(labels, rows, words, strict=True) if row < 0 and word < 0]:
            raise ClosedVocabulary(_does_not_know(unknown, self.everyday))
        mine, others = self._own.embeddings, self.everyday.candidates.embeddings
        embeddings = [
            mine[row] if row >= 0 else others[word] for row, word in zip(rows, words, strict=True) if mine.size
        ]
        named = self.everyday.named(labels, np.array(embeddings))
        return named if min(rows) >= 0 else self.everyday.chosen(named)

    def _rows(self, texts: Sequence[str]) -> list[int]:
        """The positions of a closed vocabulary's own labels, in any case, in the singular or the plural."""
        own = {label.casefold(): row for row, label in enumerate(self.manifest.labels)}
        by_word = {self.everyday.find(label): row for label, row in own.items()}
        by_word.pop(-1, None)
        rows = [own.get(name := text.strip().casefold(), by_word.get(self.everyday.find(name), -1)) for text in texts]
        if unknown := [text for text, row in zip(texts, rows, strict=True) if row < 0]:
            raise ClosedVocabulary(
                "This model has a closed vocabulary, and embeddings of its own labels only, which GET / lists: "
                f"'{unknown[0][:40]}' is none of them."
            )
        return rows

    @cached_property
    def _everything(self) -> Candidates:
        """A thing takes the place of a word that is called like it."""
        words = self.everyday.everything(self._own)
        kept = [row for row, label in enumerate(words.labels) if label.casefold() not in self._things]
        return Candidates(
            [words.labels[row] for row in kept],
            words.words[kept],
            words.embeddings[kept] if words.embeddings.size else NO_EMBEDDINGS,
            overlapping=True,
            things=self._of_things.things,
        )

    @cached_property
    def _of_things(self) -> Candidates:
        return Candidates((), NO_WORDS, NO_EMBEDDINGS, things=tuple(self._things.values()))

    @cached_property
    def _label_embeddings(self) -> NDArray[np.float32]:
        """float32 [labels, dim]; a model that ranks by fine classes does not need them for that."""
        embeddings: NDArray[np.float32] = np.load(self._folder / LABEL_EMBEDDINGS)
        return embeddings

    @property
    def has_classes(self) -> bool:
        """Whether the image tower says how likely fine classes are."""
        return isinstance(self.everyday, FineClasses)

    def knows(self, name: str) -> bool:
        """Whether a name is one of the model's labels or everyday words."""
        return self.everyday.find(name) >= 0 or name.casefold() in map(str.casefold, self.manifest.labels)

    def label_cache(self) -> tuple[int, int, int]:
        """``LabelEncoder.cache_usage``; zeros while no text has been encoded."""
        return self._loaded_encoder.cache_usage() if "_loaded_encoder" in vars(self) else (0, 0, 0)

    @property
    def _encoder(self) -> "LabelEncoder":
        with self._encoder_lock:
            return self._loaded_encoder

    @cached_property
    def _loaded_encoder(self) -> "LabelEncoder":
        # The tokenizer and ftfy are only needed for new labels; a function that gets none does not load them.
        from ..inference.text_tower import LabelEncoder

        precision = self.precision
        if precision == "int8":  # the text tower is not quantized
            precision = fastest(self.manifest.agreeing - {"int8"})
        return LabelEncoder(self._folder, self.manifest, precision=precision)


def _does_not_know(labels: Sequence[str], everyday: Everyday) -> str:
    shown = []
    for label in labels[:3]:
        near = everyday.near(label[:40])
        shown.append(label[:40] + (f" (near: {', '.join(near)})" if near else ""))
    return (
        f"This model has a closed vocabulary and does not know: {', '.join(shown)}{', …' if len(labels) > 3 else ''}. "
        "GET / lists the labels and the everyday words that it knows."
    )
