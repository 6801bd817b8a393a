"""The public photographs that confidence is calibrated on, read by torchvision's classes in their own form.

    python -m backend.clip.export.public_sets --data FOLDER

downloads those that the folder lacks. A set is unpacked beside its place and moved there once it is whole, so that an
interrupted download is never taken for a set; archives that came whole are not downloaded again.
"""

import argparse
import errno
import http.client
import shutil
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

_PARTIAL = ".partial"
_MB = 1_000_000


class SetError(Exception):
    """A set is missing, damaged or cannot be downloaded. The message says which one and what to do."""


@dataclass(frozen=True)
class Pictures:
    """The pictures of a set."""

    name: str
    """That of the set in ``SETS``."""
    classes: tuple[str, ...]
    """For each picture what it shows, as the set calls it."""
    open: Callable[[int], Image.Image]
    """The picture at a position."""


@dataclass(frozen=True)
class PublicSet:
    title: str
    folder: str
    """Below the folder of all sets, as torchvision has it."""
    page: str
    megabytes: int
    """What downloading and unpacking takes on disk."""
    read: Callable[[Path, bool], Pictures]
    """From the folder of all sets, and whether to download the set, to its pictures."""


def _opener(found: Any) -> Callable[[int], Image.Image]:
    def opened(index: int) -> Image.Image:
        picture: Image.Image = found[index][0]
        with picture:
            return picture.copy()

    return opened


def _cifar100(root: Path, download: bool) -> Pictures:
    from torchvision.datasets import CIFAR100

    with warnings.catch_warnings():  # of how another NumPy pickled the file
        warnings.simplefilter("ignore")
        found: Any = CIFAR100(root, train=False, download=download)
    classes = tuple(found.classes[target].replace("_", " ") for target in found.targets)
    return Pictures("cifar100", classes, _opener(found))


def _caltech101(root: Path, download: bool) -> Pictures:
    from torchvision.datasets import Caltech101

    found: Any = Caltech101(root, download=download)
    return Pictures("caltech101", tuple(found.categories[i] for i in found.y), _opener(found))


def _pets(root: Path, download: bool) -> Pictures:
    from torchvision.datasets import OxfordIIITPet

    found: Any = OxfordIIITPet(root, "test", target_types=["category", "binary-category"], download=download)
    kinds = [found.bin_classes[kind].lower() for kind in found._bin_labels]  # noqa: SLF001
    classes = tuple(f"{found.classes[breed]}, {kind}" for breed, kind in zip(found._labels, kinds, strict=True))  # noqa: SLF001
    return Pictures("pets", classes, _opener(found))


def _dtd(root: Path, download: bool) -> Pictures:
    from torchvision.datasets import DTD

    found: Any = DTD(root, "test", download=download)
    classes = tuple(found.classes[label] for label in found._labels)  # noqa: SLF001
    return Pictures("dtd", classes, _opener(found))


SETS = {
    "cifar100": PublicSet(
        "CIFAR-100", "cifar-100-python", "https://www.cs.toronto.edu/~kriz/cifar.html", 400, _cifar100
    ),
    "caltech101": PublicSet(
        "Caltech-101", "caltech101", "https://data.caltech.edu/records/mzrjq-6wc02", 500, _caltech101
    ),
    "pets": PublicSet("Oxford pets", "oxford-iiit-pet", "https://www.robots.ox.ac.uk/~vgg/data/pets/", 1700, _pets),
    "dtd": PublicSet("textures (DTD)", "dtd", "https://www.robots.ox.ac.uk/~vgg/data/dtd/", 1300, _dtd),
}


def read_sets(data: Path, *, download: bool) -> list[Pictures]:
    """All sets below a folder, in the order of ``SETS``.

    Args:
        download: whether to download those that the folder lacks; it is not written to otherwise.

    Raises:
        SetError: a set is missing, damaged or cannot be downloaded.
    """
    missing = [each for each in SETS.values() if not (data / each.folder).is_dir()]
    if missing and not download:
        listed = "\n".join(f"  {each.folder}: {each.title}, {each.page}" for each in missing)
        raise SetError(f"{data} lacks these folders, in the form in which torchvision unpacks them:\n{listed}")
    for each in missing:
        _download(data, each)
    return [_read(data, each) for each in SETS.values()]


def _read(data: Path, wanted: PublicSet) -> Pictures:
    try:
        pictures = wanted.read(data, False)
    except (RuntimeError, OSError, ValueError, KeyError, IndexError, EOFError) as error:
        raise SetError(
            f"{data / wanted.folder} is not {wanted.title} as torchvision unpacks it ({error}). Remove the folder and "
            "run this again: it is downloaded again unless DATA= names a folder of yours."
        ) from error
    if not pictures.classes:
        raise SetError(f"{data / wanted.folder} has no pictures of {wanted.title}.")
    return pictures


def _download(data: Path, wanted: PublicSet) -> None:
    partial = data / f"{wanted.folder}{_PARTIAL}"
    try:
        partial.mkdir(parents=True, exist_ok=True)
        _remove_unpacked(partial)
        free = shutil.disk_usage(data).free // _MB
        if free < wanted.megabytes:
            raise SetError(
                f"{wanted.title} needs {wanted.megabytes:,} MB on disk, and {data} has {free:,} MB left. Make room, or "
                "name another folder with DATA=."
            )
        print(f"Downloading {wanted.title} to {data} ...", file=sys.stderr)
        wanted.read(partial, True)
        for archive in _archives(partial):
            archive.unlink()
        (partial / wanted.folder).rename(data / wanted.folder)
        shutil.rmtree(partial)
    except (RuntimeError, OSError, EOFError, http.client.HTTPException) as error:
        raise SetError(_why(error, data, wanted)) from error


def _why(error: Exception, data: Path, wanted: PublicSet) -> str:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"The disk of {data} is full: {wanted.title} needs {wanted.megabytes:,} MB. Make room and run this again."
        )
    if isinstance(error, PermissionError):
        return f"{data} cannot be written to: {error}. Name another folder with DATA=."
    return (
        f"{wanted.title} could not be downloaded: {error}. Run this again to go on; what came whole is kept. Without a "
        f"network, unpack it from {wanted.page} to FOLDER/{wanted.folder} on another computer and give DATA=FOLDER."
    )


def _archives(partial: Path) -> Sequence[Path]:
    return [path for path in (*partial.iterdir(), *partial.glob("*/*")) if path.suffix in {".gz", ".zip"}]


def _remove_unpacked(partial: Path) -> None:
    """Remove what an interrupted run may have unpacked in part: torchvision would take it for the whole set."""
    for folder in partial.iterdir():
        if folder.is_dir():
            for path in folder.iterdir():
                if path.is_dir():
                    shutil.rmtree(path)


def main() -> int:
    parser = argparse.ArgumentParser(prog="public_sets", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", required=True, type=Path, help="the folder that the sets are downloaded to")
    try:
        read_sets(parser.parse_args().data, download=True)
    except SetError as error:
        print(f"public_sets: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("public_sets: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
