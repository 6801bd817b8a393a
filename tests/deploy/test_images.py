"""The Dockerfiles and requirements of the images, as far as they can be read without building."""

import ast
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.launch import PROJECT

TEMPLATES = ["python3", "python3-debian"]
REQUIREMENTS = [
    "template/python3/requirements.txt",
    "frontend/index/requirements.txt",
    "backend/clip/requirements.txt",
    "backend/clip/requirements-export.txt",
    "backend/clip/requirements-torch.txt",
    "local/requirements.txt",
]


@pytest.fixture(params=TEMPLATES)
def dockerfile(request: pytest.FixtureRequest) -> str:
    path: Path = PROJECT / "template" / request.param / "Dockerfile"
    return path.read_text(encoding="utf-8")


def final_stage(dockerfile: str) -> str:
    return dockerfile[dockerfile.rindex("\nFROM ") :]


def test_images_are_named_by_their_exact_versions(dockerfile: str) -> None:
    arguments = dict(re.findall(r"^ARG (\w+)=(.*)$", dockerfile, re.MULTILINE))
    stages = set(re.findall(r" AS (\w+)", dockerfile))
    for image in set(re.findall(r"^FROM (?:--platform=\S+ )?(\S+)", dockerfile, re.MULTILINE)) - stages:
        named = re.sub(r"\$\{(\w+)\}", lambda match: arguments[match[1]], image)
        assert re.fullmatch(r"[a-z.]+\.io/\S+:\d+\.\d+\.\d+(-slim-bookworm)?(@sha256:[0-9a-f]{64})?", named), named


def test_no_build_argument_is_empty(dockerfile: str) -> None:
    assert "" not in re.findall(r"^ARG \w+=?(.*)$", dockerfile, re.MULTILINE)


def test_an_image_runs_without_root(dockerfile: str) -> None:
    """As a number: Kubernetes does not know that a name is not root's."""
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", re.findall(r"^USER (.*)$", final_stage(dockerfile), re.MULTILINE)[-1])


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_process_of_the_template_is_that_of_the_image(template: str) -> None:
    """faas-cli deploys a function with that of its template, which takes the place of the image's."""
    folder = PROJECT / "template" / template
    stage = final_stage((folder / "Dockerfile").read_text(encoding="utf-8"))
    lines = re.findall(r"^ENV (.*)$", stage, re.MULTILINE)
    variables = dict(pair.split("=", 1) for line in lines for pair in shlex.split(line))
    of_template = yaml.safe_load((folder / "template.yml").read_text(encoding="utf-8"))
    assert of_template == {"language": template, "fprocess": variables["fprocess"]}


def test_torch_is_for_the_export_alone_and_from_one_index() -> None:
    served = (PROJECT / "backend/clip/requirements.lock").read_text(encoding="utf-8")
    assert not re.search(r"^(torch|open.clip)", served, re.MULTILINE)
    for path in ("template/python3-debian/Dockerfile", "Makefile"):
        assert "--extra-index-url" not in (PROJECT / path).read_text(encoding="utf-8")


def imported_by(module: Path, package: Path) -> set[Path]:
    """The modules of ``package`` that a module imports relatively."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            folder = [module, *module.parents][node.level]
            names = [node.module] if node.module else [alias.name for alias in node.names]
            found |= {folder.joinpath(*name.split(".")).with_suffix(".py") for name in names}
    return {path for path in found if path.is_file() and path.is_relative_to(package)}


def closure(modules: set[Path], package: Path) -> set[Path]:
    """These modules and all of ``package`` that they need."""
    while new := {path for module in modules for path in imported_by(module, package)} - modules:
        modules = modules | new
    return modules


def test_the_model_is_made_again_only_when_something_that_it_depends_on_has_changed() -> None:
    """What the Dockerfile leaves out of the recipe is what no module of the export imports, of the server as well."""
    clip = PROJECT / "backend" / "clip"
    dockerfile = (PROJECT / "template/python3-debian/Dockerfile").read_text(encoding="utf-8")
    [removed] = re.findall(r"^RUN cd /function && rm -rf requirements\* ((?:.*\\\n)*.*)$", dockerfile, re.MULTILINE)
    named = [clip / name for name in removed.replace("\\\n", "").split()]
    assert all(path.exists() for path in named)
    left_out = {module for path in named for module in (path.glob("*.py") if path.is_dir() else [path])}
    assert clip / "handler.py" in left_out
    recipe = closure(set((clip / "export").glob("*.py")), clip)
    assert not left_out & recipe
    [copied] = re.findall(r"^COPY (server/.*) /server/$", dockerfile, re.MULTILINE)
    names = {name for module in recipe for name in re.findall(r"from server\.(\w+) import", module.read_text())}
    assert set(copied.split()) == {"server/__init__.py", *(f"server/{name}.py" for name in names)}


def test_a_download_of_photographs_needs_no_other_module() -> None:
    """So that its layer is made again only when what it downloads has changed."""
    clip = PROJECT / "backend" / "clip"
    assert closure({clip / "export" / "public_sets.py"}, clip) == {clip / "export" / "public_sets.py"}


def test_a_download_has_the_modules_that_it_needs_and_depends_on_no_others() -> None:
    clip = PROJECT / "backend" / "clip"
    dockerfile = (PROJECT / "template/python3-debian/Dockerfile").read_text(encoding="utf-8")
    before = dockerfile[: dockerfile.index("from function.export.source import load")]
    copied = re.findall(r"^COPY (function/export/.*) \./function/export/$", before, re.MULTILINE)
    files = {clip / name.removeprefix("function/") for line in copied for name in line.split()}
    beside = {clip / "export" / name for name in ("__init__.py", "licenses.json")}
    assert files == closure({clip / "export" / "source.py"}, clip) | beside


@pytest.mark.parametrize(("accept", "code"), [("0", 1), ("1", 0)])
def test_a_build_asks_for_the_license_before_it_installs_anything(accept: str, code: int, tmp_path: Path) -> None:
    dockerfile = (PROJECT / "template/python3-debian/Dockerfile").read_text(encoding="utf-8")
    [step] = re.findall(r'^RUN (if \[ "\$ACCEPT_LICENSE" (?:.*\\\n)*.*export\.licenses.*)$', dockerfile, re.MULTILINE)
    assert dockerfile.index(step) < dockerfile.index("requirements-export.lock")
    (tmp_path / "function").symlink_to(PROJECT / "backend" / "clip")
    (tmp_path / "python").symlink_to(sys.executable)
    variables = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "MODEL": "MobileCLIP2-S0",
        "PRETRAINED": "dfndr2b",
        "ACCEPT_LICENSE": accept,
    }
    ended = subprocess.run(["sh", "-c", step], cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)
    assert ended.returncode == code
    assert ("apple-amlr" in ended.stderr) == bool(code)


@pytest.mark.parametrize(
    ("calibrate", "model", "called", "refused"),
    [
        ("0", "bundled", "", ""),
        ("0", "ViT-B-32", "", ""),
        ("1", "ViT-B-32", "-m function.export.calibrate --model /model --data /photographs ", ""),
        ("1", "bundled", "", "CALIBRATE needs another MODEL"),
        ("yes", "ViT-B-32", "", "CALIBRATE is 1 or 0."),
    ],
)
def test_a_build_calibrates_where_it_is_asked_to(
    calibrate: str, model: str, called: str, refused: str, tmp_path: Path
) -> None:
    dockerfile = (PROJECT / "template/python3-debian/Dockerfile").read_text(encoding="utf-8")
    [step] = re.findall(r'^RUN (case "\$CALIBRATE\$MODEL" in (?:.*\\\n)*.*)$', dockerfile, re.MULTILINE)
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$@"\n')
    python.chmod(0o755)
    variables = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "CALIBRATE": calibrate, "MODEL": model}
    ended = subprocess.run(["sh", "-c", step], env=variables, capture_output=True, text=True, check=False)
    assert ended.stdout.startswith(called)
    assert bool(ended.stdout) == bool(called)
    assert ended.stderr.startswith(refused)
    assert (ended.returncode != 0) == bool(refused)


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
    """faas-cli copies the folder to ``function``: only relative imports find their siblings there."""
    for module in Path(PROJECT, folder).rglob("*.py"):
        assert not re.search(r"^\s*(from|import) (backend|frontend|template|local|tests)\b", module.read_text(), re.M)
