from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functions import clip
from tests.launch import Running


@pytest.fixture(scope="session")
def open_model(exported: dict[str, Path]) -> Path:
    """A small exported model with random weights and an open vocabulary."""
    return exported["vit"]


@pytest.fixture(scope="module")
def service(open_model: Path) -> Iterator[Running]:
    """``clip`` with that model."""
    with clip(open_model) as program:
        yield program
