"""The package ``photo-labels``: built, installed apart from the project, and fit for other systems."""

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import photo_labels.formats
from backend.clip.version import VERSION
from photo_labels.formats import Csv, JsonLines
from photo_labels.results import Result
from photo_labels.states import State, state
from tests.client.command import results
from tests.client.fake_service import FakeService
from tests.client.photos import write_photos
from tests.launch import PROJECT

CLIENT = PROJECT / "client"
DESCRIPTION = tomllib.loads((CLIENT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel installs, but for the packages that it needs."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    built = subprocess.run(command, cwd=CLIENT, capture_output=True, text=True, timeout=60, check=False)
    assert built.returncode == 0, built.stderr
    [wheel] = folder.glob("*.whl")
    assert wheel.name == f"photo_labels-{DESCRIPTION['version']}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


def test_the_wheel_has_the_package_and_nothing_else(installed: Path) -> None:
    sources = {path.relative_to(CLIENT) for path in (CLIENT / "photo_labels").rglob("*.py")}
    files = {path.relative_to(installed) for path in installed.rglob("*") if path.is_file()}
    assert files >= sources | {Path("photo_labels/py.typed")}
    rest = files - sources - {Path("photo_labels/py.typed")}
    assert {path.parts[0] for path in rest} == {f"photo_labels-{DESCRIPTION['version']}.dist-info"}
    assert any(path.name == "LICENSE" for path in rest)
    [points] = (installed / path for path in rest if path.name == "entry_points.txt")
    assert "photo-labels = photo_labels.__main__:main" in points.read_text()


def test_it_runs_where_the_project_is_not(installed: Path, service: FakeService, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 3)
    program = "import photo_labels, sys; from photo_labels.__main__ import main; sys.exit(main())"
    command = [sys.executable, "-W", "error", "-c", program, "photos", "--url", service.url]
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    ended = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert len(results(ended.stdout)) == 3


def test_its_version_and_license_are_the_projects() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (DESCRIPTION["version"], DESCRIPTION["requires-python"]) == (VERSION, project["requires-python"])
    assert (CLIENT / "LICENSE").read_text() == (PROJECT / "LICENSE").read_text()


def test_what_it_needs_is_tested_in_the_versions_that_are_pinned() -> None:
    ranges = {each.name: each for each in map(Requirement, DESCRIPTION["dependencies"])}
    pinned = (CLIENT / "requirements.txt").read_text().split()
    pins = dict(line.split("==") for line in pinned)
    assert pins.keys() == ranges.keys()
    for name, version in pins.items():
        assert ranges[name].specifier.contains(version), name
    of_tests = dict(line.split("==") for line in (PROJECT / "tests" / "requirements.txt").read_text().split())
    for extra in map(Requirement, DESCRIPTION["optional-dependencies"]["mcp"]):
        assert extra.specifier.contains(of_tests[extra.name]), extra.name


@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_its_types_hold_on_other_systems(system: str) -> None:
    command = [sys.executable, "-m", "mypy", "--platform", system, "--config-file", str(PROJECT / "pyproject.toml")]
    ended = subprocess.run(
        [*command, str(CLIENT / "photo_labels")], cwd=PROJECT, capture_output=True, text=True, timeout=300, check=False
    )
    assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize("name", ["a\ud800b.jpg", "\udcff.jpg"])
@pytest.mark.parametrize("format_", [JsonLines(), Csv(1)])
def test_names_of_windows_that_are_not_unicode(
    name: str, format_: JsonLines | Csv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_labels.formats, "_NAMES", "surrogatepass")  # as it is there
    answer = {"predictions": [{"label": "Äpfel", "score": 1.0}], "recognized": True}
    result = Result(name, answer, State(1, "x"))
    assert format_.result(format_.line(result)).file == name


@pytest.mark.parametrize(
    ("nanoseconds", "modified"),
    [
        (0, "1970-01-01T00:00:00.000000000Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (1_700_000_000_123_456_789, "2023-11-14T22:13:20.123456789Z"),
        (10**21, "1000000000000.000000000Z"),
    ],
)
def test_any_time_of_change_can_be_written(nanoseconds: int, modified: str) -> None:
    class Described:
        st_size, st_mtime_ns = 7, nanoseconds

    assert state(Described()) == State(7, modified)  # type: ignore[arg-type]
