"""What all routes use: the decoders and the model."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .deadline import Deadline
from .decoding import Decoders
from .everyday import Candidates, View
from .photo import Photo
from .query import Query
from .recognizer import Ranking, Recognizer


@dataclass(frozen=True)
class Recognition:
    """The result for one image."""

    ranking: Ranking
    preview: bytes
    """A JPEG file; empty unless it was asked for."""


@dataclass(frozen=True)
class Service:
    """Its methods may be called from any number of threads, and raise the errors of the methods that they call."""

    decoders: Decoders
    recognizer: Recognizer

    def candidates(self, query: Query, deadline: Deadline) -> Candidates:
        """The candidates of the query."""
        with deadline.infers():
            return self.recognizer.candidates(query, deadline)

    def view(self, image: bytes | memoryview, deadline: Deadline) -> View:
        """The image tower's outputs for an image file."""
        return self._embed(self._decode(image, deadline), deadline)

    def recognize(
        self, image: bytes | memoryview, candidates: Candidates, query: Query, deadline: Deadline
    ) -> Recognition:
        """The best of the candidates for an image file, with what else the query asks for."""
        photo = self._decode(image, deadline, preview=query.preview)
        view = self._embed(photo, deadline)
        with deadline.infers():
            return Recognition(self.recognizer.rank(view, candidates, query.top_k), photo.preview)

    def encode(self, texts: Sequence[str], deadline: Deadline) -> tuple[NDArray[np.float32], int]:
        """float32 [texts, dim], and the number of their tokens."""
        with deadline.infers():
            return self.recognizer.encode(texts, deadline)

    def _decode(self, image: bytes | memoryview, deadline: Deadline, *, preview: bool = False) -> Photo:
        with deadline.decodes():
            return self.decoders.read_photo(image, self.recognizer.manifest.image, deadline, preview=preview)

    def _embed(self, photo: Photo, deadline: Deadline) -> View:
        deadline.require()
        with deadline.infers():
            return self.recognizer.embed(photo.pixels)
