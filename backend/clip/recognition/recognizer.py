"""The model: pixels to ranked labels, from an exported model folder."""

import logging
import math
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..deadline import Deadline
from ..errors import BadParameter, ClosedVocabulary
from ..inference.image_tower import ImageTower
from ..inference.precision import fastest, setting
from ..manifest import Manifest
from .background import Background
from .candidates import NO_EMBEDDINGS, NO_WORDS, Candidates, View
from .confidence import Evidence, confidence, multi_match, probabilities
from .coverage import CoveredLabels, LabelSet, likelihoods
from .examples import RECOGNIZED, Examples, confidences
from .explanation import Explainer
from .head import Head
from .parts import Parts
from .phrases import FILE as PHRASES
from .phrases import Phrases
from .query import Query
from .tags import TAGGED, Tag, found_tags
from .unknown import does_not_know, unknown_labels
from .vocabulary import LABEL_EMBEDDINGS, NEAREST, Everyday, FineClasses, WordEmbeddings

if TYPE_CHECKING:
    from ..inference.text_tower import LabelEncoder

_log = logging.getLogger("function")

# The so many best everyday words are tried; one is reported as ``instead``, or as a tag, only if it is more likely
# right than wrong.
_CALLED_INSTEAD = 5
_LIKELY = 0.5
_LEAST = 1e-300
_SureOfWords = Callable[[], NDArray[np.float64]]
# A label is looked for together with so many of its strongest rivals, as in the paper (``multi_match``).
_TOGETHER = 5


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
class Ranking:
    predictions: list[Prediction]
    """Best first."""
    confidence: float
    """The probability, 0 to 1, that the best label names what is in the photo."""
    recognized: bool
    """Whether that reaches ``Calibration.threshold``."""
    instead: Instead | None
    """The everyday word that the photo is recognized by, if it is by none of the candidates."""

    @property
    def claim(self) -> str:
        """What the photo shows, as far as is known: the best label, or what it is instead."""
        return self.instead.label if self.instead else self.predictions[0].label


class Recognizer:
    """A loaded model. Its methods may be called from any number of threads."""

    def __init__(self, folder: Path, *, precision: str | None = None) -> None:
        """Load the exported model in ``folder`` and run it once, so that no request pays for that.

        Args:
            folder: see ``export.py`` for what is in it.
            precision: one of ``PRECISIONS``; None takes that of the setting, or else the fastest that agrees.

        Raises:
            FileNotFoundError: the folder is not an exported model.
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
        self.covered = CoveredLabels(self.manifest.labels, self.everyday, self.manifest.confidence.coverage)
        self.examples = Examples.read(folder, self.manifest)
        self.background = Background.read(folder, "embedding")
        """What photographs' embeddings have in common; None where nobody has measured that of this model."""
        names = self.examples.names if self.examples else ()
        self._things = {name.casefold(): thing for thing, name in enumerate(names)}
        self.observe_batch: Callable[[int], None] = lambda size: None
        """Is called with the number of images of each run of the image tower."""
        self._tower = ImageTower(folder, self.precision, lambda size: self.observe_batch(size))
        self.explainer = None
        self._parts = None
        if self._tower.has_map:
            precision = "f32" if self.precision == "int8" else self.precision
            head = Head(folder, precision)
            self.explainer = Explainer(head, self.everyday, self.examples, self.manifest.image)
            if isinstance(self.everyday, FineClasses):
                # Parts are of another shape than the positions of an explanation.
                self._parts = Parts(Head(folder, precision), self.everyday)
        if self.manifest.confidence.negatives == "phrases":
            _ = self._phrases
        if self.manifest.confidence.together is not None and not self.pairs_words:
            raise ValueError(f"{folder} has a closed vocabulary and the calibration of an open one: calibrate it.")
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
            return self._known(query.labels, query.template, skip=query.skip_unknown)
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

    def rank(self, view: View, candidates: Candidates, top_k: int, deadline: Deadline | None = None) -> Ranking:
        """The best labels, by the softmax over the candidates, and how sure the first of them is.

        Args:
            top_k: how many predictions, at most as many as there are candidates.
            deadline: of the request; None where none waits.

        Raises:
            Busy: the model is calibrated with pairs of words, and they could not be encoded in time.
        """
        words = self.everyday.logits(view)
        sure_of_words = cache(lambda: self._confidences(view, words))
        own = self._logits(view, words, candidates, sure_of_words)
        odds = self.examples.log_odds(view) if self.examples else np.empty(0)
        logits = np.concatenate([own, self._thing_logits(view, words, candidates, odds)])
        exponents = np.exp(logits - logits.max())
        shares = exponents / exponents.sum()
        best = np.argsort(-logits, kind="stable")[:top_k]
        first = int(best[0])
        if first < len(own):
            sure = self._confidence(
                view, words, candidates, own, first, sure_of_words, deadline or Deadline.unlimited()
            )
            enough = self.manifest.confidence.threshold
        else:
            sure, enough = float(confidences(odds)[candidates.things[first - len(own)]]), RECOGNIZED
        recognized = sure >= enough
        names = [self._name(candidates, i) for i in best]
        return Ranking(
            [Prediction(name, score) for name, score in zip(names, shares[best].tolist(), strict=True)],
            sure,
            recognized,
            None if recognized else self._instead(view, words, candidates.words, sure_of_words()),
        )

    def _thing_logits(
        self, view: View, words: NDArray[np.float64], candidates: Candidates, odds: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Of the things among the candidates, float64 [things], on the scale of ``_logits``."""
        if not candidates.things:
            return np.empty(0)
        things = np.array(candidates.things, np.intp)
        if candidates.overlapping and not candidates.embeddings.size:
            return np.asarray(np.log(np.maximum(confidences(odds)[things], _LEAST)))
        return self.everyday.total(view, words) + odds[things]

    def _name(self, candidates: Candidates, position: int) -> str:
        if self.examples and position >= len(candidates.labels):
            return self.examples.names[candidates.things[position - len(candidates.labels)]]
        return candidates.labels[position]

    def label_set(self, view: View, candidates: Candidates, query: Query) -> LabelSet:
        """The candidates of which one is right, for the share of photos that the query asks for.

        Raises:
            BadParameter: the model is not calibrated for this, see ``CoveredLabels.asked``.
        """
        asked = self.covered.asked(query, candidates)
        assert query.coverage is not None  # noqa: S101
        return self.covered.choose(query.coverage, self.likelihoods(view), asked)

    def likelihoods(self, view: View) -> list[tuple[str, float]]:
        """How likely each of the model's own labels is, best first."""
        ranking = self.rank(view, self._own, len(self._own.labels))
        return likelihoods(ranking.predictions, ranking.confidence)

    def _logits(
        self, view: View, words: NDArray[np.float64], candidates: Candidates, sure_of_words: _SureOfWords
    ) -> NDArray[np.float64]:
        """Of the candidates, float64 [labels]: what they are ranked by.

        Of overlapping candidates a general word is at least as likely as its kinds, and the most special one that is
        sure enough is wanted. So each level of more special words below a word takes a share of its weight.
        """
        if candidates.embeddings.size:
            # A matrix product of 1,000 rows would start BLAS threads, which spin on the processors that OpenVINO needs.
            cosines: NDArray[np.float32] = np.vecdot(candidates.embeddings, view.embedding)
            logits = self.manifest.logit_scale * cosines.astype(np.float64)
            return logits + self._generalities(candidates.words) if candidates.overlapping else logits
        if candidates.overlapping:
            return self._by_confidence(sure_of_words(), candidates.words)
        return words[candidates.words] + candidates.offsets

    def _by_confidence(self, sure: NDArray[np.float64], words: NDArray[np.intp]) -> NDArray[np.float64]:
        """Of some everyday words, float64 [words], what they are ranked by.

        Args:
            sure: ``_confidences`` of all everyday words.
        """
        return np.asarray(np.log(np.maximum(sure[words], _LEAST)) + self._generalities(words))

    def _generalities(self, words: NDArray[np.intp]) -> NDArray[np.float64]:
        """float64 [words], the logarithm of what each has left of its weight for the words below it; -1 is no word."""
        heights = np.where(words < 0, 0, self.everyday.heights[words])
        return np.asarray(heights * math.log(self.manifest.generality))

    def _confidences(self, view: View, words: NDArray[np.float64]) -> NDArray[np.float64]:
        """The probability of each everyday word that the photo shows it; no general word has less than a kind of it."""
        log_odds = self.everyday.log_odds(view, words)
        if self.manifest.confidence.negatives == "phrases":
            rivals = self._phrases.of_words(view, self.everyday.candidates.embeddings, NEAREST)
            log_odds = -np.logaddexp(-log_odds, rivals - words)
        return self.everyday.kinds.coherent(probabilities(log_odds, self.manifest.confidence.weights))

    def _confidence(
        self,
        view: View,
        words: NDArray[np.float64],
        candidates: Candidates,
        logits: NDArray[np.float64],
        best: int,
        sure_of_words: _SureOfWords,
        deadline: Deadline,
    ) -> float:
        """The probability of the best candidate; ``deadline`` is that of the request, for what has to be encoded."""
        word = int(candidates.words[best])
        fits_together = candidates.overlapping or not candidates.embeddings.size
        if word >= 0 and fits_together and not self.everyday.alone(word):
            if not candidates.embeddings.size:
                return float(sure_of_words()[word])
            known = candidates.words >= 0
            words = words.copy()  # the labels among the words have embeddings of their own
            words[candidates.words[known]] = logits[known]
            return float(self._confidences(view, words)[word])
        logit, rivals = self.everyday.rivals(view, words, candidates, logits, best)
        if self.manifest.confidence.negatives == "phrases":
            rivals = np.concatenate([rivals, self._phrases.rivals(view, candidates.embeddings[best], NEAREST)])
        together = None
        if self.manifest.confidence.together is not None:
            together = self.together(view, candidates, best, deadline)
        return confidence(Evidence(logit, rivals, together), self.manifest.confidence)

    @property
    def pairs_words(self) -> bool:
        """Whether a label can be looked for together with others, see ``Calibration.together``."""
        return self.manifest.vocabulary == "open"

    def together(self, view: View, candidates: Candidates, best: int, deadline: Deadline) -> float | None:
        """``multi_match`` of a candidate with its strongest rivals; None where their names are too long together.

        Raises:
            Busy: the text tower could not encode them in time.
        """
        from ..inference.text_tower import DEFAULT_TEMPLATE

        assert isinstance(self.everyday, WordEmbeddings)  # noqa: S101
        names, logits = self.everyday.strongest(view, candidates, best, _TOGETHER)
        label = candidates.labels[best]
        try:
            pairs = self._encoder.encode([f"{label} and {name}" for name in names], DEFAULT_TEMPLATE, deadline)
        except BadParameter:
            return None
        return multi_match(self.manifest.logit_scale * np.vecdot(pairs, view.embedding).astype(np.float64), logits)

    def _instead(
        self, view: View, words: NDArray[np.float64], asked: NDArray[np.intp], sure: NDArray[np.float64]
    ) -> Instead | None:
        """The first of all everyday words that is not among the ``asked`` ones, if it is sure enough.

        Args:
            sure: ``_confidences(view, words)``.
        """
        everyday = self.everyday.candidates
        if sure.max() < self._claimed:
            return None
        if everyday.embeddings.size:
            logits = words + self._generalities(everyday.words)
        else:
            logits = self._by_confidence(sure, everyday.words)
        # Sorting all words takes several times as long.
        best = np.argpartition(-logits, _CALLED_INSTEAD)[:_CALLED_INSTEAD]
        known = set(asked.tolist())
        for word in best[np.argsort(-logits[best], kind="stable")].tolist():
            if word not in known and sure[word] >= self._claimed:
                return Instead(everyday.labels[word], float(sure[word]))
        return None

    @property
    def _claimed(self) -> float:
        """The confidence from which on a word that was not asked for is claimed."""
        return max(_LIKELY, self.manifest.confidence.threshold)

    @property
    def has_parts(self) -> bool:
        """Whether parts of a photo can be looked at, by a view with its map."""
        return self._parts is not None

    @property
    def tags_need_map(self) -> bool:
        """Whether ``tags`` takes a view with its map."""
        return self.has_parts and self.manifest.confidence.parts is not None

    def tags(self, view: View, deadline: Deadline | None = None) -> list[Tag]:
        """Every everyday word that the photo is recognized by, but for those that another of them implies.

        Where parts of the photo are looked at as well, that is the first word of all, and every other one that is
        sure enough in the whole or in a part.

        Args:
            view: with its map, or no parts are looked at; see ``tags_need_map``.
            deadline: of the request; None where none waits.

        Raises:
            Busy: the time of the request is over, or its caller has gone.
        """
        sure = self._confidences(view, self.everyday.logits(view))
        weights = self.manifest.confidence.parts
        if self._parts is None or weights is None or view.map is None:
            return found_tags(self.everyday, np.where(sure >= self._claimed, sure, 0))
        odds = self._parts.log_odds(view, deadline or Deadline.unlimited())
        in_part = self.everyday.kinds.coherent(probabilities(odds, weights))
        found = sure >= TAGGED
        first = int(np.argmax(self._by_confidence(sure, self.everyday.candidates.words)))
        found[first] |= sure[first] >= self._claimed
        return found_tags(self.everyday, np.where(found, sure, np.where(in_part >= TAGGED, in_part, 0)))

    def part_log_odds(self, view: View) -> NDArray[np.float64]:
        """``Parts.log_odds``, of a model that has fine classes and a map, by which ``Calibration.parts`` is fitted."""
        assert self._parts is not None  # noqa: S101
        return self._parts.log_odds(view, Deadline.unlimited())

    def _known(self, labels: Sequence[str], template: str | None, *, skip: bool) -> Candidates:
        """Labels of a closed vocabulary: the model's own and the everyday words; ``skip`` leaves the others out."""
        if template is not None:
            raise ClosedVocabulary(
                "This model has a closed vocabulary: it knows its own prompts only, no other template."
            )
        own = {label.casefold(): row for row, label in enumerate(self.manifest.labels)}
        known: dict[str, tuple[int, int]] = {}
        strange = []
        for label in labels:
            row, word = own.get(label.casefold(), -1), self.everyday.find(label)
            if row < 0 and word < 0:
                strange.append(label)
            else:
                known[label] = row, word
        unknown = unknown_labels(strange, self.everyday)
        if unknown and not (skip and known):
            raise does_not_know(unknown, others=bool(known))
        mine, others = self._own.embeddings, self.everyday.candidates.embeddings
        embeddings = [mine[row] if row >= 0 else others[word] for row, word in known.values() if mine.size]
        named = replace(self.everyday.named(tuple(known), np.array(embeddings)), unknown=unknown)
        return named if all(row >= 0 for row, _ in known.values()) else self.everyday.chosen(named)

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
    def has_phrases(self) -> bool:
        """Whether phrases can compete with the candidates, see ``Calibration.negatives``."""
        return (self._folder / PHRASES).exists()

    @cached_property
    def _phrases(self) -> Phrases:
        return Phrases.read(self._folder, self.manifest.logit_scale)

    @property
    def is_multilingual(self) -> bool:
        """Whether the text tower may read other languages than English, as that of SigLIP 2 does."""
        return self.manifest.vocabulary == "open" and self.manifest.kind == "siglip"

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
