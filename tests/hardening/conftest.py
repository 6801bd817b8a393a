from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functions import clip
from tests.launch import Running


@pytest.fixture(scope="session")
def open_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small exported model with random weights and an open vocabulary."""
    from backend.clip.export.convert import export
    from backend.clip.export.source import load
    from tests.checkpoints import write_checkpoint

    root = tmp_path_factory.mktemp("hardening")
    export(load(write_checkpoint(root / "checkpoint", "vit"), None), root / "model")
    return root / "model"


@pytest.fixture(scope="module")
def service(open_model: Path) -> Iterator[Running]:
    """`clip` with that model."""
    with clip(open_model) as program:
        yield program
