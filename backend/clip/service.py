"""What all routes share: the decoders, and the model behind them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .deadline import Deadline
from .decoding import Decoders
from .everyday import Candidates, View
from .query import Query
from .recognizer import Ranking, Recognizer


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
        with deadline.decodes():
            pixels = self.decoders.read_pixels(image, self.recognizer.manifest.image, deadline)
        deadline.require()
        with deadline.infers():
            return self.recognizer.embed(pixels)

    def encode(self, texts: Sequence[str], deadline: Deadline) -> tuple[NDArray[np.float32], int]:
        """float32 [texts, dim], and the number of their tokens."""
        with deadline.infers():
            return self.recognizer.encode(texts, deadline)

    def rank(self, image: bytes | memoryview, candidates: Candidates, top_k: int, deadline: Deadline) -> Ranking:
        """The best of the candidates for an image file."""
        view = self.view(image, deadline)
        with deadline.infers():
            return self.recognizer.rank(view, candidates, top_k)
