"""Runs a function with the template's own server and the settings of stack.yml, and checks its answers."""

import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import requests

from frontend.index.errors import CATALOG
from local import assemble, stack
from tests.launch import PROJECT, Running, free_port, running
from tests.processes import MEGABYTE

STATUS_OF_CODE = {code: entry["status"] for code, entry in CATALOG.items()}


@contextmanager
def serving(
    name: str,
    model: Path | None = None,
    *,
    wait_for_ready: bool = True,
    wrapper: Sequence[str] = (),
    **variables: str,
) -> Iterator[Running]:
    """Runs the function with these variables in addition to those of stack.yml.

    ``wrapper`` is a command that is given the server's command as more arguments and becomes it.
    """
    function = next(function for function in stack.read(PROJECT / "stack.yml") if function.name == name)
    url = f"http://127.0.0.1:{free_port()}"
    # As in the image: a decoder that ends late would write its bytecode into a folder that is being removed.
    of_image = {"PYTHONDONTWRITEBYTECODE": "1"}
    own = {"suppress_lock": "", "upstream_url": url}
    environment = {**os.environ, **of_image, **function.environment, **own, **variables}
    with tempfile.TemporaryDirectory(prefix="test-") as build:
        folder = assemble.assemble(function, PROJECT / "template", Path(build), model)
        is_up = _is_ready if wait_for_ready else _listens
        with running(
            [*wrapper, sys.executable, "index.py"], url, is_up, cwd=folder, environment=environment
        ) as program:
            yield program


def clip(model: Path | None = None, **options: Any) -> AbstractContextManager[Running]:
    """``clip`` with these options of ``serving``; the bundled model unless another is given."""
    return serving("clip", model, **options)


def memory_limit(name: str) -> int:
    """The memory limit of the function in stack.yml, in bytes."""
    function = next(function for function in stack.read(PROJECT / "stack.yml") if function.name == name)
    amount = re.fullmatch(r"(\d+)Mi", function.definition["limits"]["memory"])
    assert amount is not None
    return int(amount[1]) * MEGABYTE


def _is_ready(program: Running) -> bool:
    return _readiness(program) == 200


def _listens(program: Running) -> bool:
    return _readiness(program) is not None


def _readiness(program: Running) -> int | None:
    try:
        return requests.get(program.url + "/ready", timeout=10).status_code
    except requests.ConnectionError:
        return None


def verdict(answer: requests.Response) -> str:
    """ "ranked" or the code of the error; anything but a ranking or a typed error fails the test."""
    assert "Traceback" not in answer.text
    if answer.status_code == 200:
        scores = [prediction["score"] for prediction in answer.json()["predictions"]]
        assert scores == sorted(scores, reverse=True)
        assert 0 < sum(scores) <= 1.01
        return "ranked"
    error = answer.json()["error"]
    assert set(error) - {"type", "unknown"} == {"code", "message"}  # OpenAI's form has a type
    assert error["message"].endswith(".")
    assert STATUS_OF_CODE[error["code"]] == answer.status_code
    return str(error["code"])
