"""The ids of a request: in the logs, in its answer, and in the calls that a handler makes for it."""

import re
import uuid
from contextvars import ContextVar

CALL_ID = "X-Call-Id"
TRACEPARENT = "traceparent"

call_id: ContextVar[str] = ContextVar("call_id", default="")
traceparent: ContextVar[str] = ContextVar("traceparent", default="")

# https://www.w3.org/TR/trace-context/#traceparent-header: neither id may be zero, and there is no version ff.
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def identify(sent_call_id: str, sent_traceparent: str) -> None:
    """Set ``call_id`` and ``traceparent`` for this request.

    The call id is the caller's without characters that could break a log line or a header, or a new one if nothing is
    left; the traceparent is the caller's if it is valid, else "".
    """
    call_id.set(re.sub(r"[^A-Za-z0-9._:-]", "", sent_call_id)[:64] or str(uuid.uuid4()))
    traceparent.set(sent_traceparent if _TRACEPARENT.fullmatch(sent_traceparent) else "")
