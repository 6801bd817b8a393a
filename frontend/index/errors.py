"""The table of errors, ``page/errors.json``: codes and statuses; the words for people are in the texts."""

import json
from pathlib import Path
from typing import TypedDict

from .texts import Texts


class Entry(TypedDict):
    """What is known of one code."""

    status: int
    """The HTTP status of the answer; 0 for an error that happens in the browser."""
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


def words_for(texts: Texts, code: str, status: int) -> str:
    """The words for people: those of this code, else of the first code with this status, else of ``internal``."""
    same_status = (name for name, entry in CATALOG.items() if entry["status"] == status)
    return texts.errors[code if code in CATALOG else next(same_status, "internal")]
