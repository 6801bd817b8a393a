"""Measures an exported model on CIFAR-100, on photographs, and on things that it cannot know.

    python -m training.evaluate --model backend/clip/model --data cifar100.npz --photos PHOTOS
    python -m training.evaluate --data cifar-100-python.tar.gz --photos PHOTOS --url http://127.0.0.1:8080/function/clip

Of the official archive, and of an NPZ file no larger than the official test set, every (test) image counts; of a
larger NPZ file, a training set, only the split that training holds out. With `--url` every image is posted to a
running function.
"""

import argparse
import io
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import requests
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from backend.clip.deadline import Deadline
from backend.clip.image import read_pixels
from backend.clip.labels import LABELS
from backend.clip.query import Query
from backend.clip.recognizer import Recognizer
from training.data import DataError, LabeledImages, list_photos, read_cifar100, split
from training.figures import expected_calibration_error, reliability, reliability_diagram, top_k_accuracy
from training.outside import outside_images

TEST_SET_IMAGES = 10_000
TIMED_IMAGES = 100


class Answer(NamedTuple):
    """`scores` float64 [100], the probability of each label; `recognized` as the function answers it."""

    scores: NDArray[np.float64]
    recognized: bool


class EvaluationError(Exception):
    """The function at a URL, or the model, does not answer as it should."""


Recognize = Callable[[bytes], Answer]


def by_model(recognizer: Recognizer) -> Recognize:
    """Answers with the exported model itself, from the bytes of an image file."""

    def recognize(body: bytes) -> Answer:
        embedding = recognizer.embed(read_pixels(body, recognizer.manifest.image))
        ranking = recognizer.rank(embedding, recognizer.candidates(Query(), Deadline.unlimited()), len(LABELS))
        return _answer([(entry.label, entry.score) for entry in ranking.predictions], ranking.recognized)

    return recognize


def by_url(url: str) -> Recognize:
    """Answers with the function at `url`, to which the bytes are posted."""
    session = requests.Session()

    def recognize(body: bytes) -> Answer:
        try:
            response = session.post(url, params={"top_k": len(LABELS)}, data=body, timeout=60)
            response.raise_for_status()
            answer = response.json()
            return _answer([(e["label"], e["score"]) for e in answer["predictions"]], answer["recognized"])
        except (requests.RequestException, KeyError, TypeError) as error:
            raise EvaluationError(f"{url} did not answer as the clip function does: {error}") from error

    return recognize


def _answer(predictions: list[tuple[str, float]], recognized: bool) -> Answer:
    score = dict(predictions)
    if score.keys() != set(LABELS):
        raise EvaluationError("the model does not rank the 100 labels of CIFAR-100")
    return Answer(np.array([score[label] for label in LABELS]), recognized)


class Measured(NamedTuple):
    """Answers to n images: `scores` float64 [n, 100], `recognized` bool [n]."""

    scores: NDArray[np.float64]
    recognized: NDArray[np.bool_]


def measure(recognize: Recognize, bodies: Iterable[bytes], what: str, count: int) -> Measured:
    progress = tqdm(bodies, desc=what, total=count, disable=not sys.stderr.isatty())
    answers = [recognize(body) for body in progress]
    return Measured(np.stack([a.scores for a in answers]), np.array([a.recognized for a in answers]))


def evaluation_images(path: Path) -> tuple[str, LabeledImages]:
    """What of `path` to measure on, and its name: the test images, or the held-out split of a training set."""
    if path.suffix != ".npz":
        return "CIFAR-100 test", read_cifar100(path, "test")
    images = read_cifar100(path)
    if len(images.labels) <= TEST_SET_IMAGES:
        return "CIFAR-100, all of the file", images
    return "CIFAR-100 validation", images.take(split(len(images.labels))[1])


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def forward_ms(recognizer: Recognizer) -> float:
    """Milliseconds of one image through the image tower, the median of `TIMED_IMAGES`."""
    pixels = np.zeros((*recognizer.manifest.image.size, 3), dtype=np.uint8)
    times = []
    for _ in range(TIMED_IMAGES):
        start = time.perf_counter()
        recognizer.embed(pixels)
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))


def table(model: Path, data: Path, photos_folder: Path, url: str | None, diagram: Path | None) -> list[tuple[str, str]]:
    """The rows of the evaluation, each a measure and its value; writes the reliability diagram where one is asked
    for."""
    what, images = evaluation_images(data)
    photos = list_photos(photos_folder)
    outside = list(outside_images())
    recognizer = Recognizer(model)
    recognize = by_url(url) if url else by_model(recognizer)
    known = measure(recognize, (png(Image.fromarray(i)) for i in images.images), what, len(images.images))
    photographed = measure(recognize, (p.path.read_bytes() for p in photos), "photographs", len(photos))
    unknown = measure(recognize, (png(image) for _, image in outside), "outside", len(outside))
    photo_labels = np.array([photo.label for photo in photos])
    bins = reliability(known.scores, images.labels)
    if diagram:
        diagram.write_text(reliability_diagram(bins, f"{recognizer.manifest.name}, {what}"))
    kinds: dict[str, list[bool]] = defaultdict(list)
    for (kind, _), recognized in zip(outside, unknown.recognized, strict=True):
        kinds[kind].append(bool(recognized))
    size = sum(path.stat().st_size for path in model.rglob("*") if path.is_file())
    return [
        (f"{what}, top-1 ({len(images.labels)} images)", f"{top_k_accuracy(known.scores, images.labels, 1):.3f}"),
        (f"photographs, top-1 ({len(photos)} images)", f"{top_k_accuracy(photographed.scores, photo_labels, 1):.3f}"),
        ("photographs, top-5", f"{top_k_accuracy(photographed.scores, photo_labels, 5):.3f}"),
        (f"expected calibration error, {what}", f"{expected_calibration_error(bins):.3f}"),
        (f"recognized, {what}", f"{known.recognized.mean():.3f}"),
        ("recognized, photographs", f"{photographed.recognized.mean():.3f}"),
        (f"recognized, outside the labels ({len(outside)} images)", f"{unknown.recognized.mean():.3f}"),
        *((f"  {kind} ({len(claims)})", f"{np.mean(claims):.3f}") for kind, claims in kinds.items()),
        ("exported folder, MB", f"{size / 1e6:.1f}"),
        ("one image, forward only, ms", f"{forward_ms(recognizer):.1f}"),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="evaluate", description=__doc__.partition("\n")[0])
    parser.add_argument("--model", type=Path, default=Path("backend/clip/model"), help="an exported model folder")
    parser.add_argument("--data", type=Path, required=True, help="CIFAR-100 as NPZ or the official python archive")
    parser.add_argument("--photos", type=Path, required=True, help="a folder of LABEL__anything.jpg")
    parser.add_argument("--url", help="post every image to this function instead of running the model here")
    parser.add_argument("--diagram", type=Path, help="write the reliability diagram to this SVG file")
    arguments = parser.parse_args()
    try:
        rows = table(arguments.model, arguments.data, arguments.photos, arguments.url, arguments.diagram)
    except (DataError, EvaluationError) as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 1
    except FileNotFoundError as error:
        print(f"evaluate: {arguments.model} is no exported model folder: {error}", file=sys.stderr)
        return 1
    width = max(len(measure) for measure, _ in rows)
    for name, value in rows:
        print(f"| {name:<{width}} | {value:>6} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
