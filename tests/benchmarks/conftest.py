from pathlib import Path

import pytest

from backend.clip.export.convert import export
from backend.clip.export.source import load
from benchmarks.models import Models, write_onnx
from tests.checkpoints import write_checkpoint
from tests.launch import PROJECT


@pytest.fixture(scope="session")
def bundled() -> Path:
    return PROJECT / "backend" / "clip" / "model"


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """A very small open_clip model in all of its forms."""
    models = Models(tmp_path_factory.mktemp("models"))
    name = write_checkpoint(models.checkpoint, "vit")
    export(load(name, None), models.exported)
    write_onnx(models.checkpoint, models.onnx)
    return models
