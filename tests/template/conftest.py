"""Functions, served by the template's own server."""

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.launch import Running, free_port, running
from tests.template.function import HANDLER, Start, accepts, assemble


def served(folder: Path, handler: str, **variables: str) -> AbstractContextManager[Running]:
    """A handler with these variables, assembled in a new folder, as soon as the port is open."""
    assemble(folder, handler)
    url = f"http://127.0.0.1:{free_port()}"
    environment = {**os.environ, "upstream_url": url, **variables}
    return running([sys.executable, "index.py"], url, accepts, cwd=folder, environment=environment)


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """``start(handler, name="value", ...)`` serves a handler with these variables, as soon as the port is open."""

    def start(handler: str = HANDLER, **variables: str) -> AbstractContextManager[Running]:
        return served(tmp_path / "function", handler, **variables)

    return start


@pytest.fixture(scope="module")
def function(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The handler above, with bodies of at most 1,000,000 bytes."""
    with served(tmp_path_factory.mktemp("template") / "function", HANDLER, max_body_bytes="1000000") as program:
        yield program
