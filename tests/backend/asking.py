"""Requests to ``clip``, and what their answers say."""

from typing import Any

import requests


def post(url: str, data: bytes, **options: Any) -> requests.Response:
    return requests.post(url, data=data, timeout=60, **options)


def error_code(answer: requests.Response) -> str:
    """The code of an error in the form of the contract; anything else fails the test."""
    assert answer.headers["Content-Type"] == "application/json"
    problem = answer.json()["error"]
    assert set(problem) - ({"unknown"} if problem["code"] == "closed_vocabulary" else set()) == {"code", "message"}
    assert problem["message"].endswith(".")
    assert "Traceback" not in answer.text
    return str(problem["code"])


def top(answer: requests.Response) -> list[str]:
    """The labels of an answer, best first."""
    assert answer.status_code == 200, answer.text
    return [prediction["label"] for prediction in answer.json()["predictions"]]
