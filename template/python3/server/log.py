"""Logs: one JSON object a line on stdout, with the call id and the trace of the request that it belongs to."""

import json
import logging
import sys
from datetime import UTC, datetime

from . import trace

# After a line over 64 KiB the watchdog passes no more logs on. Both texts together stay below that, escapes included.
_MAX_TEXT = 1_000
_MAX_TRACEBACK = 4_000

_requests = logging.getLogger("request")


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
        }
        line |= {name.name: name.get() for name in (trace.call_id, trace.traceparent) if name.get()}
        if isinstance(record.args, dict) and record.name == _requests.name:
            line |= record.args
        else:
            line["message"] = record.getMessage()[:_MAX_TEXT]
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
    """Send all logging to stdout, warnings included."""
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    output = logging.StreamHandler(sys.stdout)
    output.setFormatter(_JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[output], force=True)
    logging.captureWarnings(True)
    # It warns of the queue's length whenever a few requests arrive at a time.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)


def request(method: str, path: str, status: int, code: str, seconds: float, bytes_in: int, bytes_out: int) -> None:
    """Log one answered request.

    Args:
        seconds: the time from its last byte to the answer.
        code: the error's, or "".
        bytes_in, bytes_out: the sizes of the bodies.
    """
    fields = {
        "method": method[:_MAX_TEXT],
        "path": path[:_MAX_TEXT],
        "status": status,
        **({"code": code[:_MAX_TEXT]} if code else {}),
        "duration_ms": round(seconds * 1000, 1),
        "bytes_in": bytes_in,
        "bytes_out": bytes_out,
    }
    _requests.log(logging.ERROR if status >= 500 else logging.INFO, "request", fields)
