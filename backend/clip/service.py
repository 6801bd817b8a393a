"""What all routes use: the decoders and the model."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .deadline import Deadline
from .decoders.lanes import Decoders
from .errors import BadParameter, UnknownLabel
from .photos.photo import Photo
from .recognition.candidates import Candidates, View
from .recognition.coverage import LabelSet
from .recognition.explanation import Explanation
from .recognition.query import Query
from .recognition.recognizer import Ranking, Recognizer
from .recognition.tags import Tag


@dataclass(frozen=True)
class Recognition:
    """The result for one image."""

    ranking: Ranking
    preview: bytes
    """A JPEG file; empty unless it was asked for."""
    explanation: Explanation | None
    """None unless it was asked for."""
    tags: Sequence[Tag] | None = None
    """None unless they were asked for."""
    warnings: tuple[str, ...] = ()
    """See ``Photo.warnings``."""
    unknown: tuple[UnknownLabel, ...] = ()
    """See ``Candidates.unknown``."""
    label_set: LabelSet | None = None
    """None unless it was asked for."""


@dataclass(frozen=True)
class Service:
    """Its methods may be called from any number of threads, and raise the errors of the methods that they call."""

    decoders: Decoders
    recognizer: Recognizer

    def candidates(self, query: Query, deadline: Deadline) -> Candidates:
        """The candidates of the query.

        Raises:
            BadParameter: it asks for an explanation or a coverage that the model does not have.
        """
        explainer = self.recognizer.explainer
        if query.explain and explainer is None:
            raise BadParameter("This model cannot say where in a photo it found a label: leave explain out.")
        with deadline.infers():
            candidates = self.recognizer.candidates(query, deadline)
        if explainer is not None and query.explained is not None:
            explainer.subject(candidates, query.explained)
        if query.coverage is not None:
            self.recognizer.covered.asked(query, candidates)
        return candidates

    def view(self, image: bytes | memoryview, deadline: Deadline) -> tuple[View, tuple[str, ...]]:
        """The image tower's outputs for an image file, and the photo's warnings."""
        with self.recognizer.expect():
            photo = self._decode(image, deadline)
            return self._embed(photo, deadline), photo.warnings

    def recognize(
        self, image: bytes | memoryview, candidates: Candidates, query: Query, deadline: Deadline
    ) -> Recognition:
        """The best of the candidates for an image file, with what else the query asks for."""
        with self.recognizer.expect():
            photo = self._decode(image, deadline, preview=query.preview)
            with_map = query.explain or (query.tags and self.recognizer.tags_need_map)
            view = self._embed(photo, deadline, with_map=with_map)
        with deadline.infers():
            deadline.require()
            ranking = self.recognizer.rank(view, candidates, query.top_k, deadline)
            explainer = self.recognizer.explainer
            explanation = None
            if query.explain and explainer is not None:
                subject = explainer.subject(candidates, query.explained or ranking.claim)
                explanation = explainer.explain(view, *subject, photo.size, deadline)
            tags = self.recognizer.tags(view, deadline) if query.tags else None
            covering = None if query.coverage is None else self.recognizer.label_set(view, candidates, query)
        return Recognition(ranking, photo.preview, explanation, tags, photo.warnings, candidates.unknown, covering)

    def encode(self, texts: Sequence[str], deadline: Deadline) -> tuple[NDArray[np.float32], int]:
        """float32 [texts, dim], and the number of their tokens."""
        with deadline.infers():
            return self.recognizer.encode(texts, deadline)

    def _decode(self, image: bytes | memoryview, deadline: Deadline, *, preview: bool = False) -> Photo:
        with deadline.decodes():
            return self.decoders.read_photo(image, self.recognizer.manifest.image, deadline, preview=preview)

    def _embed(self, photo: Photo, deadline: Deadline, *, with_map: bool = False) -> View:
        with deadline.infers():
            return self.recognizer.embed(photo.pixels, deadline, with_map=with_map)
