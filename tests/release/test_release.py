"""``python -m release``, and the files that it writes, as faas-cli reads them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from local import stack
from release import changelog
from tests.launch import PROJECT, run

INDEX, CLIP = (f"ghcr.io/somebody/{name}@sha256:{digit * 64}" for name, digit in (("index", "1"), ("clip", "2")))
SOURCE = "https://example.com/somebody/recognizer"
# The keys that faas-cli 0.18.12 reads: stack/schema.go of go-sdk, schema/store/v2/store.go of faas-cli.
STACK_KEYS = {"image", "fprocess", "environment", "annotations", "limits", "requests", "readonly_root_filesystem"}
STORE_TYPES: dict[str, type] = {
    "icon": str,
    "title": str,
    "description": str,
    "name": str,
    "fprocess": str,
    "repo_url": str,
    "readOnlyRootFilesystem": bool,
    "environment": dict,
    "labels": dict,
    "annotations": dict,
    "images": dict,
}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release") / "dist"
    ended = run("release", "files", "--out", str(folder), "--source", SOURCE, f"clip={CLIP}", f"index={INDEX}")
    assert ended.returncode == 0, ended.stderr
    return folder


def test_the_stack_file_deploys_the_same_functions_without_building(written: Path) -> None:
    own = yaml.safe_load((PROJECT / "stack.yml").read_text(encoding="utf-8"))
    released: dict[str, Any] = yaml.safe_load((written / "stack.yml").read_text(encoding="utf-8"))
    assert set(released) == {"version", "provider", "functions"}
    assert released["provider"] == own["provider"]
    assert {name: function["image"] for name, function in released["functions"].items()} == {
        "index": INDEX,
        "clip": CLIP,
    }
    for name, function in released["functions"].items():
        # Without ``lang`` faas-cli asks for no template, whose fprocess it would take.
        assert set(function) == STACK_KEYS | {"skip_build"}
        assert function["skip_build"] is True
        assert function["fprocess"] == "python index.py"
        same = STACK_KEYS - {"image", "fprocess"}
        assert {key: function[key] for key in same} == {key: own["functions"][name][key] for key in same}


def test_the_store_file_has_the_types_of_faas_cli(written: Path) -> None:
    store = json.loads((written / "functions.json").read_text(encoding="utf-8"))
    assert set(store) == {"version", "functions"}
    assert isinstance(store["version"], str)
    for function in store["functions"]:
        assert {key: type(value) for key, value in function.items()} == STORE_TYPES
        for strings in (function["environment"], function["labels"], function["annotations"], function["images"]):
            assert all(isinstance(key, str) and isinstance(value, str) for key, value in strings.items())


def test_the_store_file_has_the_functions_of_the_stack_for_both_platforms(written: Path) -> None:
    store = json.loads((written / "functions.json").read_text(encoding="utf-8"))
    found = {function["name"]: function for function in store["functions"]}
    for function in stack.read(PROJECT / "stack.yml", {}):
        entry = found.pop(function.name)
        assert entry["images"] == dict.fromkeys(("x86_64", "arm64"), {"index": INDEX, "clip": CLIP}[function.name])
        assert entry["environment"] == function.environment
        assert entry["annotations"] == function.definition["annotations"]
        assert entry["readOnlyRootFilesystem"] is True
        assert entry["repo_url"] == SOURCE
    assert found == {}


@pytest.mark.parametrize("images", [("clip=" + CLIP,), ("clip=" + CLIP, "index=ghcr.io/somebody/index:latest")])
def test_an_image_without_a_digest_is_refused(tmp_path: Path, images: tuple[str, ...]) -> None:
    ended = run("release", "files", "--out", str(tmp_path / "dist"), "--source", SOURCE, *images)
    assert ended.returncode == 1
    assert "index needs an image by digest" in ended.stderr
    assert not (tmp_path / "dist").exists()


def test_the_build_arguments_are_those_of_the_stack_file() -> None:
    version = run("release", "version").stdout.strip()
    [index, clip] = stack.read(PROJECT / "stack.yml", {"TAG": version})
    for function in (index, clip):
        printed = run("release", "arguments", function.name).stdout.splitlines()
        assert dict(line.split("=", 1) for line in printed) == function.definition["build_args"]
        assert f"VERSION={version}" in printed


def test_the_version_that_can_be_released_is_in_the_changelog() -> None:
    version = run("release", "version").stdout.strip()
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert run("release", "check", f"v{version}").returncode == 0
    assert "### Added" in run("release", "notes").stdout
    refused = run("release", "check", "v0.0.0")
    assert refused.returncode == 1
    assert version in refused.stderr


CHANGELOG = """# Changelog

## [Unreleased]

## [2.0.0] - 2030-01-31

### Removed

- Much.

## [1.9.0]

- No date.

## [1.8.0] - 2029-01-31
"""


def test_the_notes_are_one_section() -> None:
    assert changelog.notes(CHANGELOG, "2.0.0") == "### Removed\n\n- Much."


@pytest.mark.parametrize("version", ["1.9.0", "1.8.0", "2.0", "Unreleased"])
def test_a_version_without_date_or_entries_cannot_be_released(version: str) -> None:
    with pytest.raises(changelog.ReleaseError, match=version):
        changelog.notes(CHANGELOG, version)
