"""The comparison with other programs: what it says, and what makes it fail. The other program here is a script."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hardening.corpora import KNOWN, known_differences
from tests.launch import PROJECT
from tests.pictures import encoded, photo
from tests.raws import dng

PICTURE, OTHER = photo((120, 90)), photo((120, 90), 1)
JPEG = encoded(PICTURE, "JPEG")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files to compare, and a program that sees what lies in ``seen`` by their names."""
    program = tmp_path / "bin" / "vipsthumbnail"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\n[ "$1" = --version ] && exit\nexec /bin/cp "{tmp_path}/seen/${{1##*/}}" "$7"\n')
    program.chmod(0o755)
    files = {
        "same.jpg": (JPEG, PICTURE),
        "raw.dng": (dng(JPEG), PICTURE),
        "turned.jpg": (JPEG, PICTURE.rotate(180)),
        "broken.jpg": (JPEG[:300], PICTURE),
        "ours.png": (encoded(OTHER, "PNG"), None),
        "nobodys.png": (encoded(OTHER, "PNG")[:60], None),
        "notes.txt": (b"not an image", None),
    }
    (tmp_path / "seen").mkdir()
    (tmp_path / "files" / "deep").mkdir(parents=True)
    for name, (data, seen) in files.items():
        (tmp_path / "files" / "deep" / name).write_bytes(data)
        if seen is not None:
            (tmp_path / "seen" / name).write_bytes(encoded(seen, "PNG"))
    return tmp_path


def compare(folder: Path, known: str, files: str = "files") -> subprocess.CompletedProcess[str]:
    (folder / "known.toml").write_text(known)
    program = [sys.executable, "-m", "tests.hardening.corpora"]
    command = [*program, str(folder / files), "--known", str(folder / "known.toml")]
    environment = {**os.environ, "PATH": str(folder / "bin")}
    return subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_differences_are_named_and_unknown_ones_fail(folder: Path) -> None:
    done = compare(folder, "")

    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    assert [line.partition(" (")[0] for line in lines[:2]] == [
        "deep/broken.jpg: ours refuses",
        "deep/turned.jpg: different",
    ]
    assert all(line.endswith(": UNKNOWN") for line in lines[:2])
    assert [line.split() for line in lines[3:-1]] == [
        ["JPEG", "1", "1", "1", "0", "0"],
        ["PNG", "0", "0", "0", "1", "1"],
        ["TIFF", "1", "0", "0", "0", "0"],
    ]
    assert lines[-1].startswith("6 files against libvips")
    assert lines[-1].endswith("0 known differences, 2 unknown.")


def test_known_differences_do_not_fail(folder: Path) -> None:
    digest = hashlib.sha256(JPEG[:300]).hexdigest()[:16]
    done = compare(
        folder,
        f'[[difference]]\nfiles = ["*/turned.jpg"]\nreason = "It is turned."\n'
        f'[[difference]]\nfiles = ["{digest}"]\nreason = "It is broken."\n',
    )

    assert done.returncode == 0, done.stdout
    assert "broken.jpg: ours refuses" in done.stdout
    assert ": It is broken." in done.stdout
    assert done.stdout.endswith("2 known differences, 0 unknown.\n")


def test_a_folder_without_images_and_no_program_to_compare_with(folder: Path) -> None:
    empty = compare(folder, "", "bin")
    assert empty.returncode == 1
    assert "no image in this folder" in empty.stderr
    (folder / "bin" / "vipsthumbnail").unlink()
    alone = compare(folder, "")
    assert alone.returncode == 2
    assert "No program to compare with is installed" in alone.stderr


def test_the_list_says_why_for_each_pattern_once() -> None:
    listed = known_differences(KNOWN)
    assert len({known.files for known in listed}) == len(listed)
    assert all(known.reason.endswith(".") for known in listed)
