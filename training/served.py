"""Steps 7 to 11: a checkpoint becomes the model that is served, calibrated on photographs."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from backend.clip.export.convert import export
from backend.clip.export.source import load
from backend.clip.recognition.recognizer import Recognizer
from training import background, composites, coverage
from training.calibrate import calibrate
from training.calibrations import put
from training.data import LabeledImages
from training.offsets import write_offsets
from training.photos import Photo

NAME, PRETRAINED, LICENSE = "lite2-clip-208", "cifar100", "Apache-2.0"
CALIBRATION = "calibration.json"

log = logging.getLogger(__name__)


def write_served(checkpoint: Path, photos: Sequence[Photo], held_out: LabeledImages, seed: int) -> Path:
    """Fit what photographs teach, and write the folder that the function loads, ``checkpoint``/model.

    The checkpoint gets its offsets, and ``calibration.json``. What is there already does not count: this may be called
    again.

    Args:
        checkpoint: what steps 1 to 6 have written.
        photos: those to choose on.
        held_out: images of CIFAR-100 that were not trained on.

    Returns:
        The folder.

    Raises:
        DataError: the photographs are too few.
        ExportError: the exported model disagrees with the checkpoint.
    """
    out, file = checkpoint / "model", checkpoint / CALIBRATION
    write_offsets(checkpoint, photos)
    log.info("offsets are fitted")
    source = replace(load(f"local-dir:{checkpoint}", None), name=NAME, pretrained=PRETRAINED, license=LICENSE)
    export(source, out, vocabulary="closed")
    log.info("exported")

    recognizer = _loaded(out)
    put(calibrate(recognizer, photos, held_out), recognizer.manifest, out, file)
    recognizer = _loaded(out)
    fitted = coverage.fit(coverage.judge(recognizer, photos), recognizer.manifest.confidence)
    put(fitted, recognizer.manifest, out, file)
    recognizer = _loaded(out)
    parts = composites.fit(recognizer, photos, composites.PICTURES, seed)
    put(replace(recognizer.manifest.confidence, parts=parts), recognizer.manifest, out, file)
    log.info("calibrated")

    background.install(background.of_photos(_loaded(out), photos), out)
    log.info("measured what photographs have in common")
    return out


def _loaded(folder: Path) -> Recognizer:
    return Recognizer(folder, precision="f32")
