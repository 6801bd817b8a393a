"""A loaded open_clip model to an exported model folder, which is written only if it agrees with open_clip."""

import platform
import sys
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from PIL import Image

from ..deadline import Deadline
from ..engine import ov
from ..image import fit
from ..labels import LABELS, TEMPLATES
from ..manifest import FILE as MANIFEST_FILE
from ..manifest import Manifest, Recognition
from ..preprocessing import Preprocessing
from ..recognizer import Recognizer
from .check import check_against_open_clip
from .source import ExportError, Source
from .towers import ImageTower, TextTower, bpe_tokenizer

UNCALIBRATED = Recognition(
    "probability", 0.25, "default: no calibration images were given at export; a quarter of the probability mass"
)
TRUE_POSITIVE_RATE = 0.95

FILES = ("image.xml", "image.bin", "labels.npy", "text.xml", "text.bin", "tokenizer.json", MANIFEST_FILE)


def export(
    source: Source,
    out: Path,
    *,
    vocabulary: Literal["open", "closed"] = "open",
    calibration: NDArray[np.uint8] | None = None,
) -> Manifest:
    """Write the exported model folder ``out``, over one that is there.

    Args:
        calibration: uint8 [n, h, w, 3], held-out images of the model's own labels, to fix the threshold of
            ``recognized`` at a true-positive rate of 95 %; without, ``UNCALIBRATED`` holds.

    Raises:
        ExportError: the tokenizer is of another kind, or the exported model disagrees with open_clip.
    """
    torch.backends.mha.set_fastpath_enabled(False)  # the fused attention kernel cannot be traced
    model, config = source.model, open_clip.get_model_preprocess_cfg(source.model)
    try:
        bpe = bpe_tokenizer(source.tokenizer)
    except ValueError as error:
        raise ExportError(str(error)) from error
    size = config["size"] if isinstance(config["size"], (tuple, list)) else (config["size"],) * 2
    text_tower = TextTower(model)
    classifier = open_clip.build_zero_shot_classifier(
        model, source.tokenizer, LABELS, TEMPLATES, num_classes_per_batch=5, use_tqdm=sys.stderr.isatty()
    )
    labels = np.ascontiguousarray(classifier.T.numpy(), dtype=np.float32)
    manifest = Manifest(
        name=source.name,
        pretrained=source.pretrained,
        weights_sha256=source.weights_sha256,
        license=source.license,
        image=Preprocessing(tuple(size), config["resize_mode"], config["interpolation"], config["fill_color"]),
        logit_scale=float(model.logit_scale.exp()),
        logit_bias=None if getattr(model, "logit_bias", None) is None else float(model.logit_bias),
        embedding_dim=labels.shape[1],
        context_length=source.tokenizer.context_length,
        trims_padding=text_tower.causal,
        vocabulary=vocabulary,
        labels=LABELS,
        templates=TEMPLATES,
        recognition=UNCALIBRATED,
        exported_with={
            "python": platform.python_version(),
            **{name: version(name) for name in ("open-clip-torch", "openvino", "torch")},
        },
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".export-") as scratch:
        folder = Path(scratch)
        np.save(folder / "labels.npy", labels)
        pixels = torch.zeros(2, *manifest.image.size, 3, dtype=torch.uint8)
        _convert(
            ImageTower(model, config["mean"], config["std"]), pixels, [-1, *pixels.shape[1:]], folder / "image.xml"
        )
        if vocabulary == "open":
            length = manifest.context_length
            tokens = source.tokenizer(["a photo of a cat.", "a dog"])
            _convert(text_tower, tokens, [-1, -1 if text_tower.causal else length], folder / "text.xml")
            bpe.save(str(folder / "tokenizer.json"))
        manifest.write(folder)
        try:
            check_against_open_clip(folder, model, source.preprocess, source.tokenizer)
        except ValueError as error:
            raise ExportError(str(error)) from error
        if calibration is not None:
            manifest = _calibrated(manifest, folder, calibration)
            manifest.write(folder)
        _install(folder, out)
    return manifest


def _install(folder: Path, out: Path) -> None:
    """Move the files of a new model over those of an old one; anything else in ``out`` stays, such as a model card."""
    out.mkdir(exist_ok=True)
    for name in FILES:
        if (folder / name).exists():
            (folder / name).replace(out / name)
        else:
            (out / name).unlink(missing_ok=True)


def _convert(tower: torch.nn.Module, example: torch.Tensor, shape: Sequence[int], path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer warns of every shape that it turns into a constant
        converted = ov.convert_model(tower, example_input=example, input=list(shape))
    ov.save_model(converted, path, compress_to_fp16=True)


def _calibrated(manifest: Manifest, folder: Path, images: NDArray[np.uint8]) -> Manifest:
    statistic: Literal["cosine", "energy"] = "energy" if manifest.vocabulary == "closed" else "cosine"
    source = f"{TRUE_POSITIVE_RATE:.0%} of {len(images)} held-out images of the known labels are above it"
    manifest = replace(manifest, recognition=Recognition(statistic, 0.0, source))
    manifest.write(folder)
    recognizer = Recognizer(folder)
    candidates = recognizer.candidates((), None, Deadline.unlimited())
    pixels = (np.asarray(fit(Image.fromarray(image), manifest.image)) for image in images)
    evidence = [recognizer.rank(recognizer.embed(each), candidates, 1).evidence for each in pixels]
    threshold = round(float(np.quantile(evidence, 1 - TRUE_POSITIVE_RATE)), 4)
    return replace(manifest, recognition=Recognition(statistic, threshold, source))
