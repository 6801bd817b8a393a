"""Phrases for what no everyday word names: an adjective and a general noun each, such as "rusty item".

They are the conjugated semantic pool of Chen et al., "Conjugated Semantic Pool Improves OOD Detection with Pre-trained
Vision-Language Models", NeurIPS 2024: each is like the middle of many different things that look alike, so that it is
likely for a picture of something that has no word. As there, every adjective gets one of the nouns, by chance, and the
embedding of a phrase is the mean over four prompts.
"""

import random
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..deadline import Deadline
from ..inference.text_tower import LabelEncoder
from .lists import lines

NOUNS = (
    "environment", "space", "object", "scene", "place", "item", "area", "view", "thing", "pattern", "structure",
    "landscape", "vista", "creature",
)  # fmt: skip
PROMPTS = ("{}", "a nice photo of {}", "a good photo of {}", "a close-up photo of {}")
_ADJECTIVES = Path(__file__).with_name("adjectives.txt")
# The text tower encodes no more for one request.
_AT_A_TIME = 256


def phrases() -> tuple[str, ...]:
    """All phrases, in the order of the adjectives; the same ones every time."""
    rng = random.Random(0)  # noqa: S311
    return tuple(f"{adjective} {rng.choice(NOUNS)}" for adjective in lines(_ADJECTIVES))


def phrase_embeddings(encoder: LabelEncoder) -> NDArray[np.float32]:
    """float32 [phrases, dim], rows of unit length."""
    every = phrases()
    parts = [every[start : start + _AT_A_TIME] for start in range(0, len(every), _AT_A_TIME)]
    means = np.concatenate(
        [np.mean([encoder.encode(part, prompt, Deadline.unlimited()) for prompt in PROMPTS], axis=0) for part in parts]
    )
    return np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True), np.float32)
