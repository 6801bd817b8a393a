"""The Dockerfiles and requirements of the images, as far as they can be read without building."""

import re
import shlex
from pathlib import Path

import pytest

from tests.launch import PROJECT

TEMPLATES = ["python3", "python3-debian"]
REQUIREMENTS = [
    "template/python3/requirements.txt",
    "frontend/index/requirements.txt",
    "backend/clip/requirements.txt",
    "backend/clip/requirements-export.txt",
    "local/requirements.txt",
]


@pytest.fixture(params=TEMPLATES)
def dockerfile(request: pytest.FixtureRequest) -> str:
    path: Path = PROJECT / "template" / request.param / "Dockerfile"
    return path.read_text(encoding="utf-8")


def final_stage(dockerfile: str) -> str:
    return dockerfile[dockerfile.rindex("\nFROM ") :]


def test_images_are_pinned_and_fully_named(dockerfile: str) -> None:
    stages = set(re.findall(r" AS (\w+)", dockerfile))
    for image in set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)) - stages:
        assert re.fullmatch(r"[a-z.]+\.io/\S+:\S+", image), image
        assert not image.endswith(":latest")
    assert "ghcr.io/openfaas/of-watchdog:0.11.6" in dockerfile


def test_the_final_image_installs_nothing_with_pip_and_runs_as_nobody_special(dockerfile: str) -> None:
    stage = final_stage(dockerfile)
    assert "pip" not in stage
    assert re.search(r"^USER 12000:12000$", stage, re.MULTILINE)
    assert stage.rstrip().endswith('CMD ["fwatchdog"]')


def test_the_watchdog_proxies_http_to_the_server_that_writes_its_lock(dockerfile: str) -> None:
    variables = dict(
        pair.split("=", 1)
        for line in re.findall(r"^ENV (.*)$", final_stage(dockerfile), re.MULTILINE)
        for pair in shlex.split(line)
    )
    assert variables["mode"] == "http"
    assert variables["fprocess"] == "python index.py"
    assert variables["upstream_url"] == "http://127.0.0.1:5000"
    assert variables["suppress_lock"] == "true"


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_process_of_the_template_is_that_of_the_image(template: str) -> None:
    lines = (PROJECT / "template" / template / "template.yml").read_text(encoding="utf-8").splitlines()
    assert lines == [f"language: {template}", "fprocess: python index.py"]


def test_torch_is_installed_for_the_export_alone() -> None:
    dockerfile = (PROJECT / "template/python3-debian/Dockerfile").read_text(encoding="utf-8")
    stages = re.split(r"^FROM .* AS (\w+)$", dockerfile, flags=re.MULTILINE)
    with_export = [stages[n] for n in range(1, len(stages), 2) if "requirements-export.txt" in stages[n + 1]]
    assert with_export == ["model"]
    assert "--from=model /model" in dockerfile
    assert not re.search(r"^(torch|open.clip)", (PROJECT / "backend/clip/requirements.txt").read_text(), re.MULTILINE)


@pytest.mark.parametrize("path", REQUIREMENTS)
def test_requirements_are_pinned(path: str) -> None:
    for line in (PROJECT / path).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith(("#", "-r ")):
            assert re.fullmatch(r"[\w.\-\[\]]+==[\w.]+( ;.*)?", line), line


def test_a_package_has_one_version_everywhere() -> None:
    versions: dict[str, set[str]] = {}
    for path in [*REQUIREMENTS, "tests/requirements.txt"]:
        for name, version in re.findall(r"^([\w.\-]+)==([\w.]+)", (PROJECT / path).read_text(), re.MULTILINE):
            versions.setdefault(name.lower().replace("_", "-"), set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


@pytest.mark.parametrize("folder", ["frontend/index", "backend/clip"])
def test_no_module_of_a_handler_reaches_out_of_its_folder(folder: str) -> None:
    """faas-cli copies the folder to `function`: only relative imports find their siblings there."""
    for module in Path(PROJECT, folder).rglob("*.py"):
        assert not re.search(r"^\s*(from|import) (backend|frontend|template|local|tests)\b", module.read_text(), re.M)
