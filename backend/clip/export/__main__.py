"""Exports an open_clip model with the tokenizer of CLIP or SigLIP to a model folder. It runs when an image is built.

    python -m backend.clip.export --model ViT-B-32-256 --pretrained datacomp_s34b_b86k --out DIR
    python -m backend.clip.export --model local-dir:CHECKPOINT_DIR --out DIR
    python -m backend.clip.export --model hf-hub:ORGANIZATION/REPOSITORY --out DIR

The folder holds ``image.xml`` and ``.bin`` (OpenVINO IR with fp16 weights; uint8 [n, height, width, 3] in, float32
[n, dim] of unit length out; mean and std are inside), ``labels.npy`` (float32 [labels, dim], the 18 templates averaged
by open_clip), ``everyday.json`` and ``.npy`` (``vocabulary.py``), ``phrases.npy`` (``phrases.py``), ``languages.tsv``
and ``names.tsv`` (``languages.py``), ``model.json`` (``manifest.py``) and, where the vocabulary is open, ``text.xml``,
``.bin`` and ``tokenizer.json``, for SigLIP also ``tokens.npy`` and ``scales.npy`` (the embeddings of its tokens in
int8). It is written only if it agrees with open_clip.
"""

import argparse
import json
import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import Literal

from ..manifest import UNCALIBRATED, Calibration
from .check import describe
from .convert import export
from .lists import CIFAR100, read_labels, read_templates
from .source import ExportError, load


def _read_calibration(path: Path) -> Calibration:
    try:
        calibration = Calibration.read(json.loads(path.read_text(encoding="utf-8")))
        calibrated = calibration.threshold > 0 and calibration.weights.keys() == UNCALIBRATED.weights.keys()
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ExportError(f"{path} is not a calibration: {error}.") from error
    if not calibrated:
        raise ExportError(f"{path} is not a calibration: its weights must be {', '.join(UNCALIBRATED.weights)}.")
    return calibration


def _read_lists(labels: str, templates: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    try:
        return read_labels(labels), read_templates(templates)
    except ValueError as error:
        raise ExportError(str(error)) from error


def main() -> int:
    parser = argparse.ArgumentParser(prog="export", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", required=True, help="a name of open_clip, local-dir:PATH or hf-hub:ORG/REPOSITORY")
    parser.add_argument("--pretrained", help="a tag of open_clip or a weights file, with a name of open_clip")
    parser.add_argument("--out", required=True, type=Path, help="the folder to write")
    parser.add_argument("--name", help="NAME or NAME/PRETRAINED, to show instead of the model's")
    parser.add_argument("--license", help="the license of the weights, to show instead of what licenses.json knows")
    parser.add_argument("--accept-license", action="store_true", help="take weights that are not for commercial use")
    parser.add_argument("--closed-vocabulary", action="store_true", help="without the text tower")
    parser.add_argument("--labels", default=CIFAR100, help="a text file with one label a line, instead of CIFAR-100's")
    parser.add_argument("--templates", default=CIFAR100, help="a text file with one prompt a line, {} for the label")
    parser.add_argument("--confidence", type=Path, help="JSON of the confidence's calibration, for this very model")
    parser.add_argument("--int8", action="store_true", help="write the image tower in int8 too, if it agrees enough")
    parser.add_argument("--calibration", type=Path, metavar="FOLDER", help="photographs to quantize by, for --int8")
    arguments = parser.parse_args()
    if arguments.int8 != (arguments.calibration is not None):
        parser.error("--int8 and --calibration FOLDER go together")
    logging.disable()  # open_clip logs what is in the messages of its exceptions as well
    try:
        labels, templates = _read_lists(arguments.labels, arguments.templates)
        source = load(arguments.model, arguments.pretrained, accept_license=arguments.accept_license)
        name, _, pretrained = (arguments.name or "").partition("/")
        source = replace(
            source,
            name=name or source.name,
            pretrained=pretrained or source.pretrained,
            license=arguments.license or source.license,
        )
        calibration = UNCALIBRATED if arguments.confidence is None else _read_calibration(arguments.confidence)
        vocabulary: Literal["open", "closed"] = "closed" if arguments.closed_vocabulary else "open"
        manifest = export(
            source,
            arguments.out,
            vocabulary=vocabulary,
            calibration=calibration,
            label_names=labels,
            templates=templates,
            photos=arguments.calibration,
        )
    except ExportError as error:
        print(f"export: {error}", file=sys.stderr)
        return 1
    print(f"Exported {manifest.title} ({vocabulary} vocabulary) to {arguments.out}", file=sys.stderr)
    for precision, checked in manifest.precisions.items():
        print(describe(precision, checked), file=sys.stderr)
    print(f"The sha256 of its weights is {manifest.weights_sha256}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
