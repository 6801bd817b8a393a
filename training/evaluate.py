"""Measures a recognizer on CIFAR-100, on photographs, and on things that it cannot know.

    python -m training.evaluate --model backend/clip/model --data cifar100.npz --photos PHOTOS [PHOTOS ...]
    python -m training.evaluate --data cifar-100-python.tar.gz --photos PHOTOS --url http://127.0.0.1:8080/function/clip

Of the official archive, and of an NPZ file no larger than the official test set, every (test) image counts; of a
larger NPZ file, a training set, only the split that training holds out. Photographs whose source starts with
``imagenet`` are counted apart, and those of folders without an index too: a model that starts from ImageNet's weights
may have seen them. With ``--url`` every image is posted to a running function.
"""

import argparse
import io
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from backend.clip.export.cifar100 import LABELS
from backend.clip.export.words import read_words
from backend.clip.recognition.recognizer import Recognizer
from training.answers import Answer, AnswerError, Recognize, ask, by_model, by_url
from training.data import DataError, LabeledImages, read_cifar100, split
from training.imagenet_names import classes_called
from training.metrics import Bin, expected_calibration_error, mean_over, print_table, reliability, reliability_diagram
from training.photos import PARTS, Photo, list_photos, part_of, seen
from training.unknown_things import unknown_things

TEST_SET_IMAGES = 10_000
TIMED_IMAGES = 100
SURE = 0.9
"""The confidence from which on an answer calls itself sure."""
_PETS = ("cat", "dog")

Rows = list[tuple[str, str]]


class Outcome(NamedTuple):
    """An answer about an image that shows ``truth``, one of ``LABELS`` or empty."""

    truth: str
    answer: Answer

    @property
    def right(self) -> bool:
        return self.answer.labels[0] == self.truth


def evaluation_images(path: Path) -> tuple[str, LabeledImages]:
    """What of ``path`` to measure on, and its name: the test images, or the held-out split of a training set."""
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
    """Milliseconds of one image through the image tower, the median of ``TIMED_IMAGES``."""
    pixels = np.zeros((*recognizer.manifest.image.size, 3), dtype=np.uint8)
    times = []
    for _ in range(TIMED_IMAGES):
        start = time.perf_counter()
        recognizer.embed(pixels)
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))


def table(
    model: Path, data: Path | None, folders: Sequence[Path], part: str | None, url: str | None, diagram: Path | None
) -> Rows:
    """The rows of the evaluation, each a measure and its value; writes the reliability diagram of the photographs where
    one is asked for. Of indexed photographs only ``part`` counts, where one is named."""
    photos = [photo for folder in folders for photo in counted(list_photos(folder), part)]
    recognizer = Recognizer(model)
    recognize = by_url(url) if url else by_model(recognizer)
    small, rows_of_small = _cifar100(recognize, data) if data else ([], [])
    photographed = [Outcome(p.label, a) for p, a in zip(photos, _ask(recognize, photos, {}), strict=True)]
    drawn, rows_of_drawn = _drawn(recognize)
    every = [*small, *photographed, *drawn]
    bins = _reliability(photographed)
    if diagram:
        diagram.write_text(reliability_diagram(bins, f"{recognizer.manifest.name}, {len(photos)} photographs"))
    size = sum(path.stat().st_size for path in model.rglob("*") if path.is_file())
    return [
        *rows_of_small,
        *_of_photographs(photos, photographed),
        *_of_words(recognize, photos),
        *rows_of_drawn,
        (f"expected calibration error, photographs ({len(photos)})", f"{expected_calibration_error(bins):.3f}"),
        (f"  of all of these together ({len(every)})", f"{expected_calibration_error(_reliability(every)):.3f}"),
        ("exported folder, MB", f"{size / 1e6:.1f}"),
        ("one image, forward only, ms", f"{forward_ms(recognizer):.1f}"),
    ]


def _cifar100(recognize: Recognize, data: Path) -> tuple[list[Outcome], Rows]:
    what, images = evaluation_images(data)
    bodies = (png(Image.fromarray(image)) for image in images.images)
    answers = ask(recognize, bodies, {}, what, len(images.labels))
    outcomes = [Outcome(LABELS[label], answer) for label, answer in zip(images.labels, answers, strict=True)]
    return outcomes, [
        (f"{what}, top-1 ({len(outcomes)})", _share([outcome.right for outcome in outcomes])),
        ("  recognized", _share([outcome.answer.recognized for outcome in outcomes])),
    ]


def counted(photos: list[Photo], part: str | None) -> list[Photo]:
    """All photographs of a folder without an index, or where no ``part`` is named; else those of the part."""
    return part_of(photos, part) if part and any(photo.source for photo in photos) else photos


def _ask(recognize: Recognize, photos: Sequence[Photo], query: dict[str, str]) -> list[Answer]:
    what = " ".join(["photographs", *query.values()])
    return ask(recognize, (photo.path.read_bytes() for photo in photos), query, what, len(photos))


def _of_photographs(photos: Sequence[Photo], outcomes: Sequence[Outcome]) -> Rows:
    """The default labels: photographs that a backbone may have seen, and the others."""
    rows = []
    kinds = {
        "photographs without an index": [photo.source == "" for photo in photos],
        "clean photographs": [photo.source != "" and not seen(photo) for photo in photos],
        "ImageNet photographs": [seen(photo) for photo in photos],
    }
    for kind, chosen in kinds.items():
        of_kind = [outcome for outcome, chose in zip(outcomes, chosen, strict=True) if chose]
        known = [outcome for outcome in of_kind if outcome.truth]
        others = [outcome for outcome in of_kind if not outcome.truth]
        if known:
            in_top_5 = [outcome.truth in outcome.answer.labels for outcome in known]
            top_1 = mean_over([outcome.truth for outcome in known], [outcome.right for outcome in known])
            rows += [
                (f"{kind} of the hundred, top-1 ({len(known)})", _share([outcome.right for outcome in known])),
                ("  mean over words", f"{top_1:.3f}"),
                ("  top-5", _share(in_top_5)),
                ("  recognized", _share([outcome.answer.recognized for outcome in known])),
            ]
        if others:
            claimed = [outcome.answer.recognized for outcome in others]
            rows.append((f"{kind} of other things, recognized wrongly ({len(others)})", _share(claimed)))
        sure = [outcome for outcome in of_kind if outcome.answer.confidence >= SURE]
        if sure and known and others:
            rows.append((f"  confidence {SURE} or more: wrong ({len(sure)})", _share([not o.right for o in sure])))
        if known and others:
            confident = [outcome.answer.confidence >= SURE for outcome in known if outcome.right]
            rows.append(("  of the right answers have it", _share(confident)))
    return rows


def _of_words(recognize: Recognize, photos: Sequence[Photo]) -> Rows:
    """The everyday words, and a caller's choice among them."""
    rows = []
    words = read_words()
    if named := [photo for photo in photos if seen(photo) and classes_called(photo.what)]:
        answers = _ask(recognize, named, {"vocabulary": "everyday"})
        right = [
            bool(classes_called(photo.what) & set(words.classes(words.index(answer.labels[0]))))
            for photo, answer in zip(named, answers, strict=True)
        ]
        rows.append((f"ImageNet photographs, everyday word right ({len(named)})", _share(right)))
    if pets := [photo for photo in photos if photo.what in _PETS]:
        answers = _ask(recognize, pets, {"labels": ",".join(_PETS)})
        right = [answer.labels[0] == photo.what for photo, answer in zip(pets, answers, strict=True)]
        rows.append((f"labels={','.join(_PETS)} on cats and dogs, right ({len(pets)})", _share(right)))
    return rows


def _drawn(recognize: Recognize) -> tuple[list[Outcome], Rows]:
    things = list(unknown_things())
    answers = ask(recognize, (png(image) for _, image in things), {}, "other things", len(things))
    kinds: dict[str, list[bool]] = {}
    for (kind, _), answer in zip(things, answers, strict=True):
        kinds.setdefault(kind, []).append(answer.recognized)
    drawn = [claim for kind, claims in kinds.items() if kind != "photographs and scans" for claim in claims]
    return [Outcome("", answer) for answer in answers], [
        (f"drawn by a program, recognized ({len(drawn)})", _share(drawn)),
        *((f"  {kind} ({len(claims)})", _share(claims)) for kind, claims in kinds.items()),
    ]


def _reliability(outcomes: Sequence[Outcome]) -> list[Bin]:
    return reliability([o.answer.confidence for o in outcomes], [o.right for o in outcomes])


def _share(values: Sequence[bool]) -> str:
    return f"{np.mean(values):.3f}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="evaluate", description=__doc__.partition("\n")[0])
    parser.add_argument("--model", type=Path, default=Path("backend/clip/model"), help="an exported model folder")
    parser.add_argument("--data", type=Path, help="CIFAR-100 too, as NPZ or the official python archive")
    parser.add_argument("--photos", type=Path, required=True, nargs="+", help="folders of photographs, see photos.py")
    parser.add_argument(
        "--part", choices=PARTS, help="of photographs with an index: the part that was chosen on, or not"
    )
    parser.add_argument("--url", help="post every image to this function instead of running the model here")
    parser.add_argument("--diagram", type=Path, help="write the reliability diagram to this SVG file")
    arguments = parser.parse_args()
    try:
        rows = table(
            arguments.model, arguments.data, arguments.photos, arguments.part, arguments.url, arguments.diagram
        )
    except (AnswerError, DataError) as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 1
    except FileNotFoundError as error:
        print(f"evaluate: {arguments.model} is not an exported model folder: {error}", file=sys.stderr)
        return 1
    print_table(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
