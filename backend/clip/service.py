"""What all routes share: the decoders, and the model behind them."""

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
    """What is said of one image."""

    ranking: Ranking
    preview: bytes
    """A JPEG file; empty where nobody asked for one."""


@dataclass(frozen=True)
class Service:
    """Its methods may be called from any number of threads, and raise what the methods raise that they call."""

    decoders: Decoders
    recognizer: Recognizer

    def candidates(self, query: Query, deadline: Deadline) -> Candidates:
        """What the query wants images to be compared with."""
        with deadline.infers():
            return self.recognizer.candidates(query, deadline)

    def view(self, image: bytes | memoryview, deadline: Deadline) -> View:
        """What the image tower says of an image file."""
        return self._embed(self._decode(image, deadline), deadline)

    def recognize(
        self, image: bytes | memoryview, candidates: Candidates, query: Query, deadline: Deadline
    ) -> Recognition:
        """The best of the candidates for an image file, and what the query wants beside them."""
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
