"""Exports a loaded open_clip model to a model folder, which is written only if it agrees with open_clip."""

import platform
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray

from ..deadline import Deadline
from ..inference.engine import ov
from ..inference.image_tower import MAP
from ..inference.model_kinds import KINDS
from ..inference.text_tower import DEFAULT_TEMPLATE, LabelEncoder
from ..manifest import FILE as MANIFEST_FILE
from ..manifest import UNCALIBRATED, Calibration, Manifest, hashes
from ..photos.preprocessing import Preprocessing
from ..recognition.head import FILE as EXPLAIN_FILE
from ..recognition.phrases import FILE as PHRASES
from ..recognition.vocabulary import EMBEDDINGS, Everyday
from ..recognition.vocabulary import FILE as EVERYDAY_FILE
from .check import check_against_open_clip
from .cifar100 import LABELS, TEMPLATES
from .explain import PatchEmbeddings, layer_after_map
from .kinds import kind_of
from .languages import FILES as LANGUAGE_FILES
from .languages import write_languages
from .phrases import phrase_embeddings
from .source import ExportError, Source
from .towers import ImageTower
from .tracing import traced
from .trim import ClassTokenBlock, without_unread_tokens
from .vocabulary import vocabulary as everyday_vocabulary

_TEXT_FILES = ("text.xml", "text.bin", "tokenizer.json", *(name for kind in KINDS.values() for name in kind.FILES))
_IMAGE_FILES = ("image.xml", "image.bin", "image.int8.xml", "image.int8.bin", EXPLAIN_FILE, "explain.bin")
_FILES_OF_MODEL = (
    *(*_IMAGE_FILES, "labels.npy", EVERYDAY_FILE, EMBEDDINGS, PHRASES, *LANGUAGE_FILES),
    *_TEXT_FILES,
)
_FILES = (*_FILES_OF_MODEL, MANIFEST_FILE)
# ``Manifest.generality``. A general word that is a set of fine classes is at least as probable as each of its kinds;
# one that has an embedding is not.
_GENERALITY = 1.0
_GENERALITY_OF_CLASSES = 0.9
# Words are encoded in parts of this size: the text tower encodes no more for one request.
_WORDS = 256


def export(
    source: Source,
    out: Path,
    *,
    vocabulary: Literal["open", "closed"] = "open",
    calibration: Calibration = UNCALIBRATED,
    label_names: tuple[str, ...] = LABELS,
    templates: tuple[str, ...] = TEMPLATES,
    photos: Path | None = None,
) -> Manifest:
    """Write the exported model folder ``out``. One that is there is replaced.

    Args:
        calibration: of the confidence, for this very model.
        label_names: the labels for requests without any.
        templates: the prompts that each label's embedding is averaged over, with ``{}`` for the label.
        photos: a folder of photographs; with it the image tower is written in int8 too, see ``quantize.py``.

    Raises:
        ExportError: the tokenizer is of another kind, or the exported model disagrees with open_clip, in f32 or int8.
    """
    torch.backends.mha.set_fastpath_enabled(False)  # the fused attention kernel cannot be traced
    model, config = source.model, open_clip.get_model_preprocess_cfg(source.model)
    try:
        kind = kind_of(model, source.tokenizer)
    except ValueError as error:
        raise ExportError(str(error)) from error
    classes = source.classes if vocabulary == "closed" else None
    classifier = open_clip.build_zero_shot_classifier(
        kind, source.tokenizer, label_names, templates, num_classes_per_batch=5, use_tqdm=sys.stderr.isatty()
    )
    labels = np.ascontiguousarray(classifier.T.numpy(), dtype=np.float32)
    manifest = Manifest(
        name=source.name,
        pretrained=source.pretrained,
        weights_sha256=source.weights_sha256,
        license=source.license,
        image=Preprocessing.from_open_clip(config),
        logit_scale=float(model.logit_scale.exp()),
        logit_bias=0.0 if model.logit_bias is None else float(model.logit_bias),
        embedding_dim=labels.shape[1],
        kind=kind.NAME,
        context_length=source.tokenizer.context_length,
        padding=kind.padding,
        trims_padding=kind.trims_padding,
        label_price=kind.label_price,
        vocabulary=vocabulary,
        labels=label_names,
        templates=templates,
        confidence=calibration,
        generality=_GENERALITY if classes is None else _GENERALITY_OF_CLASSES,
        precisions={},
        files={},
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
        image_tower = ImageTower(without_unread_tokens(model), config["mean"], config["std"], classes)
        last = MAP if image_tower.has_map else None
        _convert(image_tower, pixels, [-1, *pixels.shape[1:]], folder / "image.xml", last_output=last)
        if isinstance(layer_after_map(image_tower.model.visual), ClassTokenBlock):
            tokens = image_tower(pixels)[-1][:1]
            _convert(PatchEmbeddings(image_tower.model.visual), tokens, [*tokens.shape], folder / EXPLAIN_FILE)
        _convert(*kind.tower(), folder / "text.xml")
        kind.tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
        kind.write(folder)
        if classes is None:
            everyday = everyday_vocabulary()
            encoder = LabelEncoder(folder, manifest, precision="f32", limit=None)
            everyday.write(folder, _embeddings(encoder, everyday.words))
            np.save(folder / PHRASES, phrase_embeddings(encoder))
        else:
            everyday_vocabulary(classes.count).write(folder)
            words = Everyday.read(folder, manifest.logit_scale)
            if unknown := [label for label in label_names if words.find(label) < 0]:
                raise ExportError(f"This model knows labels by its fine classes, and none of them is {unknown[0]}.")
        write_languages(folder)
        if vocabulary == "closed":
            for name in _TEXT_FILES:
                (folder / name).unlink(missing_ok=True)
        manifest.write(folder)
        try:
            checked = check_against_open_clip(
                folder,
                model,
                source.preprocess,
                source.tokenizer,
                None if classes is None else lambda pixels: image_tower(pixels)[1],
            )
            if photos is not None:
                from .quantize import quantize  # its library takes seconds to import

                checked["int8"] = quantize(folder, photos)
        except ValueError as error:
            raise ExportError(str(error)) from error
        manifest = replace(manifest, precisions=checked, files=hashes(folder, _FILES_OF_MODEL))
        manifest.write(folder)
        _install(folder, out)
    return manifest


def _embeddings(encoder: LabelEncoder, words: Sequence[str]) -> NDArray[np.float32]:
    parts = [words[start : start + _WORDS] for start in range(0, len(words), _WORDS)]
    return np.concatenate([encoder.encode(part, DEFAULT_TEMPLATE, Deadline.unlimited()) for part in parts])


def _install(folder: Path, out: Path) -> None:
    """Move the files of a new model over those of an old one; anything else in ``out`` stays, such as a model card."""
    out.mkdir(exist_ok=True)
    for name in _FILES:
        if (folder / name).exists():
            (folder / name).replace(out / name)
        else:
            (out / name).unlink(missing_ok=True)


def _convert(
    tower: torch.nn.Module, example: torch.Tensor, shape: Sequence[int], path: Path, *, last_output: str | None = None
) -> None:
    """Write a module as OpenVINO IR. ``last_output`` is a name for the last of its outputs."""
    converted = traced(tower, example, shape)
    if last_output is not None:
        converted.outputs[-1].get_tensor().set_names({last_output})
    ov.save_model(converted, path, compress_to_fp16=True)
