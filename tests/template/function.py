"""A function made of the template and a handler that does what its path says."""

import shutil
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from tests.launch import PROJECT, Running

HANDLER = """
import hashlib, json, logging, sys, time, warnings

def handle(event, context):
    if event.path == "/echo":
        return {"statusCode": 200, "headers": {"Content-Type": "application/x-test"}, "body": event.body}
    if event.path == "/sha256":
        return {"body": hashlib.sha256(event.body).hexdigest()}
    if event.path == "/event" or "X-Show-Event" in event.headers:
        seen = {"method": event.method, "path": event.path, "query": event.query.to_dict(flat=False),
                "headers": dict(event.headers), "call_id": context.call_id,
                "traceparent": context.traceparent}
        return {"statusCode": 201, "headers": {"Content-Type": "application/json"}, "body": json.dumps(seen)}
    if event.path == "/slow":
        logging.info("slow")
        time.sleep(float(event.query["seconds"]))
        return {"body": "late"}
    if event.path == "/raise":
        raise RuntimeError("the secret of the handler " + "\\n\\u2028\\x00\\U000e0001" * 9000)
    if event.path == "/exit":
        sys.exit(3)
    if event.path == "/log":
        logging.info("from the handler")
        warnings.warn("a warning\\nof two lines")
        return {"body": ""}
    if event.path == "/large":
        return {"body": bytes(24_000_000)}
    if event.path == "/result":
        return eval(event.body)
    return {"statusCode": 404, "body": "nothing here"}
"""

SLOW = '"message": "slow"'
"""What a slow request writes into the log when it has reached the handler."""

Start = Callable[..., AbstractContextManager[Running]]


def assemble(folder: Path, handler: str, template: str = "python3") -> Path:
    shutil.copytree(PROJECT / "template" / template, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "function").mkdir()
    (folder / "function" / "handler.py").write_text(handler, encoding="utf-8")
    return folder


def accepts(program: Running) -> bool:
    try:
        socket.create_connection(("127.0.0.1", int(program.url.rpartition(":")[2]))).close()
    except ConnectionRefusedError:
        return False
    return True
