from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checkpoints import VISION, write_checkpoint
from tests.launch import Running, local


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """``local-dir:`` names of random-weight models, one of each kind."""
    root = tmp_path_factory.mktemp("checkpoints")
    return {kind: write_checkpoint(root / kind, kind) for kind in VISION}


@pytest.fixture(scope="session")
def exported(checkpoints: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same models, exported."""
    from backend.clip.export.convert import export
    from backend.clip.export.source import load

    root = tmp_path_factory.mktemp("exported")
    for kind, name in checkpoints.items():
        export(load(name, None), root / kind)
    return {kind: root / kind for kind in checkpoints}


@pytest.fixture(scope="session")
def open_clip_url(exported: dict[str, Path]) -> Iterator[str]:
    """``clip`` with a random-weight model of an open vocabulary, in the running application."""
    with local("--model", str(exported["vit"])) as program:
        yield program.url + "/function/clip"


@pytest.fixture(scope="session")
def clip_url(application: Running) -> str:
    """``clip`` with the bundled model, in the running application."""
    return application.url + "/function/clip"
