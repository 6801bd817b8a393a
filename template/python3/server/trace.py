"""What a request is called: in the logs, in its answer, and in calls that a handler makes because of it."""

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
    """Sets both for this request: its call id without what could harm a log or a header, or a new one, and the
    traceparent, or "" for one that is none."""
    call_id.set(re.sub(r"[^A-Za-z0-9._:-]", "", sent_call_id)[:64] or str(uuid.uuid4()))
    traceparent.set(sent_traceparent if _TRACEPARENT.fullmatch(sent_traceparent) else "")
