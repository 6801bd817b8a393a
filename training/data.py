"""Reads CIFAR-100 and splits it.

Two forms of CIFAR-100 are understood: an NPZ file with ``images`` uint8 [n, 32, 32, 3] and ``labels`` integer [n], and
the official python archive (``cifar-100-python.tar.gz``, or the folder it unpacks to) from
https://www.cs.toronto.edu/~kriz/cifar.html.
"""

import codecs
import io
import pickle
import tarfile
import zipfile
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy._core.multiarray import _reconstruct
from numpy.typing import NDArray

from backend.clip.export.cifar100 import LABELS

VALIDATION_IMAGES = 5000
SPLIT_SEED = 100
PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})


class DataError(Exception):
    """The data at a path is missing or is not what it should be; the message says which and what was expected."""


class LabeledImages(NamedTuple):
    """``images`` uint8 [n, height, width, 3] RGB; ``labels`` int64 [n], positions in ``LABELS``."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def take(self, indices: NDArray[np.int64]) -> "LabeledImages":
        return LabeledImages(self.images[indices], self.labels[indices])


class _OnlyArrays(pickle.Unpickler):
    """Unpickles the official archive, whose files hold dictionaries of lists and one NumPy array, and nothing else.

    Python 2 wrote them with a NumPy that kept these functions in ``numpy.core``, which newer ones warn of.
    """

    _ALLOWED: ClassVar = {
        "_reconstruct": _reconstruct,
        "ndarray": np.ndarray,
        "dtype": np.dtype,
        "encode": codecs.encode,
    }

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] in {"numpy", "_codecs"} and name in self._ALLOWED:
            return self._ALLOWED[name]
        raise pickle.UnpicklingError(f"{module}.{name} has no place in CIFAR-100")


def read_cifar100(path: Path, part: str = "train") -> LabeledImages:
    """CIFAR-100 from an NPZ file or from the official python archive, packed or unpacked.

    Args:
        part: ``train`` or ``test``, of the archive; an NPZ file holds one part.

    Raises:
        DataError: there is nothing at ``path``, or something else.
    """
    if not path.exists():
        raise DataError(
            f"{path}: no such file. Give a CIFAR-100 NPZ (images, labels) or the python archive "
            "from https://www.cs.toronto.edu/~kriz/cifar.html"
        )
    if path.suffix == ".npz":
        return _checked(path, *_read_npz(path))
    return _checked(path, *_read_archive(path, part))


def _read_npz(path: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return arrays["images"], arrays["labels"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: not an NPZ file with `images` and `labels`: {error}") from error


def _read_archive(path: Path, part: str) -> tuple[NDArray[Any], NDArray[Any]]:
    try:
        content = _archive_member(path, part)
        batch = _OnlyArrays(io.BytesIO(content), encoding="bytes").load()
        images = np.asarray(batch[b"data"]).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        return np.ascontiguousarray(images), np.asarray(batch[b"fine_labels"])
    except (OSError, tarfile.TarError, pickle.UnpicklingError, KeyError, ValueError, TypeError, EOFError) as error:
        raise DataError(f"{path}: not the official CIFAR-100 python archive: {error}") from error


def _archive_member(path: Path, part: str) -> bytes:
    if path.is_dir():
        return (path / part).read_bytes()
    with tarfile.open(path) as archive:
        member = archive.extractfile(f"cifar-100-python/{part}")
        if member is None:
            raise KeyError(part)
        return member.read()


def _checked(path: Path, images: NDArray[Any], labels: NDArray[Any]) -> LabeledImages:
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3:
        raise DataError(f"{path}: images are {images.dtype} {list(images.shape)}, not uint8 [n, height, width, 3]")
    if labels.shape != images.shape[:1] or not np.issubdtype(labels.dtype, np.integer):
        raise DataError(f"{path}: labels are {labels.dtype} {list(labels.shape)}, not integers [{len(images)}]")
    if len(labels) == 0 or labels.min() < 0 or labels.max() >= len(LABELS):
        raise DataError(f"{path}: labels are not all in 0..{len(LABELS) - 1}")
    return LabeledImages(images, labels.astype(np.int64))


def split(count: int, validation: int = VALIDATION_IMAGES) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices for training and for validation, both sorted. They depend on ``count`` alone.

    At least half of a small set stays for training.
    """
    order = np.random.default_rng(SPLIT_SEED).permutation(count)
    held_out = min(validation, count // 2)
    return np.sort(order[held_out:]), np.sort(order[:held_out])
