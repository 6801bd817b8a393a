"""A file of SQLite with one row for each photo of a folder: its embedding, its words, and a tiny picture of it."""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..origin import Origin
from ..states import State

# "PhLb": by this a file of SQLite is known to be one of these.
_APPLICATION = 0x50684C62
_VERSION = 1
# A search reads all embeddings and nothing else, in few large pages.
_PAGE = 65536
_BLOCK = 1024
_TABLES = """
CREATE TABLE origin (written TEXT NOT NULL);
CREATE TABLE photos (
    id INTEGER PRIMARY KEY,
    file BLOB NOT NULL UNIQUE,
    bytes INTEGER NOT NULL,
    modified TEXT NOT NULL,
    thumbnail BLOB,
    words TEXT NOT NULL
);
CREATE TABLE embeddings (id INTEGER PRIMARY KEY, embedding BLOB NOT NULL);
"""


class IndexFileError(Exception):
    """The index cannot be used. The message says why, and what to do."""


@dataclass(frozen=True)
class Entry:
    """What the index has of a photo.

    Attributes:
        file: its path in the folder.
        embedding: float32 of unit length; None where the service could not read the file.
        thumbnail: uint8 [32, 32], see ``thumbnails.py``; None likewise.
        words: what it is recognized by, in English, with the confidence of each, 0 to 1.
    """

    file: str
    state: State
    embedding: NDArray[np.float32] | None = None
    thumbnail: NDArray[np.uint8] | None = None
    words: Mapping[str, float] | None = None


class Index:
    """An open index. It is written in transactions: however a run ends, each photo has a whole row or none.

    Args:
        path: the file.
        new: whether to make it, if it is not there.

    Raises:
        IndexFileError: it is something else, or cannot be opened.
    """

    def __init__(self, path: Path, new: bool) -> None:
        self._path = path
        if not new and not path.exists():
            raise IndexFileError(f"{path} is not there: `photo-labels index FOLDER --index {path}` makes it.")
        try:
            self._file = sqlite3.connect(path)
            [(application,)] = self._file.execute("PRAGMA application_id")
            [(tables,)] = self._file.execute("SELECT count(*) FROM sqlite_master")
            if not application and not tables:
                self._make()
            else:
                [(version,)] = self._file.execute("PRAGMA user_version")
                if (application, version) != (_APPLICATION, _VERSION):
                    raise IndexFileError(f"{path} is not an index of this version. Choose another file.")
        except sqlite3.Error as error:
            raise IndexFileError(f"{path} cannot be opened as an index ({error}). Choose another file.") from error

    def _make(self) -> None:
        self._file.execute(f"PRAGMA page_size = {_PAGE}")
        self._file.executescript(
            f"BEGIN; {_TABLES} PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {_VERSION}; COMMIT;"
        )

    def close(self) -> None:
        self._file.close()

    @property
    def origin(self) -> Origin | None:
        """What it is of; None where nothing has been written to it."""
        rows = self._file.execute("SELECT written FROM origin").fetchall()
        return Origin.read(json.loads(rows[0][0])) if rows else None

    def begin(self, origin: Origin, anew: bool) -> None:
        """Note what the index is of.

        Args:
            anew: remove what it has.

        Raises:
            IndexFileError: it is of another folder or model, unless ``anew``.
        """
        before = self.origin
        differences = before.differences(origin) if before else []
        if differences and not anew:
            raise IndexFileError(
                f"{self._path} is of something else: {'; '.join(differences)}. "
                "Choose another file, or add --force to drop what it has."
            )
        with self._file:
            if anew:
                self._file.execute("DELETE FROM photos")
                self._file.execute("DELETE FROM embeddings")
            self._file.execute("DELETE FROM origin")
            self._file.execute("INSERT INTO origin VALUES (?)", (json.dumps(origin.written()),))

    def states(self) -> dict[str, State]:
        """The files that it has, each with its state when it was read."""
        rows = self._file.execute("SELECT file, bytes, modified FROM photos")
        return {os.fsdecode(file): State(size, modified) for file, size, modified in rows}

    def put(self, entries: Iterable[Entry]) -> None:
        """Write rows, in the place of those that these files had, all or none."""
        with self._file:
            for entry in entries:
                self._remove(entry.file)
                thumbnail = None if entry.thumbnail is None else entry.thumbnail.tobytes()
                row = (os.fsencode(entry.file), *entry.state, thumbnail, json.dumps(dict(entry.words or {})))
                added = self._file.execute("INSERT INTO photos VALUES (NULL, ?, ?, ?, ?, ?)", row)
                if entry.embedding is not None:
                    embedding = entry.embedding.astype("<f4").tobytes()
                    self._file.execute("INSERT INTO embeddings VALUES (?, ?)", (added.lastrowid, embedding))

    def remove(self, files: Iterable[str]) -> None:
        with self._file:
            for file in files:
                self._remove(file)

    def _remove(self, file: str) -> None:
        name = (os.fsencode(file),)
        self._file.execute("DELETE FROM embeddings WHERE id = (SELECT id FROM photos WHERE file = ?)", name)
        self._file.execute("DELETE FROM photos WHERE file = ?", name)

    def embeddings(self) -> Iterator[tuple[list[int], NDArray[np.float32]]]:
        """All embeddings as rows, in blocks, each with the numbers of its photos in ascending order."""
        rows = self._file.execute("SELECT id, embedding FROM embeddings ORDER BY id")
        while block := rows.fetchmany(_BLOCK):
            joined = np.frombuffer(b"".join(embedding for _, embedding in block), "<f4")
            yield [number for number, _ in block], joined.reshape(len(block), -1)

    def file(self, number: int) -> str:
        """The file of a photo, by its number."""
        [(file,)] = self._file.execute("SELECT file FROM photos WHERE id = ?", (number,))
        return os.fsdecode(file)

    def thumbnails(self) -> tuple[list[str], NDArray[np.uint8]]:
        """The files that have an embedding, in its order, and their thumbnails: uint8 [files, 32, 32]."""
        query = "SELECT file, thumbnail FROM photos JOIN embeddings USING (id) ORDER BY id"
        rows = self._file.execute(query).fetchall()
        joined = np.frombuffer(b"".join(thumbnail for _, thumbnail in rows), np.uint8)
        return [os.fsdecode(file) for file, _ in rows], joined.reshape(len(rows), 32, 32)

    def words(self) -> list[tuple[str, dict[str, float]]]:
        """The files that are recognized by a word, with all of their words."""
        rows = self._file.execute("SELECT file, words FROM photos WHERE words != '{}'")
        return [(os.fsdecode(file), json.loads(words)) for file, words in rows]
