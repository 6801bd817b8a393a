from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.launch import Running, local


@pytest.fixture(scope="session")
def open_clip_url(exported: dict[str, Path]) -> Iterator[str]:
    """``clip`` with a random-weight model of an open vocabulary, in the running application."""
    with local("--model", str(exported["vit"])) as program:
        yield program.url + "/function/clip"


@pytest.fixture(scope="session")
def clip_url(application: Running) -> str:
    """``clip`` with the bundled model, in the running application."""
    return application.url + "/function/clip"
