"""The Makefile: what it says before it installs anything, and when it makes an environment anew."""

import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.launch import PROJECT

# What the make that runs the tests hands down would change the one that is tested.
HANDED_DOWN = ("MAKE", "MFLAGS", "PORT", "MODEL", "PRETRAINED", "LABELS", "TEMPLATES", "EXAMPLES", "ACCEPT_LICENSE")
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(HANDED_DOWN)}


def make(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = ["make", "--no-print-directory", *map(str, arguments)]
    return subprocess.run(
        command, cwd=PROJECT, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """What looks like a complete environment of this Python."""
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "python").symlink_to(sys.executable)
    (tmp_path / "venv" / "pyvenv.cfg").write_text(f"home = /usr/bin\nversion = {platform.python_version()}\n")
    (tmp_path / "venv" / "installed").touch()
    return tmp_path / "venv"


def python(path: Path, version: str) -> Path:
    """A program that says that it is this version of Python."""
    path.write_text(f"#!/bin/sh\necho {version}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("version", ["2.7", "3.9", "3.10"])
def test_a_python_that_is_too_old_is_refused_before_anything_is_installed(tmp_path: Path, version: str) -> None:
    ended = make("up", f"PYTHON={python(tmp_path / 'python', version)}", f"SERVE={tmp_path / 'venv'}")
    assert ended.returncode != 0
    assert f"Python 3.11 or newer is needed, and {tmp_path / 'python'} is {version}." in ended.stderr
    assert not (tmp_path / "venv").exists()


def test_a_missing_python_is_reported(tmp_path: Path) -> None:
    ended = make("up", f"PYTHON={tmp_path / 'python'}", f"SERVE={tmp_path / 'venv'}")
    assert ended.returncode != 0
    assert "is not installed. Python 3.11 or newer is needed (Debian: apt install" in ended.stderr


def test_a_complete_environment_is_left_as_it_is(environment: Path) -> None:
    ended = make("--dry-run", environment / "installed", f"PYTHON={sys.executable}", f"SERVE={environment}")
    assert ended.stdout == f"make: '{environment}/installed' is up to date.\n"


def test_an_environment_of_another_python_is_made_anew(environment: Path, tmp_path: Path) -> None:
    (environment / "lib").mkdir()
    newer = python(tmp_path / "python", "3.99")
    ended = make(environment / "installed", f"PYTHON={newer}", f"SERVE={environment}")
    assert (
        f"{environment} is of Python {sys.version_info[0]}.{sys.version_info[1]}, and {newer} is 3.99" in ended.stdout
    )
    assert ended.returncode != 0  # this Python makes no environment
    assert not (environment / "lib").exists()


def test_a_misspelt_model_is_refused_before_torch_is_installed(environment: Path, tmp_path: Path) -> None:
    variables = (f"PYTHON={sys.executable}", f"SERVE={environment}", f"EXPORT={tmp_path / 'export'}")
    ended = make("up", "MODEL=ViT-B32", *variables)
    assert ended.returncode != 0
    assert "The nearest: ViT-B-32" in ended.stderr
    assert "Installing" not in ended.stdout
    assert not (tmp_path / "export").exists()


def test_bundled_is_what_is_served_without_a_model(environment: Path) -> None:
    variables = (f"PYTHON={sys.executable}", f"SERVE={environment}")
    bundled, nothing = (make("--dry-run", "up", *model, *variables).stdout for model in (["MODEL=bundled"], []))
    assert bundled == nothing
    assert " -m local " in nothing
    assert "--model" not in nothing


def test_the_name_of_the_computer_is_no_address_to_listen_on(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENVIRONMENT, "HOST", "some-computer")
    variables = (f"PYTHON={sys.executable}", f"SERVE={environment}")
    assert "--host 127.0.0.1 " in make("--dry-run", "up", *variables).stdout
    assert "--host 0.0.0.0 " in make("--dry-run", "up", "HOST=0.0.0.0", *variables).stdout


def test_a_folder_to_label_is_asked_for(environment: Path) -> None:
    ended = make("label", f"PYTHON={sys.executable}", f"SERVE={environment}")
    assert ended.returncode != 0
    assert ended.stderr.startswith("Which folder? make label FOLDER=photos\n")


@pytest.mark.parametrize("model", ["", "MODEL=bundled"])
def test_a_model_to_calibrate_is_asked_for_before_torch_is_installed(
    model: str, environment: Path, tmp_path: Path
) -> None:
    variables = (f"PYTHON={sys.executable}", f"SERVE={environment}", f"EXPORT={tmp_path / 'export'}")
    ended = make("calibrate", *filter(None, [model]), *variables)
    assert ended.returncode != 0
    assert ended.stderr.startswith("Which model? make calibrate MODEL=ViT-B-32-256 ")
    assert not (tmp_path / "export").exists()


def test_a_misspelt_model_to_calibrate_is_refused_before_torch_is_installed(environment: Path, tmp_path: Path) -> None:
    variables = (f"PYTHON={sys.executable}", f"SERVE={environment}", f"EXPORT={tmp_path / 'export'}")
    ended = make("calibrate", "MODEL=ViT-B32", *variables)
    assert ended.returncode != 0
    assert "The nearest: ViT-B-32" in ended.stderr
    assert not (tmp_path / "export").exists()


@pytest.mark.parametrize("target", ["up", "calibrate"])
def test_a_license_is_accepted_before_torch_is_installed(target: str, environment: Path, tmp_path: Path) -> None:
    model = ("MODEL=MobileCLIP2-S0", "PRETRAINED=dfndr2b")
    variables = (f"PYTHON={sys.executable}", f"SERVE={environment}", f"EXPORT={tmp_path / 'export'}")
    ended = make(target, *model, *variables)
    assert ended.returncode != 0
    assert "apple-amlr" in ended.stderr
    assert "ACCEPT_LICENSE=1 for make" in ended.stderr
    assert not (tmp_path / "export").exists()

    commands = make("--dry-run", target, *model, "ACCEPT_LICENSE=1", *variables).stdout
    program = {"up": "model_cache", "calibrate": "calibrate"}[target]
    for name in ("model_names", program):
        assert re.search(rf"-m local\.{name} .* --accept-license", commands), commands


def test_an_exported_folder_is_calibrated_as_it_is(environment: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.json").touch()
    variables = (f"PYTHON={sys.executable}", f"SERVE={environment}", f"EXPORT={environment}")
    ended = make("--dry-run", "calibrate", f"MODEL={tmp_path / 'model'}", "DATA=copies", *variables)
    command = f'-m local.calibrate --model "{tmp_path / "model"}" --pretrained "" --data "copies"'
    assert ended.stdout.splitlines()[-1] == f"exec {environment}/bin/python {command}"
    assert "model_names" not in ended.stdout


def test_help_lists_every_target() -> None:
    """But those that others need, and those that make a file."""
    text = (PROJECT / "Makefile").read_text(encoding="utf-8")
    [phony] = re.findall(r"^\.PHONY: ((?:.*\n\.PHONY: )*.*)$", text, re.MULTILINE)
    inner = {".PHONY:", "another-python", "known-model", "model-to-calibrate"}
    listed = re.findall(r"^  make ([a-z-]+) ", make("help").stdout, re.MULTILINE)
    assert set(listed) == set(phony.split()) - inner
