from pathlib import Path

import pytest

from tests.backend.checkpoints import VISION, write_checkpoint


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
