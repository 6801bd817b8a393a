"""A function as it is usually written; the environment's ``baseline`` says which one."""

import importlib
import json
import os
from typing import Any

_way = importlib.import_module(f".{os.environ['baseline']}", __package__)


def handle(event: Any, context: Any) -> dict[str, Any]:
    body = json.dumps({"predictions": [{"label": label, "score": score} for label, score in _way.rank(event.body)]})
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": body}
