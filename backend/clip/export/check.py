"""Compares an exported model folder with the open_clip model that it was made from."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from ..deadline import Deadline
from ..inference.precision import available
from ..inference.text_tower import LabelEncoder
from ..manifest import MIN_COSINE, Checked, Manifest
from ..photos.image import fit
from ..recognition.recognizer import Recognizer
from .cifar100 import LABELS, TEMPLATES

_IMAGE_SIZES = ((640, 480), (300, 500), (64, 64), (1000, 200))
_PROMPTS = [TEMPLATES[i % len(TEMPLATES)].replace("{}", LABELS[i]) for i in range(20)]
_TEXTS = (
    "",
    "Über_all: 3.5 % of THIS & that?!",
    "l\u2019été",
    "ein Hund",
    "собака",
    "كلب",
    "कुत्ता",
    "犬",
    "一只狗",
    "🍎",
)
_DTYPES = {"bf16": torch.bfloat16, "f16": torch.float16}

Rows = NDArray[np.float32]
Classes = Callable[[torch.Tensor], torch.Tensor]


def check_against_open_clip(
    folder: Path, model: Any, preprocess: Any, tokenizer: Any, classes: Classes | None
) -> dict[str, Checked]:
    """Compare the embeddings of a few images and prompts, and the fine classes where there are some.

    Args:
        folder: the exported model.
        model, preprocess, tokenizer: what open_clip made it from, without gradients.
        classes: from pixels uint8 [n, height, width, 3] to the logits of the fine classes [n, classes].

    Returns:
        How each precision does. What this processor cannot compute is left to PyTorch, which can everywhere.

    Raises:
        ValueError: the model does not agree in f32, or its tokens are others.
    """
    manifest = Manifest.read(folder)
    images = [_smooth_noise(seed, size) for seed, size in enumerate(_IMAGE_SIZES)]
    pixels = np.stack([np.asarray(fit(image, manifest.image)) for image in images])

    def by_open_clip() -> dict[str, Rows]:
        prepared = torch.stack([preprocess(image) for image in images])
        rows = {"image": model.encode_image(prepared, normalize=True)}
        if classes is not None:
            rows["classes"] = classes(torch.from_numpy(pixels))
        if manifest.vocabulary == "open":
            rows["text"] = model.encode_text(tokenizer(_PROMPTS), normalize=True)
        return {name: row.float().numpy() for name, row in rows.items()}

    if manifest.vocabulary == "open":
        _require_same_tokens(folder, manifest, tokenizer)
    expected = by_open_clip()
    native, checked = available(), {}
    for precision in ("f32", *_DTYPES):
        if precision in native:
            actual = _by_export(folder, precision, pixels)
        else:
            with torch.autocast("cpu", _DTYPES[precision]):
                actual = by_open_clip()
        cosines = {name: _least_cosine(rows, actual[name]) for name, rows in expected.items()}
        tower, worst = min(cosines.items(), key=lambda item: item[1])
        checked[precision] = Checked(round(worst, 6), len(images))
        if precision == "f32" and not checked[precision].agrees:
            raise ValueError(f"The exported {tower} tower disagrees with open_clip: cosine {worst:.5f} < {MIN_COSINE}.")
    return checked


def _require_same_tokens(folder: Path, manifest: Manifest, tokenizer: Any) -> None:
    encoder = LabelEncoder(folder, manifest)
    for text in (*_PROMPTS, *_TEXTS):
        ids = encoder.tokenize(text)
        padded = [*ids, *[manifest.padding] * (manifest.context_length - len(ids))]
        if padded != tokenizer([text])[0].tolist():
            raise ValueError(f"The exported tokenizer disagrees with open_clip's about '{text}'.")


def describe(precision: str, checked: Checked) -> str:
    """What was found, in words."""
    if checked.agreement is None:
        return f"{precision}: least cosine with open_clip {checked.cosine:.5f}, of {checked.images} images"
    return (
        f"{precision}: the best label of f32 for {checked.agreement:.3f} of {checked.images} photographs, mean cosine "
        f"{checked.cosine:.4f}"
    )


def _by_export(folder: Path, precision: str, pixels: NDArray[np.uint8]) -> dict[str, Rows]:
    recognizer = Recognizer(folder, precision=precision)
    views = [recognizer.embed(each) for each in pixels]
    rows = {
        "image": np.stack([view.embedding for view in views]),
        "classes": np.stack([view.classes for view in views]).astype(np.float32),
    }
    if recognizer.manifest.vocabulary == "open":
        encoder = LabelEncoder(folder, recognizer.manifest, precision=precision)
        rows["text"] = encoder.encode(_PROMPTS, "{}", Deadline.unlimited())
    return rows


def _least_cosine(expected: Rows, actual: Rows) -> float:
    """Of the rows of both, -1 where there is none."""
    lengths = np.linalg.norm(expected, axis=1) * np.linalg.norm(actual, axis=1)
    cosines = (expected * actual).sum(axis=1) / lengths
    return float(np.nan_to_num(cosines, nan=-1).min())


def _smooth_noise(seed: int, size: tuple[int, int]) -> Image.Image:
    """Blobs of color, whose embeddings differ; those of white noise are all alike."""
    levels = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(levels).resize(size, Image.Resampling.BICUBIC)
