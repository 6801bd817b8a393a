"""The workflows of continuous integration, as far as they can be read without running them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.launch import PROJECT

WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))


@pytest.fixture(params=WORKFLOWS, ids=lambda path: str(path.stem))
def workflow(request: pytest.FixtureRequest) -> str:
    path: Path = request.param
    return path.read_text(encoding="utf-8")


def test_actions_are_pinned_by_commit_and_say_their_version(workflow: str) -> None:
    uses = re.findall(r"uses: (.*)$", workflow, re.MULTILINE)
    assert uses
    for action in uses:
        assert re.fullmatch(r"[\w.-]+(/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


def test_an_action_has_one_version_everywhere() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in WORKFLOWS)
    pins = {(action.split("/")[1], commit) for action, commit in re.findall(r"uses: (\S+)@(\S+)", text)}
    assert len(pins) == len({name for name, _ in pins})


def test_a_job_has_the_permissions_that_it_names_and_an_end(workflow: str) -> None:
    document = yaml.safe_load(workflow)
    assert document["permissions"] == {}
    for job in document["jobs"].values():
        assert job["permissions"]
        assert job["timeout-minutes"] <= 90


def test_what_a_workflow_makes_is_a_target(workflow: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    made = {target for line in re.findall(r"run: make (.*)$", workflow, re.MULTILINE) for target in line.split()}
    assert made - {".venv/installed", ".venv-dev/installed"} <= targets


def test_zizmor_finds_nothing() -> None:
    command = [str(Path(sys.executable).with_name("zizmor")), "--quiet", "--offline", "--no-progress", ".github"]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
