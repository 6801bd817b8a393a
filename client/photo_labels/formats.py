"""Writes results as lines of JSON or rows of CSV, and reads them again."""

import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from .formulas import harmless, original

# Characters that JSON leaves as they are, and that a terminal or a reader of lines would obey.
_FOR_TERMINALS = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_BEST = ("label", "score")
_REST = ("confidence", "recognized", "instead", "error")


@dataclass(frozen=True)
class Result:
    """What the service says about a photo. ``answer`` is its JSON, with ``predictions`` or with ``error``."""

    file: str
    answer: Mapping[str, Any]

    @property
    def error(self) -> str | None:
        """The code of the error, if there is one."""
        error = self.answer.get("error")
        return None if error is None else str(error["code"])

    @property
    def label(self) -> str | None:
        """The best label, or None if the photo is not recognized."""
        return str(self.answer["predictions"][0]["label"]) if self.answer.get("recognized") else None


class Format(Protocol):
    """A file format for results."""

    header: bytes
    """The line before the first result, or nothing."""
    beginning: bytes
    """The first bytes of every file of this format."""

    def line(self, result: Result) -> bytes:
        """The result with a line break at its end."""

    def result(self, line: bytes) -> Result:
        """Read what ``line`` has returned.

        Raises:
            AttributeError, LookupError, TypeError, ValueError: it is something else.
        """

    def is_complete(self, line: bytes) -> bool:
        """Whether these bytes, up to the end of a line of the file, are a whole result."""


class JsonLines:
    """JSON Lines: the file's name and the service's answer in one object."""

    header = b""
    beginning = b'{"file": '

    def line(self, result: Result) -> bytes:
        said = {"file": result.file} | dict(result.answer) | {"file": result.file}
        try:
            text = json.dumps(said, ensure_ascii=False)
            return _FOR_TERMINALS.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode() + b"\n"
        except UnicodeEncodeError:  # the file's name is not UTF-8
            return json.dumps(said).encode() + b"\n"

    def result(self, line: bytes) -> Result:
        said = json.loads(line)
        result = Result(str(said.pop("file")), said)
        if result.error is None and not said["predictions"]:
            raise ValueError(line)
        return result

    def is_complete(self, line: bytes) -> bool:
        return line.endswith(b"\n")


class Csv:
    """One row for each photo, with the ``top_k`` best labels.

    Names that are not UTF-8 are written byte by byte. What a spreadsheet would take for a formula is made harmless.
    """

    def __init__(self, top_k: int) -> None:
        more = [f"{column}_{n}" for n in range(2, top_k + 1) for column in _BEST]
        self._columns = ["file", *_BEST, *_REST, *more]
        self.header = self.beginning = self._row(self._columns)

    def line(self, result: Result) -> bytes:
        if result.error is not None:
            return self._row([result.file, "", "", "", "", "", result.error] + [""] * (len(self._columns) - 7))
        said = result.answer
        best, *more = said["predictions"]
        recognized = "true" if result.label is not None else "false"
        instead = (said.get("instead") or {}).get("label", "")
        row = [result.file, best["label"], best["score"], said.get("confidence", ""), recognized, instead, ""]
        row += [value for one in more for value in (one["label"], one["score"])]
        # The service may have sent fewer labels, or more.
        return self._row((row + [""] * len(self._columns))[: len(self._columns)])

    def result(self, line: bytes) -> Result:
        [row] = csv.reader(io.StringIO(line.decode("utf-8", "surrogateescape"), newline=""), strict=True)
        said = dict(zip(self._columns, map(original, row), strict=True))
        if said["error"]:
            return Result(said["file"], {"error": {"code": said["error"]}})
        predictions = [{"label": said["label"], "score": float(said["score"])}]
        return Result(said["file"], {"predictions": predictions, "recognized": said["recognized"] == "true"})

    def is_complete(self, line: bytes) -> bool:
        return line.endswith(b"\n") and line.count(b'"') % 2 == 0  # quotes may contain line breaks

    def _row(self, values: list[Any]) -> bytes:
        text = io.StringIO()
        # Cells that contain a character of the line's end are quoted, so both belong to it.
        csv.writer(text, lineterminator="\r\n").writerow([harmless(str(value)) for value in values])
        return text.getvalue().removesuffix("\r\n").encode("utf-8", "surrogateescape") + b"\n"
