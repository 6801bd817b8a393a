"""What an image is built from: faas-cli copies a template to ``build/FUNCTION`` and follows its symbolic links."""

import re
import shutil
from pathlib import Path

import pytest

from tests.launch import PROJECT


@pytest.mark.parametrize("template", ["python3", "python3-debian"])
def test_a_context_holds_all_that_its_dockerfile_copies(tmp_path: Path, template: str) -> None:
    context = tmp_path / "context"
    shutil.copytree(PROJECT / "template" / template, context)
    assert not [path for path in context.rglob("*") if path.is_symlink()]
    dockerfile = (context / "Dockerfile").read_text(encoding="utf-8")
    sources = {
        source.rstrip("/")
        for line in re.findall(r"^COPY (?!--from)(.*)$", dockerfile, re.MULTILINE)
        for source in line.split()[:-1]
        if not source.startswith("function/")  # the handler's
    }
    assert {"index.py", "server", "requirements.txt"} <= sources
    for source in sources:
        assert (context / source).exists(), source


def test_the_version_is_that_of_the_project() -> None:
    """``clip`` says it in ``GET /``, and faas-cli follows the link when it copies the handler."""
    link = PROJECT / "backend" / "clip" / "project.toml"
    assert link.is_symlink()
    assert link.resolve() == PROJECT / "pyproject.toml"


def test_the_server_lives_once() -> None:
    """A checkout without symbolic links would hold small text files in their place, and build images of these."""
    for name in ("index.py", "server", "requirements.txt"):
        link = PROJECT / "template" / "python3-debian" / name
        assert link.is_symlink()
        assert link.resolve() == PROJECT / "template" / "python3" / name


@pytest.mark.parametrize(
    ("function", "name"),
    [
        *(("frontend/index", name) for name in ("interface.py", "environment.py")),
        *(("backend/clip", name) for name in ("interface.py", "environment.py", "body_memory.py")),
    ],
)
def test_handlers_and_server_share_a_module(function: str, name: str) -> None:
    link = PROJECT / function / name
    assert link.is_symlink()
    assert link.resolve() == PROJECT / "template" / "python3" / "server" / name
