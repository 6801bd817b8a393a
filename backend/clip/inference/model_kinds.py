"""Kinds of models: how a text becomes what a text tower takes.

A kind is one class behind the protocol ``ModelKind``, by its name in ``KINDS`` and in the manifest. What is special to
a model of a kind stands in the manifest's fields, in ``tokenizer.json`` and in the kind's own ``FILES``. Its
counterpart in ``export/kinds.py`` writes these from an open_clip model.
"""

import html
import re
import string
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Protocol

import ftfy
import numpy as np
from numpy.typing import NDArray

from ..manifest import Manifest

# In such text there is nothing to mend or to decode.
PLAIN = re.compile(r"[ -%'-~]*+")
# The engine keeps about 10 MB for each input shape (ViT-B/32). Padded prompts have one of these widths, or the model's
# context.
_WIDTHS = (12, 16, 24, 32, 48)
_PUNCTUATION = str.maketrans("_", " ", string.punctuation.replace("_", ""))

Array = NDArray[np.int64] | NDArray[np.float32]


class ModelKind(Protocol):
    FILES: ClassVar[tuple[str, ...]]
    """The files of this kind in an exported model folder, beside those that every open vocabulary has."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        """``folder``: the exported model."""

    @staticmethod
    def clean(text: str) -> str:
        """Clean text as open_clip's tokenizer of this kind does before it looks for tokens."""

    def length(self, tokens: int) -> int:
        """What a text of so many tokens, special ones included, costs in tokens of CLIP's text tower."""

    def pad(self, batch: Sequence[NDArray[np.int32]], rows: int) -> list[Array]:
        """What the text tower takes for a batch of texts.

        Args:
            batch: the token ids of each text, special ones included; at most ``rows``.
            rows: how many texts every batch has, those included that nobody reads.
        """


class Clip:
    """CLIP's BPE tokenizer and its lower-case cleaning; token ids go into the text tower."""

    FILES: ClassVar[tuple[str, ...]] = ()

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._manifest = manifest

    @staticmethod
    def clean(text: str) -> str:
        """Mend the encoding, decode entities, fold white space, lower case."""
        return " ".join(_mended(text).split()).lower()

    def length(self, tokens: int) -> int:
        return tokens

    def pad(self, batch: Sequence[NDArray[np.int32]], rows: int) -> list[Array]:
        width = self._manifest.context_length
        if self._manifest.trims_padding:  # causal attention does not look at what follows the end token
            longest = max(map(len, batch))
            width = min([width, *(each for each in _WIDTHS if each >= longest)])
        return [_padded(batch, rows, width, self._manifest.padding)]


class SigLip:
    """SigLIP's canonical texts, always padded to the whole context, at whose end the text tower looks.

    The multilingual vocabularies have up to 256,000 tokens: their embeddings are int8 rows in a mapped file, of which
    only those are read that a text needs, and these go into the text tower.
    """

    ROWS = "tokens.npy"
    """int8 [tokens, width]."""
    SCALES = "scales.npy"
    """float32 [tokens, 1], the factor of each row."""
    FILES: ClassVar[tuple[str, ...]] = (ROWS, SCALES)

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._manifest = manifest
        self._rows: NDArray[np.int8] = np.load(folder / self.ROWS, mmap_mode="r")
        self._scales: NDArray[np.float32] = np.load(folder / self.SCALES, mmap_mode="r")

    @staticmethod
    def clean(text: str) -> str:
        """Mend the encoding, decode entities, underscores to spaces, no ASCII punctuation, lower case, one space."""
        return " ".join(_mended(text).strip().translate(_PUNCTUATION).lower().split())

    def length(self, tokens: int) -> int:
        """The tower looks at its last position, so that it computes all of them for every text."""
        return self._manifest.label_price or tokens

    def pad(self, batch: Sequence[NDArray[np.int32]], rows: int) -> list[Array]:
        ids = _padded(batch, rows, self._manifest.context_length, self._manifest.padding)
        return [self._rows[ids] * self._scales[ids]]


KINDS: dict[str, type[ModelKind]] = {"clip": Clip, "siglip": SigLip}


def _mended(text: str) -> str:
    return text if PLAIN.fullmatch(text) else html.unescape(html.unescape(ftfy.fix_text(text)))


def _padded(batch: Sequence[NDArray[np.int32]], rows: int, width: int, padding: int) -> NDArray[np.int64]:
    padded = np.full((rows, width), padding, np.int64)
    for row, ids in zip(padded, batch, strict=False):
        row[: len(ids)] = ids
    return padded
