"""Compares an exported model folder with the open_clip model that it was made from."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from ..deadline import Deadline
from ..image import fit
from ..manifest import Manifest
from ..recognizer import Recognizer
from ..text import LabelEncoder
from .cifar100 import LABELS, TEMPLATES

_MIN_COSINE = 0.999
_IMAGE_SIZES = ((640, 480), (300, 500), (64, 64), (1000, 200))
_PROMPTS = 20


def check_against_open_clip(
    folder: Path, model: Any, preprocess: Any, tokenizer: Any, classes: Callable[[torch.Tensor], torch.Tensor] | None
) -> None:
    """Compare the embeddings of a few images and prompts, in f32, and the fine classes where there are some.

    Args:
        folder: the exported model.
        model, preprocess, tokenizer: what open_clip made it from, without gradients.
        classes: from pixels uint8 [n, height, width, 3] to the logits of the fine classes [n, classes].

    Raises:
        ValueError: a cosine is below 0.999.
    """
    manifest = Manifest.read(folder)
    recognizer = Recognizer(folder, precision="f32")
    images = [_smooth_noise(seed, size) for seed, size in enumerate(_IMAGE_SIZES)]
    expected = model.encode_image(torch.stack([preprocess(image) for image in images]), normalize=True).numpy()
    pixels = np.stack([np.asarray(fit(image, manifest.image)) for image in images])
    views = [recognizer.embed(each) for each in pixels]
    _require_agreement("image", expected, np.stack([view.embedding for view in views]))
    if classes is not None:
        logits = classes(torch.from_numpy(pixels)).numpy(), np.stack([view.classes for view in views])
        _require_agreement("image", *(each / np.linalg.norm(each, axis=1, keepdims=True) for each in logits))
    if manifest.vocabulary == "open":
        prompts = [TEMPLATES[i % len(TEMPLATES)].replace("{}", LABELS[i]) for i in range(_PROMPTS)]
        expected = model.encode_text(tokenizer(prompts), normalize=True).numpy()
        encoder = LabelEncoder(folder, manifest, precision="f32")
        _require_agreement("text", expected, encoder.encode(prompts, "{}", Deadline.unlimited()))


def _require_agreement(tower: str, expected: "np.ndarray[Any, Any]", actual: "np.ndarray[Any, Any]") -> None:
    worst = float((expected * actual).sum(axis=1).min())
    if not worst >= _MIN_COSINE:
        raise ValueError(f"The exported {tower} tower disagrees with open_clip: cosine {worst:.5f} < {_MIN_COSINE}.")


def _smooth_noise(seed: int, size: tuple[int, int]) -> Image.Image:
    """Blobs of color, whose embeddings differ; those of white noise are all alike."""
    levels = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(levels).resize(size, Image.Resampling.BICUBIC)
