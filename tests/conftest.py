"""What the tests of every part share."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.launch import PROJECT, Running, local
from tests.workers import Made, locked

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

# Set before PyTorch is imported. Its threads wait for each other actively, and take the processor from other tests.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# What is imported stays: not to look through it for garbage again and again saves a fifth of the imports' time.
gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def application() -> Iterator[Running]:
    """The whole application with the bundled model: ``application.url`` + ``/function/index`` or ``/function/clip``."""
    with local() as program:
        yield program


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A temporary folder that all test processes share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if hasattr(request.config, "workerinput") else own


@pytest.fixture(scope="session")
def checkpoints(shared: Path) -> dict[str, str]:
    """``local-dir:`` names of random-weight models, one of each kind."""

    def checkpoint(kind: str) -> str:
        from tests.checkpoints import write_checkpoint

        folder = shared / "checkpoints" / kind
        with locked(shared / "checkpoints.lock"):
            return f"local-dir:{folder}" if folder.exists() else write_checkpoint(folder, kind)

    return Made(checkpoint)


@pytest.fixture(scope="session")
def exported(checkpoints: dict[str, str], shared: Path) -> dict[str, Path]:
    """The same models, exported."""

    def model(kind: str) -> Path:
        from backend.clip.export.convert import export
        from backend.clip.export.source import load

        name, folder = checkpoints[kind], shared / "exported" / kind
        with locked(shared / "exported.lock"):
            if not folder.exists():
                export(load(name, None), folder)
        return folder

    return Made(model)


@pytest.fixture(scope="session")
def trained(shared: Path) -> Path:
    """The bundled model's checkpoint, exported."""
    from backend.clip.export.convert import export
    from backend.clip.export.source import load

    folder = shared / "trained"
    with locked(shared / "trained.lock"):
        if not folder.exists():
            source = load(f"local-dir:{PROJECT / 'training' / 'checkpoint'}", None)
            export(source, folder, vocabulary="closed", label_names=("cup",), templates=("a {}.",))
    return folder


@pytest.fixture(scope="session")
def playwright() -> Iterator["Playwright"]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: "Playwright") -> Iterator["Browser"]:
    """Chromium, one for all tests of a process: Playwright cannot be started twice in it."""
    from tests.frontend.chromium import NoBrowserError, launched

    try:
        with launched(playwright) as browser:
            yield browser
    except NoBrowserError as error:
        pytest.fail(str(error))
