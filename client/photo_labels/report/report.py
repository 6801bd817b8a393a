"""Collects what a report shows while photos are labelled, and writes it at the end."""

import os
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from ..files import NewFile
from ..results import Result
from .errors import ReportError
from .page import BEGINNING, Failure, Group, Photo, page
from .thumbnails import Thumbnail, thumbnail

# In seconds, of a video.
_LONGEST = 1e6


@dataclass(frozen=True)
class _Shown:
    word: str | None
    confidence: float | None
    message: str | None
    times: str
    picture: Callable[[], Thumbnail] | None = None


def _times(result: Result) -> str:
    """When a video shows what; "" for a photo. Whoever has written the answer may have written anything."""
    frames = result.answer.get("frames")
    if not isinstance(frames, list):
        return ""
    shown = []
    for frame in frames:
        match frame:
            case {"time": int() | float() as seconds, "word": str() as word} if 0 <= seconds < _LONGEST:
                shown.append(f"{int(seconds // 60)}:{int(seconds % 60):02} {word}")
    return ", ".join(shown)


class Report:
    """A report that is being made. Any thread may use it. Thumbnails wait on the disk.

    Args:
        path: its file. One that is there must be a report, which is replaced.
        folder: that of the photos.

    Raises:
        ReportError: it cannot be written there.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        self._path = Path(os.path.realpath(path))
        self._folder = Path(os.path.realpath(folder))
        self._photos: dict[str, _Shown] = {}
        self._lock = threading.Lock()
        try:
            self._require_no_other_file()
            with NewFile(self._path):
                pass
            self._waiting = tempfile.TemporaryFile()  # noqa: SIM115 (closed by close)
        except BlockingIOError:
            raise ReportError(f"Another run is writing {path}.") from None
        except OSError as error:
            raise ReportError(f"{path} cannot be written to: {error.strerror}.") from error

    def _require_no_other_file(self) -> None:
        beginning = BEGINNING.encode()
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            if file.read(len(beginning)) != beginning:
                raise ReportError(f"{self._path} is not a report of photo-labels. Choose another file.")

    def close(self) -> None:
        with suppress(OSError):  # what a full disk has not taken is not needed any more
            self._waiting.close()

    def keep(self, folder: Path, result: Result) -> Result:
        """Take what is shown of a result, and the preview out of it; gives the rest."""
        self.add(result)
        return self.picture(result)

    def add(self, result: Result) -> None:
        """Take what is shown of a result, but for its picture."""
        message = None if result.error is None else result.answer["error"]["message"] or result.error
        with self._lock:
            self._photos[result.file] = _Shown(result.word, result.confidence, message, _times(result))

    def picture(self, result: Result) -> Result:
        """Take the picture of a photo out of the preview in its answer; gives the result without it.

        Raises:
            ReportError: the disk takes no more of them.
        """
        answer = dict(result.answer)
        small = thumbnail(answer.pop("preview", None))
        with self._lock:
            if small:
                shown = self._photos[result.file]
                self._photos[result.file] = replace(shown, picture=self._put_aside(small))
        return replace(result, answer=answer)

    def _put_aside(self, small: Thumbnail) -> Callable[[], Thumbnail]:
        try:
            at = self._waiting.seek(0, os.SEEK_END)
            self._waiting.write(small.jpeg)
        except OSError as error:
            where = tempfile.gettempdir()
            raise ReportError(f"The pictures of the report cannot be kept in {where}: {error.strerror}.") from error
        length, width, height = len(small.jpeg), small.width, small.height

        def read() -> Thumbnail:
            self._waiting.seek(at)
            return Thumbnail(self._waiting.read(length), width, height)

        return read

    def write(self, model: str, language: str) -> None:
        """Write the file: the old one or the new one is there at any moment.

        Args:
            language: of the words.

        Raises:
            ReportError: it cannot be written.
        """
        groups: dict[str | None, list[Photo]] = defaultdict(list)
        failures = []
        for file, shown in sorted(self._photos.items(), key=lambda item: (-(item[1].confidence or 0.0), item[0])):
            if shown.message is not None:
                failures.append(Failure(file, shown.message))
            else:
                photo = Photo(file, self._address(file), shown.confidence, shown.times, shown.picture)
                groups[shown.word].append(photo)
        # What is not recognized comes last.
        ordered = sorted(groups.items(), key=lambda item: (item[0] is None, -len(item[1]), item[0] or ""))
        content = page(str(self._folder), model, language, [Group(*each) for each in ordered], failures)
        try:
            self._require_no_other_file()  # such as one that this run has written its results to
            with NewFile(self._path) as new:
                new.take_its_place(content)
        except BlockingIOError:
            raise ReportError(f"Another run is writing {self._path}.") from None
        except OSError as error:
            raise ReportError(f"{self._path} cannot be written to: {error.strerror}.") from error

    def _address(self, file: str) -> str:
        photo = self._folder / file
        try:
            relative = os.path.relpath(photo, self._path.parent)
        except ValueError:  # on another drive
            return photo.as_uri()
        return quote(os.fsencode(relative.replace(os.sep, "/")))
