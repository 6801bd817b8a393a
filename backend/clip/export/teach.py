"""Teaches a model things by a few photos of each. It needs what serves, and no PyTorch.

    python -m backend.clip.export.teach --model backend/clip/model --examples FOLDER|FILE.json --out DIR

A subfolder of FOLDER is a thing: its name is the thing's, its files are 1 to 50 photos. Hidden files are left out.
FILE.json is what a page has saved (``example_file.py``). DIR gets the same model with ``examples.npz``, and
``examples.txt``: which of the things are told apart.
"""

import argparse
import json
import shutil
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import RequestError
from ..limits import MAX_LABEL_CHARACTERS, MAX_LABELS
from ..manifest import FILE as MANIFEST
from ..manifest import hashes
from ..photos.image import read_pixels
from ..recognition.background import Background, Space, vector
from ..recognition.examples import FILE, Examples
from ..recognition.recognizer import Recognizer
from .drawn import drawn_pictures
from .example_file import MAX_PHOTOS, Thing, read_file

TABLE = "examples.txt"
_HARD = 0.8
_REPORTED = 20
# Parts of emoji and of words in Persian and Hindi. Python calls them not printable.
_JOINERS = {0x200C: "", 0x200D: ""}


def teach(model: Path, examples: Path, out: Path) -> None:
    """Write the exported model folder ``model`` with examples to ``out``, which is not there yet.

    Raises:
        OSError, ValueError: the examples cannot be read, or make no sense.
    """
    recognizer = Recognizer(model)
    if examples.is_dir():
        space: Space = "classes" if recognizer.has_classes else "embedding"
        things = read_folder(examples, recognizer, space)
    else:
        space, things = "embedding", read_file(examples, recognizer.manifest)
    names = _names([thing.name for thing in things])
    photos = [thing.photos for thing in things]
    background = Background.read(model, space) or _unmeasured(recognizer, photos, space)
    learned = Examples.learned(names, photos, space, background)
    shutil.copytree(model, out)
    learned.write(out, recognizer.manifest)
    table = _table(learned, photos, recognizer)
    (out / TABLE).write_text(table, encoding="utf-8")
    said = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    said["files"] |= hashes(out, [FILE])
    (out / MANIFEST).write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_folder(folder: Path, recognizer: Recognizer, space: Space) -> list[Thing]:
    """The things of a folder, by name. What cannot be read as a photo is reported on stderr and left out.

    Raises:
        OSError: it cannot be listed.
        ValueError: it has no subfolders, or too many, or one without a photo that can be read.
    """
    subfolders = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not subfolders:
        raise ValueError(f"{folder} has no subfolders: make one for each thing, with its photos.")
    if len(subfolders) > MAX_LABELS:
        raise ValueError(f"{folder} has {len(subfolders):,} subfolders; at most {MAX_LABELS:,} things are learned.")
    _names([path.name for path in subfolders])  # before time is spent on photos
    return [Thing(path.name, _photos(path, recognizer, space)) for path in subfolders]


def _photos(subfolder: Path, recognizer: Recognizer, space: Space) -> NDArray[np.float64]:
    files = sorted(path for path in subfolder.iterdir() if path.is_file() and not path.name.startswith("."))
    if len(files) > MAX_PHOTOS:
        _report(f"{_shown(subfolder.name)}: {MAX_PHOTOS} of {len(files):,} files are used, evenly spread by name.")
        files = [files[position] for position in np.linspace(0, len(files) - 1, MAX_PHOTOS).round().astype(int)]
    rows = []
    for file in files:
        try:
            pixels = read_pixels(file.read_bytes(), recognizer.manifest.image)
        except (OSError, RequestError) as error:
            _report(f"{_shown(subfolder.name)}/{_shown(file.name)} is left out: {error}")
            continue
        views = (pixels, np.ascontiguousarray(pixels[:, ::-1]))
        rows.append(np.mean([vector(recognizer.embed(view), space) for view in views], axis=0))
    if not rows:
        raise ValueError(
            f"{_shown(subfolder.name)} has no photo that can be read: put 1 to {MAX_PHOTOS} into its folder."
        )
    return np.array(rows)


def _names(given: Sequence[str]) -> list[str]:
    """Names as they are answered: composed characters, single spaces.

    Raises:
        ValueError: one is empty, too long, has characters that cannot be shown, or is there twice.
    """
    names: dict[str, str] = {}
    for text in given:
        name = " ".join(unicodedata.normalize("NFC", text).split())
        if not name or len(name) > MAX_LABEL_CHARACTERS:
            raise ValueError(
                f"A thing's name has 1 to {MAX_LABEL_CHARACTERS} characters; {_shown(text)} has {len(name)}."
            )
        if not name.translate(_JOINERS).isprintable():
            raise ValueError(f"The name {_shown(text)} has characters that cannot be shown: rename the folder.")
        if name.casefold() in names:
            raise ValueError(f"Two things are called {_shown(name)}, in upper or lower case: rename one.")
        names[name.casefold()] = name
    return list(names.values())


def _unmeasured(recognizer: Recognizer, photos: Sequence[NDArray[np.float64]], space: Space) -> Background:
    drawn = [vector(recognizer.embed(picture), space) for picture in drawn_pictures(*recognizer.manifest.image.size)]
    return Background.without_photographs(np.array([each.mean(axis=0) for each in photos]), np.array(drawn))


def _table(learned: Examples, photos: Sequence[NDArray[np.float64]], recognizer: Recognizer) -> str:
    """Which things are told apart: each photo is asked about after all the others were learned without it."""
    names = learned.names
    mistaken = learned.mistaken(photos)
    width = min(40, max(5, *map(len, names)))
    lines = [f"{'thing':{width}}  photos  told apart  confused with"]
    hard: list[str] = []
    for thing, (name, each) in enumerate(zip(names, photos, strict=True)):
        counts = mistaken[thing]
        wrong = sum(counts.values())
        apart = "-" if len(each) < 2 or len(names) < 2 else f"{len(each) - wrong} of {len(each)}"
        others = ", ".join(f"{_shown(names[other])} ({count})" for other, count in counts.most_common(3))
        lines.append(f"{_shown(name):{width}}  {len(each):6}  {apart:>10}  {others}".rstrip())
        if counts and len(each) - wrong < _HARD * len(each):
            hard.append(f"{_shown(name)} is hard to tell from {_shown(names[counts.most_common(1)[0][0]])}.")
    lines += hard[:_REPORTED]
    if len(hard) > _REPORTED:
        lines.append(f"{len(hard) - _REPORTED} more are hard to tell from others.")
    if hard:
        lines.append("More photos of these, from more sides and in other places, may help.")
    if any(len(each) < 2 for each in photos) and len(names) > 1:
        lines.append("A thing with one photo cannot be checked: a second one is enough for that.")
    known = [name for name in names if recognizer.knows(name)]
    if known:
        more = f" and {len(known) - 3} more" if len(known) > 3 else ""
        lines.append(
            f"The model knows words like these: {', '.join(_shown(name) for name in known[:3])}{more}. "
            "With vocabulary=all the examples take their place."
        )
    return "\n".join(lines) + "\n"


def _shown(text: str) -> str:
    """A name as a terminal may show it: short, without what moves the cursor."""
    text = "".join(each if each.translate(_JOINERS).isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
    return text if len(text) <= 40 else text[:39] + "…"


def _report(line: str) -> None:
    sys.stderr.write(line + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(prog="teach", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", required=True, type=Path, help="an exported model folder")
    parser.add_argument(
        "--examples", required=True, type=Path, help="a folder with a subfolder a thing, or a JSON file"
    )
    parser.add_argument("--out", required=True, type=Path, help="the folder to write, which is not there yet")
    arguments = parser.parse_args()
    try:
        teach(arguments.model, arguments.examples, arguments.out)
    except (OSError, ValueError) as error:
        _report(f"teach: {error}")
        return 1
    sys.stdout.write((arguments.out / TABLE).read_text(encoding="utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
