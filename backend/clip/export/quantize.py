"""int8: the image tower of an exported model once more, quantized by photographs, if it answers as the float one does.

NNCF's post-training quantization (SmoothQuant for transformers: Xiao et al., "SmoothQuant: Accurate and Efficient
Post-Training Quantization for Large Language Models", 2023) sees one half of the photographs; the other half is asked.
"""

import logging
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..deadline import Deadline
from ..errors import RequestError
from ..inference.engine import ov
from ..inference.image_tower import DEFAULT_FILE, FILES
from ..manifest import Checked
from ..photos.image import read_pixels
from ..photos.preprocessing import Preprocessing
from ..recognition.candidates import View
from ..recognition.query import Query
from ..recognition.recognizer import Recognizer
from .check import describe

MIN_AGREEMENT = 0.98
MIN_COSINE = 0.99
_LEAST_PHOTOS = 40
_MOST_PHOTOS = 1000
_ATTENTION = frozenset(("ScaledDotProductAttention", "Softmax"))

Pixels = Sequence[NDArray[np.uint8]]


def quantize(folder: Path, photos: Path) -> Checked:
    """Write ``image.int8.xml`` and ``.bin`` into an exported model folder.

    Args:
        photos: a folder of photographs, also in folders below it, of what the model will see. Other files are skipped.

    Returns:
        How near the quantized tower comes to the float one, on the half of the photographs that it has not seen.

    Raises:
        ValueError: too few photographs, or it agrees too little: in the best label less often than ``MIN_AGREEMENT``,
            or with a mean cosine below ``MIN_COSINE``.
    """
    floating = Recognizer(folder, precision="f32")
    pixels = _read(photos, floating.manifest.image)
    if len(pixels) < _LEAST_PHOTOS:
        raise ValueError(f"int8 needs at least {_LEAST_PHOTOS} photographs; {photos} has {len(pixels)}.")
    seen, unseen = pixels[::2], pixels[1::2]
    _write(folder, seen)
    checked = compare(floating, Recognizer(folder, precision="int8"), unseen)
    if (checked.agreement or 0) < MIN_AGREEMENT or checked.cosine < MIN_COSINE:
        raise ValueError(
            f"The model is not written: {describe('int8', checked)}; {MIN_AGREEMENT} and {MIN_COSINE} are needed."
        )
    return checked


def _read(folder: Path, preprocessing: Preprocessing) -> list[NDArray[np.uint8]]:
    """The photographs of a folder as the tower takes them, in an order that is random and always the same."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    random.Random(0).shuffle(files)  # noqa: S311
    pixels: list[NDArray[np.uint8]] = []
    for file in files:
        if len(pixels) < _MOST_PHOTOS:
            try:
                pixels.append(read_pixels(file.read_bytes(), preprocessing))
            except RequestError:  # not an image
                continue
    return pixels


def _write(folder: Path, pixels: Pixels) -> None:
    import nncf  # type: ignore[import-untyped] # a second to import

    nncf.set_log_level(logging.ERROR)
    model = ov.Core().read_model(folder / DEFAULT_FILE)
    attends = any(node.get_type_name() in _ATTENTION for node in model.get_ops())
    quantized = nncf.quantize(
        model,
        nncf.Dataset(pixels, lambda image: image[np.newaxis]),
        subset_size=len(pixels),
        model_type=nncf.ModelType.TRANSFORMER if attends else None,
    )
    ov.save_model(quantized, folder / FILES["int8"], compress_to_fp16=True)


def compare(floating: Recognizer, quantized: Recognizer, pixels: Pixels) -> Checked:
    """How often both have the same best label, and the mean cosine of their embeddings, or of their fine classes."""
    cosines, same = [], []
    for image in pixels:
        one, other = floating.embed(image), quantized.embed(image)
        cosines.append(min(_cosine(one.embedding, other.embedding), _cosine(one.classes, other.classes)))
        same.append(_best_label(floating, one) == _best_label(quantized, other))
    return Checked(round(float(np.mean(cosines)), 4), len(pixels), round(float(np.mean(same)), 4))


def _best_label(recognizer: Recognizer, view: View) -> str:
    return recognizer.rank(view, recognizer.candidates(Query(), Deadline.unlimited()), top_k=1).predictions[0].label


def _cosine(one: NDArray[Any], other: NDArray[Any]) -> float:
    """1 where a model has no fine classes."""
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other))) if one.size else 1.0
