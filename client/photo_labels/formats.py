"""Writes results as lines of JSON, rows of CSV or lines for people, and reads the first two again."""

import csv
import io
import json
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from .answers import problem, read_json, recognition
from .formulas import harmless, original
from .origin import Origin
from .results import Result
from .states import State
from .terminal import printable

# Characters that JSON leaves as they are, and that a terminal or a reader of lines would obey.
_FOR_TERMINALS = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_BEST = ("label", "score")
_IN_ENGLISH = "_en"
_REST = ("confidence", "recognized", "instead", "word", "error", *State._fields)
# What a result adds to the answer.
_OWN = ("file", *State._fields)
_WORD = "word"
_NAMES = sys.getfilesystemencodeerrors()


class Format(Protocol):
    """A file format for results."""

    beginning: bytes
    """The first bytes of every file of this format."""

    def header(self, origin: Origin) -> bytes:
        """The first line, which says what the results are of."""

    def origin(self, line: bytes) -> Origin:
        """Read what ``header`` has returned.

        Raises:
            LookupError, ValueError, RecursionError, csv.Error: it is something else.
        """

    def line(self, result: Result) -> bytes:
        """The result with a line break at its end."""

    def result(self, line: bytes) -> Result:
        """Read what ``line`` has returned.

        Raises:
            LookupError, ValueError, RecursionError, csv.Error: it is something else.
        """

    def is_complete(self, line: bytes) -> bool:
        """Whether these bytes, up to the end of a line of the file, are a whole result."""


class JsonLines:
    """JSON Lines: the file's name, the service's answer and the file's state in one object."""

    beginning = b'{"run": '

    def header(self, origin: Origin) -> bytes:
        return _json({"run": origin.written()}) + b"\n"

    def origin(self, line: bytes) -> Origin:
        return Origin.read(read_json(line)["run"])

    def line(self, result: Result) -> bytes:
        answer = {name: value for name, value in result.answer.items() if name not in (*_OWN, _WORD)}
        word = {_WORD: result.word} if result.error is None else {}
        return _json({"file": result.file, **answer, **word, **result.state._asdict()}) + b"\n"

    def result(self, line: bytes) -> Result:
        said = read_json(line)
        file, size, modified = (said.pop(name) for name in _OWN)
        said.pop(_WORD, None)  # which follows from the rest
        if not isinstance(file, str) or not isinstance(size, int) or not isinstance(modified, str):
            raise ValueError(line)
        answer = {"error": problem(said)} if "error" in said else recognition(said)
        return Result(file, answer, State(size, modified))

    def is_complete(self, line: bytes) -> bool:
        return line.endswith(b"\n")


class Csv:
    """One row for each photo, with the ``top_k`` best labels. The name of the last column says what they are of.

    Names that are not UTF-8 are written byte by byte. What a spreadsheet would take for a formula is made harmless.

    Args:
        translated: whether labels are in another language, and the English ones have columns of their own.
    """

    def __init__(self, top_k: int, translated: bool = False) -> None:
        best = ("label", f"label{_IN_ENGLISH}", "score") if translated else _BEST
        more = [f"{column}_{n}" for n in range(2, top_k + 1) for column in best]
        self._columns = ["file", *best, *_REST, *([f"{_WORD}{_IN_ENGLISH}"] if translated else []), *more]
        self._top_k = top_k
        self.beginning = ",".join(["file", *best, *_REST]).encode()

    def header(self, origin: Origin) -> bytes:
        return self._row([*self._columns, _json({"run": origin.written()}).decode("utf-8", _NAMES)])

    def origin(self, line: bytes) -> Origin:
        return Origin.read(read_json(self._cells(line)[-1].encode("utf-8", _NAMES))["run"])

    def line(self, result: Result) -> bytes:
        said = result.answer
        cells: dict[str, Any] = {"file": result.file, **result.state._asdict()}
        if result.error is not None:
            return self._filled(cells | {"error": result.error})
        for n, one in enumerate(said["predictions"][: self._top_k], 1):
            ending = f"_{n}" if n > 1 else ""
            english = one.get("label_en", one["label"])
            cells |= {f"label{ending}": one["label"], f"label{_IN_ENGLISH}{ending}": english}
            cells[f"score{ending}"] = one["score"]
        cells |= {"confidence": said.get("confidence", ""), "instead": (said.get("instead") or {}).get("label", "")}
        cells |= {"recognized": "true" if result.label is not None else "false"}
        return self._filled(cells | {_WORD: result.word or "", f"{_WORD}{_IN_ENGLISH}": result.english_word or ""})

    def result(self, line: bytes) -> Result:
        *cells, last = self._cells(line)
        said = dict(zip(self._columns, cells, strict=True))
        if last:
            raise ValueError(last)
        state = State(int(said["bytes"]), said["modified"])
        if said["error"]:
            answer: dict[str, Any] = {"error": problem({"error": {"code": said["error"], "message": ""}})}
            return Result(said["file"], answer, state)
        answer = {"predictions": [{"label": said["label"], "score": float(said["score"])}]}
        answer |= {"confidence": float(said["confidence"])} if said["confidence"] else {}
        answer |= {"recognized": said["recognized"] == "true"}
        answer |= {"instead": {"label": said["instead"]}} if said["instead"] else {}
        return Result(said["file"], recognition(answer), state)

    def is_complete(self, line: bytes) -> bool:
        return line.endswith(b"\n") and line.count(b'"') % 2 == 0  # quotes may contain line breaks

    def _cells(self, line: bytes) -> list[str]:
        [row] = csv.reader(io.StringIO(line.decode("utf-8", _NAMES), newline=""), strict=True)
        return list(map(original, row))

    def _filled(self, cells: Mapping[str, Any]) -> bytes:
        """The row with these cells; the others, and the last column, stay empty."""
        return self._row([*(cells.get(column, "") for column in self._columns), ""])

    def _row(self, values: Iterable[Any]) -> bytes:
        text = io.StringIO()
        # Cells that contain a character of the line's end are quoted, so both belong to it.
        csv.writer(text, lineterminator="\r\n").writerow([harmless(str(value)) for value in values])
        return text.getvalue().removesuffix("\r\n").encode("utf-8", _NAMES) + b"\n"


class ForPeople:
    """A line for each photo, as a person reads it on a terminal. It cannot be continued."""

    beginning = b""

    def header(self, origin: Origin) -> bytes:
        return b""

    def origin(self, line: bytes) -> Origin:
        raise ValueError(line)

    def line(self, result: Result) -> bytes:
        if result.error is not None:
            said = f"failed: {result.answer['error']['message']}"
        else:
            sure = f", {result.answer['confidence']:.0%}" if "confidence" in result.answer else ""
            instead = f", perhaps: {result.instead}" if result.instead else ""
            said = f"not recognized{instead}" if result.label is None else f"{result.label}{sure}"
        return f"{printable(result.file)}  {printable(said)}\n".encode("utf-8", "replace")

    def result(self, line: bytes) -> Result:
        raise ValueError(line)

    def is_complete(self, line: bytes) -> bool:
        return line.endswith(b"\n")


def _json(said: Mapping[str, Any]) -> bytes:
    try:
        text = json.dumps(said, ensure_ascii=False)
        return _FOR_TERMINALS.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()
    except UnicodeEncodeError:  # the file's name is not UTF-8
        return json.dumps(said).encode()
