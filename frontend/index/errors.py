"""The table of errors, ``page/errors.json``: codes, statuses, and the words for people, here and in the browser."""

import json
from pathlib import Path
from typing import TypedDict


class Entry(TypedDict):
    """What is known of one code."""

    status: int
    """The HTTP status of the answer; 0 for an error that happens in the browser."""
    words: str
    """One or two sentences for people: what has happened, and what to do."""
    retry: bool
    """Whether sending the same photo again can help."""


CATALOG: dict[str, Entry] = json.loads((Path(__file__).parent / "page" / "errors.json").read_text("utf-8"))


class Failure(Exception):
    """An answer that is an error: ``{"error": {"code": ..., "message": ...}}`` with the status of its code."""

    def __init__(self, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = CATALOG[code]["status"]
        self.headers = headers or {}

    def body(self) -> bytes:
        """The JSON of the answer."""
        return json.dumps({"error": {"code": self.code, "message": self.message}}, ensure_ascii=False).encode()


def words_for(code: str, status: int) -> str:
    """The words for people: those of this code, else of the first code with this status, else of ``internal``."""
    same_status = (entry for entry in CATALOG.values() if entry["status"] == status)
    return (CATALOG.get(code) or next(same_status, CATALOG["internal"]))["words"]
