"""Measures ``tags=1`` on pictures of two things, and on photographs of one, and calibrates a model for these.

    python -m training.composites fit --photos PHOTOS
    python -m training.composites measure --photos PHOTOS --part report

Two photographs of things that are not related are put beside or above each other, or the one small into a corner of the
other. A tag is right for a thing if it is its word, a kind of it, or a general word for it and not for the other thing;
it is wrong if it is related to neither.

``fit`` takes the part to choose on alone, and writes the logistic function for what is seen in a part of a photo
(``Calibration.parts``) into the folder of the model; with ``--out`` its whole calibration into a file, too. It has to
be repeated when the model has changed.
"""

import argparse
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from backend.clip.export.calibration import fit as fit_logistic
from backend.clip.export.words import Words, read_words
from backend.clip.photos.image import fit as fitted
from backend.clip.recognition.candidates import View
from backend.clip.recognition.recognizer import Recognizer
from training.calibrations import put
from training.data import DataError
from training.metrics import print_table
from training.photos import PARTS, Photo, list_photos, part_of
from training.truth import Truth, known

SIDE = 448
CORNER = 0.42
"""The side of the small photograph, of that of the picture."""
LAYOUTS = ("beside", "above", "corner")
PICTURES = 600
"""To fit on, and to measure on."""
_PLAUSIBLE = -2.0
"""Log-odds from which on a word counts in the fit: nearly all words are out of the question in every picture."""

Box = tuple[int, int, int, int]


class Picture(NamedTuple):
    image: Image.Image
    truths: tuple[Truth, ...]
    layout: str
    """One of ``LAYOUTS``; "" for a photograph of one thing."""


def compose(photos: Sequence[Photo], boxes: Sequence[Box]) -> Image.Image:
    """Photographs, cut to the boxes (left, top, right, bottom) of a square picture, the later above the earlier."""
    image = Image.new("RGB", (SIDE, SIDE))
    for photo, (left, top, right, bottom) in zip(photos, boxes, strict=True):
        with Image.open(photo.path) as opened:
            cut = ImageOps.fit(opened.convert("RGB"), (right - left, bottom - top), Image.Resampling.BICUBIC)
        image.paste(cut, (left, top))
    return image


def pictures(words: Words, shown: Sequence[tuple[Photo, Truth]], count: int, rng: random.Random) -> Iterator[Picture]:
    """Pictures of two things that are not related, the layouts in turn, each thing as often as any other.

    Raises:
        DataError: all things are related.
    """
    things: dict[int, list[tuple[Photo, Truth]]] = {}
    for photo, truth in shown:
        things.setdefault(truth.word, []).append((photo, truth))
    names = sorted(things)
    if all(words.related[one, other] for one in names for other in names):
        raise DataError("these photographs show no two things that are not related")
    for number in range(count):
        while True:
            one, other = rng.sample(names, 2)
            if not words.related[one, other]:
                break
        chosen = [rng.choice(things[one]), rng.choice(things[other])]
        layout = LAYOUTS[number % len(LAYOUTS)]
        image = compose([photo for photo, _ in chosen], _boxes(layout, rng))
        yield Picture(image, tuple(truth for _, truth in chosen), layout)


def halves(layout: str) -> list[Box]:
    """The two boxes of a picture whose photographs are beside or above each other."""
    half = SIDE // 2
    if layout == "beside":
        return [(0, 0, half, SIDE), (half, 0, SIDE, SIDE)]
    return [(0, 0, SIDE, half), (0, half, SIDE, SIDE)]


def _boxes(layout: str, rng: random.Random) -> list[Box]:
    if layout != "corner":
        return halves(layout)
    small = round(CORNER * SIDE)
    left, top = (rng.choice([0, SIDE - small]) for _ in range(2))
    return [(0, 0, SIDE, SIDE), (left, top, left + small, top + small)]


def singles(shown: Sequence[tuple[Photo, Truth]]) -> Iterator[Picture]:
    """The photographs themselves."""
    for photo, truth in shown:
        with Image.open(photo.path) as opened:
            yield Picture(opened.convert("RGB"), (truth,), "")


def look(recognizer: Recognizer, picture: Picture) -> View:
    pixels = np.asarray(fitted(picture.image, recognizer.manifest.image))
    return recognizer.embed(pixels, with_map=recognizer.has_parts)


def judge(tags: Sequence[int], truths: Sequence[Truth], words: Words) -> tuple[list[bool], bool]:
    """For each thing whether a tag is right, and whether one is wrong; ``tags`` are positions of words."""
    found = []
    for truth in truths:
        others = [other.word for other in truths if other is not truth]
        own = [tag for tag in tags if not any(words.below[tag, other] for other in others)]
        found.append(any(truth.right[tag] for tag in own))
    return found, any(not any(words.related[tag, truth.word] for truth in truths) for tag in tags)


def measure(recognizer: Recognizer, photos: Sequence[Photo], count: int, seed: int) -> list[tuple[str, str]]:
    """The rows of the table: of ``count`` pictures of two things, and of the photographs themselves."""
    words = read_words()
    shown = known(photos, words, recognizer.everyday)
    rng = random.Random(seed)  # noqa: S311
    judged: dict[str, list[tuple[list[bool], bool, int]]] = {}
    for of in (pictures(words, shown, count, rng), singles(shown)):
        for picture in of:
            tags = [words.index(tag.label) for tag in recognizer.tags(look(recognizer, picture))]
            judged.setdefault(picture.layout, []).append((*judge(tags, picture.truths, words), len(tags)))
    rows = []
    for layout, each in judged.items():
        kind = f"two photographs, {layout}" if layout else "one photograph"
        rows += [
            (f"{kind} ({len(each)}): a right tag for each thing", _share([all(found) for found, _, _ in each])),
            ("  a wrong tag", _share([wrong for _, wrong, _ in each])),
            ("  tags, mean", f"{np.mean([tags for _, _, tags in each]):.2f}"),
        ]
    return rows


def fit(recognizer: Recognizer, photos: Sequence[Photo], count: int, seed: int) -> dict[str, float]:
    """``Calibration.parts`` with the least logarithmic loss: each plausible word of each picture is right or wrong."""
    words = read_words()
    shown = known(photos, words, recognizer.everyday)
    positions = np.array([words.index(word) for word in recognizer.everyday.words])
    odds: list[NDArray[np.float64]] = []
    right: list[NDArray[np.bool_]] = []
    for of in (pictures(words, shown, count, random.Random(seed)), singles(shown)):  # noqa: S311
        for picture in of:
            of_words = recognizer.part_log_odds(look(recognizer, picture))
            is_right = np.any([truth.right for truth in picture.truths], axis=0)[positions]
            related = np.any([words.related[truth.word] for truth in picture.truths], axis=0)[positions]
            counting = (of_words > _PLAUSIBLE) & (is_right | ~related)
            odds.append(of_words[counting])
            right.append(is_right[counting])
    evidence, answers = np.concatenate(odds), np.concatenate(right)
    fitted_to = fit_logistic(evidence, answers, np.ones(len(answers)))
    return {"share": round(fitted_to.share, 4), "bias": round(fitted_to.bias, 4)}


def _share(values: Sequence[bool]) -> str:
    return f"{np.mean(values):.3f}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="composites", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("action", choices=["fit", "measure"])
    parser.add_argument("--model", type=Path, default=Path("backend/clip/model"), help="an exported model folder")
    parser.add_argument("--photos", type=Path, required=True, help="a folder of photographs, see photos.py")
    parser.add_argument("--part", choices=PARTS, default=PARTS[0], help="of the photographs, to measure on")
    parser.add_argument("--pictures", type=int, default=PICTURES, help="how many to make")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="a JSON file to write the calibration to as well, by fit")
    arguments = parser.parse_args()
    try:
        recognizer = Recognizer(arguments.model, precision="f32")
        part = PARTS[0] if arguments.action == "fit" else arguments.part
        photos = part_of(list_photos(arguments.photos), part)
        if arguments.action == "measure":
            print_table(measure(recognizer, photos, arguments.pictures, arguments.seed))
            return 0
        if not recognizer.has_parts:
            raise DataError("this model cannot look at parts of a photo: it has no fine classes, or no map")
        parts = fit(recognizer, photos, arguments.pictures, arguments.seed)
    except (DataError, FileNotFoundError) as error:
        print(f"composites: {error}", file=sys.stderr)
        return 1
    calibration = replace(recognizer.manifest.confidence, parts=parts)
    put(calibration, recognizer.manifest, arguments.model, arguments.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
