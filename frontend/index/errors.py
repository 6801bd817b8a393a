"""What can go wrong, in one place: `page/errors.json` holds the words people read, here and in the browser."""

import json
from pathlib import Path
from typing import TypedDict


class Entry(TypedDict):
    """One kind of failure.

    `status` is the HTTP status it is answered with (0: it never leaves the browser), `words` the sentence for people,
    with what to do next, and `retry` says whether sending the same photo again can help.
    """

    status: int
    words: str
    retry: bool


CATALOG: dict[str, Entry] = json.loads((Path(__file__).parent / "page" / "errors.json").read_text("utf-8"))


class Failure(Exception):
    """An answer that is an error: `{"error": {"code": ..., "message": ...}}` with the status of its code."""

    def __init__(self, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = CATALOG[code]["status"]
        self.headers = headers or {}

    def body(self) -> bytes:
        """The error form as JSON."""
        return json.dumps({"error": {"code": self.code, "message": self.message}}, ensure_ascii=False).encode()


def words_for(code: str, status: int) -> str:
    """The sentence for people: of this code, else of the first code with this status, else the general one."""
    same_status = (entry for entry in CATALOG.values() if entry["status"] == status)
    return (CATALOG.get(code) or next(same_status, CATALOG["internal"]))["words"]
