"""What an image is built from: faas-cli copies a template to ``build/FUNCTION`` and follows its symbolic links."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local import stack
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


@pytest.mark.parametrize("function", stack.read(PROJECT / "stack.yml"), ids=lambda function: function.name)
def test_a_handler_finds_in_its_context_what_it_imports(function: stack.Function, tmp_path: Path) -> None:
    """As the last step of the Dockerfile asks. Nothing of the checkout is on the path."""
    context = tmp_path / "context"
    shutil.copytree(PROJECT / "template" / function.lang, context)
    shutil.copytree(function.handler, context / "function")
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ended = subprocess.run(
        [sys.executable, "-c", "import function.handler"],
        cwd=context,
        env={**variables, **function.environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
