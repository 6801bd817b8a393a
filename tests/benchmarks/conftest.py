from pathlib import Path

import pytest

from benchmarks.models import Models, write_onnx
from tests.launch import PROJECT


@pytest.fixture(scope="session")
def bundled() -> Path:
    return PROJECT / "backend" / "clip" / "model"


@pytest.fixture(scope="session")
def models(checkpoints: dict[str, str], exported: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Models:
    """A very small open_clip model in all of its forms."""
    folder = tmp_path_factory.mktemp("models")
    checkpoint = Path(checkpoints["vit"].removeprefix("local-dir:"))
    write_onnx(checkpoint, folder / "image.onnx")
    return Models(checkpoint, exported["vit"], folder / "image.onnx", folder / "faster-clip")
