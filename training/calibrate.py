"""Calibrates the confidence of an exported model on photographs.

    python -m training.calibrate --model EXPORTED --data cifar100.npz --photos PHOTOS [PHOTOS ...] --out FILE.json

Of the photographs only the part to choose on counts, of CIFAR-100 only held-out images; beside them stand pictures that
are drawn by a program. ``python -m backend.clip.export --confidence FILE.json`` puts the result into the model.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from backend.clip.export.calibration import fit, log_odds
from backend.clip.export.cifar100 import LABELS
from backend.clip.manifest import Calibration
from backend.clip.recognition.recognizer import Recognizer
from training.answers import ask, by_model
from training.calibrations import write
from training.data import DataError, LabeledImages
from training.evaluate import evaluation_images, png
from training.photos import Photo, list_photos, part_of, seen
from training.unknown_things import drawn_images

DRAWN_PER_KIND = 25
DRAWN_SEED = 100
VALIDATION_WEIGHT, DRAWN_WEIGHT = 0.1, 0.5
"""Of one such image, beside a photograph's 1."""
WRONGLY, WRONGLY_SEEN = 0.12, 0.06
"""The threshold of ``recognized`` is the least one at which so few photographs of other things are recognized.

The second number is for photographs that ImageNet's weights may have seen."""


def calibrate(recognizer: Recognizer, photos: Sequence[Photo], images: LabeledImages) -> Calibration:
    """The logistic function of the log-odds that fits the answers best (least logarithmic loss), and the threshold.

    Args:
        photos: some of things that the labels name and some of other things.
        images: CIFAR-100's, held out.
    """
    recognize = by_model(recognizer)
    bodies = [photo.path.read_bytes() for photo in photos]
    small = (png(Image.fromarray(image)) for image in images.images)
    drawn = [png(image) for _, image in drawn_images(DRAWN_PER_KIND, DRAWN_SEED)]
    answers = ask(recognize, bodies, {}, "photographs", len(bodies))
    of_photos = [a.labels[0] == photo.label for a, photo in zip(answers, photos, strict=True)]
    answers += ask(recognize, small, {}, "held-out images", len(images.labels))
    truth = [LABELS[label] for label in images.labels]
    of_small = [a.labels[0] == label for a, label in zip(answers[len(photos) :], truth, strict=True)]
    answers += ask(recognize, drawn, {}, "drawn", len(drawn))
    right = np.array([*of_photos, *of_small, *([False] * len(drawn))])
    weights = np.repeat([1.0, VALIDATION_WEIGHT, DRAWN_WEIGHT], [len(photos), len(of_small), len(drawn)])
    evidence = log_odds([answer.confidence for answer in answers], recognizer.manifest.confidence)
    fitted = fit(evidence, right, weights)
    confident = fitted.confidences(evidence[: len(photos)])
    return Calibration(
        round(_threshold(confident, photos), 3),
        {"share": round(fitted.share, 4), "bias": round(fitted.bias, 4)},
        f"calibrated on {len(photos)} photographs, {len(of_small)} held-out images of CIFAR-100 and {len(drawn)} "
        "pictures drawn by a program",
    )


def _threshold(confident: NDArray[np.float64], photos: Sequence[Photo]) -> float:
    limits = []
    for of_seen, allowed in ((False, WRONGLY), (True, WRONGLY_SEEN)):
        others = [not photo.label and seen(photo) == of_seen for photo in photos]
        if any(others):
            limits.append(float(np.quantile(confident[others], 1 - allowed)))
    return max(limits, default=0.5)


def main() -> int:
    parser = argparse.ArgumentParser(prog="calibrate", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", type=Path, required=True, help="an exported model folder")
    parser.add_argument("--data", type=Path, required=True, help="CIFAR-100 as NPZ, of which the held-out part counts")
    parser.add_argument("--photos", type=Path, required=True, nargs="+", help="folders of photographs with an index")
    parser.add_argument("--out", type=Path, required=True, help="the JSON file to write")
    arguments = parser.parse_args()
    try:
        photos = [photo for folder in arguments.photos for photo in part_of(list_photos(folder), "choose")]
        calibration = calibrate(Recognizer(arguments.model), photos, evaluation_images(arguments.data)[1])
    except (DataError, FileNotFoundError) as error:
        print(f"calibrate: {error}", file=sys.stderr)
        return 1
    write(calibration, arguments.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
