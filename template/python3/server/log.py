"""Logs: one JSON object a line on stdout, with the call id and the trace of the request that it belongs to."""

import json
import logging
import sys
from datetime import UTC, datetime

from . import trace
from .answered import Answered, observers

# After a line over 64 KiB the watchdog passes no more logs on. Both texts together stay below that, escapes included.
_MAX_TEXT = 1_000
_MAX_TRACEBACK = 4_000

# The attribute of a record that has a line's fields in the place of a message.
_FIELDS = "fields"

_requests = logging.getLogger("request")


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
        }
        line |= {name.name: name.get() for name in (trace.call_id, trace.traceparent) if name.get()}
        fields = getattr(record, _FIELDS, None)
        line |= {"message": record.getMessage()[:_MAX_TEXT]} if fields is None else fields
        if record.exc_info:
            # The end of a traceback says what happened. A long one is that of a recursion.
            line["traceback"] = self.formatException(record.exc_info)[-_MAX_TRACEBACK:]
        return _printable(json.dumps(line, ensure_ascii=False))


def _printable(text: str) -> str:
    """A JSON text in which what would end a line, steer a terminal or turn the direction of writing is escaped."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in text)


def configure() -> None:
    """Send all logging to stdout, warnings and a line for each request included."""
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    output = logging.StreamHandler(sys.stdout)
    output.setFormatter(_JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[output], force=True)
    logging.captureWarnings(True)
    # It warns of the queue's length whenever a few requests arrive at a time.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    observers.append(_request)


def _request(answered: Answered) -> None:
    fields = {
        "method": answered.method[:_MAX_TEXT],
        "path": answered.path[:_MAX_TEXT],
        "status": answered.status,
        **({"code": answered.code[:_MAX_TEXT]} if answered.code else {}),
        "duration_ms": round(answered.seconds * 1000, 1),
        "bytes_in": answered.bytes_in,
        "bytes_out": answered.bytes_out,
    }
    level = logging.ERROR if answered.status >= 500 else logging.INFO
    _requests.log(level, "request", extra={_FIELDS: fields})
