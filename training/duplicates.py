"""Measures how well copies of photographs are found: resized, recompressed, cropped, and all of it.

    python -m training.duplicates --photos FOLDER [FOLDER ...] [--every 4]

Of each photograph, or of every fourth, a copy of each kind is made. ``photo-labels index`` takes them all, by an
application that is started for it. Then the photographs and their copies of one kind are compared as
``photo-labels duplicates`` does, each pair by itself: a pair is right if both are of one photograph. The threshold of
likeness is chosen on one part of the photographs, and the figures are those of the other part, which has no thing in
common with it.
"""

import argparse
import io
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from local.label import CLIENT, application, url_of
from training.data import DataError
from training.photos import PARTS, Photo, list_photos, part_of

sys.path.insert(0, str(CLIENT))

from photo_labels.finding.duplicates import SAME, candidates
from photo_labels.finding.index import Index
from photo_labels.finding.thumbnails import centred, likeness

_ORIGINALS = "photographs"
_THRESHOLDS = (0.8, 0.82, 0.84, 0.86, 0.87, 0.88, 0.89, 0.9, 0.92, 0.94)
# The most that a copy lacks of its width, and of its height.
_CROPPED = 0.09


def _resized(image: Image.Image, rng: random.Random) -> Image.Image:
    scale = rng.uniform(0.2, 0.8)
    size = (max(32, round(image.width * scale)), max(32, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS)


def _cropped(image: Image.Image, rng: random.Random) -> Image.Image:
    left, top = (rng.uniform(0, _CROPPED) for _ in range(2))
    right, bottom = (rng.uniform(0, _CROPPED - before) for before in (left, top))
    width, height = image.size
    return image.crop(
        (round(left * width), round(top * height), round((1 - right) * width), round((1 - bottom) * height))
    )


def _recompressed(image: Image.Image, rng: random.Random) -> Image.Image:
    file = io.BytesIO()
    image.save(file, rng.choice(("JPEG", "WEBP")), quality=rng.randint(20, 70))
    return Image.open(file)


def _all(image: Image.Image, rng: random.Random) -> Image.Image:
    return _recompressed(_resized(_cropped(image, rng), rng), rng)


KINDS: Mapping[str, Callable[[Image.Image, random.Random], Image.Image]] = {
    "resized": _resized,
    "recompressed": _recompressed,
    "cropped": _cropped,
    "all of it": _all,
}
"""How copies are made: see the constants."""


class Pairs(NamedTuple):
    """The pairs among photographs and their copies of one kind that are compared by their thumbnails."""

    copies: int
    """How many pairs are to be found."""
    likeness: NDArray[np.float64]
    right: NDArray[np.bool_]
    """Whether both are of one photograph."""
    names: Sequence[tuple[str, str]]

    def figures(self, threshold: float) -> tuple[float, float]:
        """Precision (1 where nothing is found) and recall."""
        found = self.right[self.likeness >= threshold]
        return float(found.mean()) if len(found) else 1.0, int(found.sum()) / self.copies


def write_copies(photos: Sequence[Photo], folder: Path, every: int) -> None:
    """Write the photographs, and of each of so many one copy of each kind, in a folder for each.

    What is of one photograph has the same stem.
    """
    for kind in (_ORIGINALS, *KINDS):
        (folder / kind).mkdir(parents=True)
    for number, photo in enumerate(photos):
        name = f"{number:05}"
        shutil.copy(photo.path, folder / _ORIGINALS / f"{name}{photo.path.suffix}")
        if number % every:
            continue
        with Image.open(photo.path) as opened:
            image = ImageOps.exif_transpose(opened).convert("RGB")
        for kind, make in KINDS.items():
            copy = make(image, random.Random(f"{kind} {number}"))  # noqa: S311
            # As PNG, which adds no loss to that of the copy.
            copy.convert("RGB").save(folder / kind / f"{name}.png", compress_level=1)


def compare(index: Path) -> dict[str, Pairs]:
    """The pairs in an index of what ``write_copies`` has written, by the kind of the copies."""
    with closing(Index(index, new=False)) as opened:
        files, embeddings, thumbnails = opened.photos()
    of = np.array([int(Path(file).stem) for file in files])
    folders = np.array([Path(file).parent.name for file in files])
    compared = {}
    for kind in KINDS:
        here = np.flatnonzero((folders == _ORIGINALS) | (folders == kind))
        pairs = [(here[a], here[b]) for a, b in candidates(embeddings[here], centred(thumbnails[here]))]
        compared[kind] = Pairs(
            int((folders == kind).sum()),
            np.array([likeness(thumbnails[a], thumbnails[b]) for a, b in pairs]),
            np.array([of[a] == of[b] for a, b in pairs], bool),
            [(files[a], files[b]) for a, b in pairs],
        )
    return compared


def indexed(photos: Sequence[Photo], port: int, every: int) -> dict[str, Pairs]:
    """Write copies, have them indexed by the application on this port, and compare them.

    Raises:
        DataError: not all could be indexed.
    """
    with tempfile.TemporaryDirectory(prefix="duplicates-") as place:
        album, index = Path(place, "album"), Path(place, "photos.sqlite")
        write_copies(photos, album, every)
        command = [sys.executable, "-m", "photo_labels", "index", str(album), "--index", str(index)]
        ended = subprocess.run([*command, "--url", url_of(port)], cwd=CLIENT, check=False)  # noqa: S603
        if ended.returncode:
            raise DataError("not all of the photographs could be indexed")
        return compare(index)


def main() -> int:
    parser = argparse.ArgumentParser(prog="duplicates", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--photos", type=Path, nargs="+", required=True, help="folders of photographs, see photos.py")
    parser.add_argument("--every", type=int, default=1, help="make copies of every so many photographs (%(default)s)")
    arguments = parser.parse_args()
    try:
        photos = [photo for folder in arguments.photos for photo in list_photos(folder)]
        with application() as port:
            choose, report = (indexed(part_of(photos, part), port, arguments.every) for part in PARTS)
    except DataError as error:
        print(f"duplicates: {error}", file=sys.stderr)
        return 1
    print("To choose: precision and recall by the likeness from which on two photos are copies")
    print(" | ".join(["likeness", *KINDS]))
    for threshold in _THRESHOLDS:
        print(" | ".join([f"{threshold:8}", *(_shown(choose[kind].figures(threshold)) for kind in KINDS)]))
    print(f"To report: precision and recall from {SAME} on")
    for kind, pairs in report.items():
        print(f"{kind} ({pairs.copies}) | {_shown(pairs.figures(SAME))}")
        for alike, right, (first, second) in zip(pairs.likeness, pairs.right, pairs.names, strict=True):
            if alike >= SAME and not right:
                print(f"  wrong: {first}, {second} ({alike:.3f})")
    return 0


def _shown(figures: tuple[float, float]) -> str:
    return "{:.4f}, {:.4f}".format(*figures)


if __name__ == "__main__":
    sys.exit(main())
