"""What an image tower says of pictures, kept on disk: a calibration that was stopped goes on where it was.

A picture is known by its pixels, as the tower takes them, and a tower by its files and its number format. So nothing
that has changed is ever taken from here.
"""

import hashlib
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..manifest import Manifest
from ..recognition.candidates import View
from ..recognition.recognizer import Recognizer

_IN_A_FILE = 256
_AT_A_TIME = 4

_Row = tuple[NDArray[np.float32], NDArray[np.float32]]


def key_of(manifest: Manifest, precision: str) -> str:
    """A name for what computes the views: the image tower's files, and the number format."""
    digest = hashlib.sha256(precision.encode())
    for name, of_file in sorted(manifest.files.items()):
        if name.startswith("image."):
            digest.update(f"{name} {of_file}\n".encode())
    return digest.hexdigest()[:16]


class Views:
    """The views of one image tower in a folder, which is made."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError: the folder cannot be made or written to."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._rows: dict[bytes, _Row] = {}
        for path in sorted(folder.glob("*.npz")):
            self._read(path)

    def of(self, recognizer: Recognizer, pixels: Iterable[NDArray[np.uint8]], seen: Callable[[], None]) -> list[View]:
        """The views of pictures, each uint8 [height, width, 3]; those that are new are kept.

        Args:
            seen: is called after each picture.
        """
        views: list[View] = []
        remaining = iter(pixels)
        while part := list(islice(remaining, _IN_A_FILE)):
            digests = [hashlib.sha256(picture.tobytes()).digest() for picture in part]
            new = {digest: picture for digest, picture in zip(digests, part, strict=True) if digest not in self._rows}
            if new:
                # Several at a time, so that towers that take batches get some.
                with ThreadPoolExecutor(_AT_A_TIME, "images") as pool:
                    found = list(pool.map(recognizer.embed, new.values()))
                rows = ((view.embedding, view.classes.astype(np.float32)) for view in found)
                self._rows.update(zip(new, rows, strict=True))
                self._write(list(new))
            for digest in digests:
                embedding, classes = self._rows[digest]
                views.append(View(embedding, classes.astype(np.float64)))
                seen()
        return views

    def _read(self, path: Path) -> None:
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                found = list(_rows(arrays["digests"], arrays["embeddings"], arrays["classes"]))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            path.unlink()  # of a disk that was full
            return
        self._rows.update(found)

    def _write(self, digests: list[bytes]) -> None:
        rows = [self._rows[digest] for digest in digests]
        with tempfile.NamedTemporaryFile(dir=self._folder, suffix=".part", delete=False) as file:
            try:
                np.savez(
                    file,
                    digests=np.frombuffer(b"".join(digests), np.uint8).reshape(len(digests), -1),
                    embeddings=np.stack([embedding for embedding, _ in rows]),
                    classes=np.stack([classes for _, classes in rows]),
                )
            except BaseException:
                Path(file.name).unlink()
                raise
        Path(file.name).rename(self._folder / f"{digests[0].hex()[:32]}.npz")


def _rows(
    digests: NDArray[np.uint8], embeddings: NDArray[np.float32], classes: NDArray[np.float32]
) -> Iterator[tuple[bytes, _Row]]:
    for digest, embedding, of_classes in zip(digests, embeddings, classes, strict=True):
        yield digest.tobytes(), (embedding, of_classes)
