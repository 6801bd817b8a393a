"""Logs: one JSON object a line on stdout, each with the call id of the request that it belongs to."""

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime

call_id: ContextVar[str] = ContextVar("call_id", default="")

# The watchdog stops to pass logs on after a line over 64 KiB: both texts together stay below it, escapes included.
_MAX_TEXT = 1_000
_MAX_TRACEBACK = 8_000

_requests = logging.getLogger("request")


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
        }
        if call_id.get():
            line["call_id"] = call_id.get()
        if isinstance(record.args, dict) and record.name == _requests.name:
            line |= record.args
        else:
            line["message"] = record.getMessage()[:_MAX_TEXT]
        if record.exc_info:
            # The end of a traceback says what happened; its middle, when it is long, is a recursion.
            line["traceback"] = self.formatException(record.exc_info)[-_MAX_TRACEBACK:]
        return json.dumps(line, ensure_ascii=False)


def configure() -> None:
    """Sends all logging, warnings included, to stdout."""
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    output = logging.StreamHandler(sys.stdout)
    output.setFormatter(_JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[output], force=True)
    logging.captureWarnings(True)
    # Says "queue depth" at every short burst.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)


def request(method: str, path: str, status: int, seconds: float, bytes_in: int, bytes_out: int) -> None:
    """Logs one answered request. `bytes_in` and `bytes_out` count the bodies."""
    fields = {
        "method": method[:_MAX_TEXT],
        "path": path[:_MAX_TEXT],
        "status": status,
        "duration_ms": round(seconds * 1000, 1),
        "bytes_in": bytes_in,
        "bytes_out": bytes_out,
    }
    _requests.log(logging.ERROR if status >= 500 else logging.INFO, "request", fields)
