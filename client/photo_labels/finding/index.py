"""A file of SQLite with the photos of a folder: their embeddings, their words, and tiny pictures of them."""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..origin import Origin
from ..states import State

# "PhLb": by this a file of SQLite is known to be one of these.
_APPLICATION = 0x50684C62
_VERSION = 2
# A search reads the embeddings of all photos: in large pages, many in one value, each page once.
_PAGE = 65536
_SIDE = 32  # of a thumbnail: see thumbnails.py, which needs more to be imported than a search does
_NO_THUMBNAILS = np.empty((0, _SIDE, _SIDE), np.uint8)
_WORD = np.dtype([("row", "<u2"), ("word", "<u4"), ("confidence", "<f4")])
_TABLES = """
CREATE TABLE origin (written TEXT NOT NULL);
CREATE TABLE photos (
    id INTEGER PRIMARY KEY,
    file BLOB NOT NULL UNIQUE,
    bytes INTEGER NOT NULL,
    modified TEXT NOT NULL,
    block INTEGER,
    row INTEGER
);
CREATE UNIQUE INDEX places ON photos (block, row);
CREATE TABLE blocks (
    id INTEGER PRIMARY KEY,
    size INTEGER NOT NULL,
    words BLOB NOT NULL,
    embeddings BLOB NOT NULL,
    thumbnails BLOB NOT NULL
);
CREATE TABLE words (id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE);
"""
# A block has the photos that were written together. Where one of them is forgotten, its row stays and is no photo's.

Place = tuple[int, int]
"""A block's number, and a row in it."""


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
                for table in ("photos", "blocks", "words"):
                    self._file.execute(f"DELETE FROM {table}")  # noqa: S608
            self._file.execute("DELETE FROM origin")
            self._file.execute("INSERT INTO origin VALUES (?)", (json.dumps(origin.written()),))

    def states(self) -> dict[str, State]:
        """The files that it has, each with its state when it was read."""
        rows = self._file.execute("SELECT file, bytes, modified FROM photos")
        return {os.fsdecode(file): State(size, modified) for file, size, modified in rows}

    @property
    def dimensions(self) -> int | None:
        """How many numbers an embedding has; None while there is none."""
        bytes_of_row = self._file.execute("SELECT length(embeddings) / size FROM blocks LIMIT 1").fetchone()
        return bytes_of_row[0] // 4 if bytes_of_row else None

    def put(self, entries: Sequence[Entry]) -> None:
        """Write rows, in the place of those that these files had, all or none.

        Args:
            entries: their embeddings have the dimensions of those that the index has.
        """
        with self._file:
            self._remove(entry.file for entry in entries)
            kept = [entry for entry in entries if entry.embedding is not None]
            block = self._add_block(kept) if kept else None
            places = {entry.file: (block, row) for row, entry in enumerate(kept)}
            self._file.executemany(
                "INSERT INTO photos VALUES (NULL, ?, ?, ?, ?, ?)",
                ((os.fsencode(one.file), *one.state, *places.get(one.file, (None, None))) for one in entries),
            )

    def _add_block(self, entries: Sequence[Entry]) -> int | None:
        words = [
            (row, self._word(word), confidence)
            for row, entry in enumerate(entries)
            for word, confidence in (entry.words or {}).items()
        ]
        embeddings = b"".join(
            entry.embedding.astype("<f4").tobytes() for entry in entries if entry.embedding is not None
        )
        thumbnails = b"".join(entry.thumbnail.tobytes() for entry in entries if entry.thumbnail is not None)
        values = (len(entries), np.array(words, _WORD).tobytes(), embeddings, thumbnails)
        return self._file.execute("INSERT INTO blocks VALUES (NULL, ?, ?, ?, ?)", values).lastrowid

    def _word(self, word: str) -> int:
        self._file.execute("INSERT OR IGNORE INTO words VALUES (NULL, ?)", (word,))
        [(number,)] = self._file.execute("SELECT id FROM words WHERE word = ?", (word,))
        return int(number)

    def remove(self, files: Iterable[str]) -> None:
        with self._file:
            self._remove(files)

    def _remove(self, files: Iterable[str]) -> None:
        blocks: set[int] = set()
        for file in files:
            name = (os.fsencode(file),)
            blocks.update(block for (block,) in self._file.execute("SELECT block FROM photos WHERE file = ?", name))
            self._file.execute("DELETE FROM photos WHERE file = ?", name)
        self._file.executemany(
            "DELETE FROM blocks WHERE id = ? AND NOT EXISTS (SELECT 1 FROM photos WHERE block = blocks.id)",
            ((block,) for block in blocks),
        )

    def embeddings(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """The blocks by their numbers, each with its embeddings as rows."""
        for number, size, embeddings in self._file.execute("SELECT id, size, embeddings FROM blocks ORDER BY id"):
            yield number, np.frombuffer(embeddings, "<f4").reshape(size, -1)

    def words(self) -> Iterator[tuple[int, int, NDArray[np.void]]]:
        """The blocks by their numbers, each with how many rows it has, and the words in them.

        These are structures of ``row``, ``word`` (a number of ``numbers_of``) and ``confidence``, 0 to 1.
        """
        for number, size, words in self._file.execute("SELECT id, size, words FROM blocks ORDER BY id"):
            yield number, size, np.frombuffer(words, _WORD)

    def numbers_of(self, words: Iterable[str]) -> list[list[int]]:
        """The numbers of each of these casefolded words in the index, which may have it in several cases, or not."""
        numbers: dict[str, list[int]] = {}
        for number, word in self._file.execute("SELECT id, word FROM words"):
            numbers.setdefault(word.casefold(), []).append(number)
        return [numbers.get(word, []) for word in words]

    def file(self, place: Place) -> str | None:
        """The file of the photo that is there; None where it has been forgotten."""
        found = self._file.execute("SELECT file FROM photos WHERE block = ? AND row = ?", place).fetchone()
        return os.fsdecode(found[0]) if found else None

    def photos(self) -> tuple[list[str], NDArray[np.float32], NDArray[np.uint8]]:
        """The files that have an embedding, their embeddings [files, dimensions] and thumbnails [files, 32, 32]."""
        rows: dict[int, list[tuple[int, str]]] = {}
        places = self._file.execute("SELECT block, row, file FROM photos WHERE block IS NOT NULL ORDER BY block, row")
        for block, row, file in places:
            rows.setdefault(block, []).append((row, os.fsdecode(file)))
        files, embeddings, thumbnails = [], [np.empty((0, self.dimensions or 0), np.float32)], [_NO_THUMBNAILS]
        for number, size, of_block, small in self._file.execute(
            "SELECT id, size, embeddings, thumbnails FROM blocks ORDER BY id"
        ):
            files += [file for _, file in rows[number]]
            here = [row for row, _ in rows[number]]
            embeddings.append(np.frombuffer(of_block, "<f4").reshape(size, -1)[here])
            thumbnails.append(np.frombuffer(small, np.uint8).reshape(size, _SIDE, _SIDE)[here])
        return files, np.concatenate(embeddings), np.concatenate(thumbnails)
