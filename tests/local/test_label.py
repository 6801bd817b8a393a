"""``make label``: by the application that runs, or one of its own."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.client.command import ENVIRONMENT, results
from tests.client.photos import picture
from tests.launch import PROJECT, Running, free_port, run, wait_for


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    for n in range(3):
        picture(n).save(tmp_path / "photos" / f"{n}.jpg")
    return tmp_path / "photos"


def test_the_application_that_runs_is_used(application: Running, photos: Path, tmp_path: Path) -> None:
    port = application.url.rpartition(":")[2]
    before = application.output().count('"method": "POST"')
    # A proxy of the environment is not asked for what is on this computer.
    proxy = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY"), f"http://127.0.0.1:{free_port()}")
    ended = run("local.label", port, str(photos), "--out", str(tmp_path / "labels.jsonl"), **proxy)
    assert ended.returncode == 0, ended.stderr
    wait_for(lambda: application.output().count('"method": "POST"') == before + 3, application.output)
    assert len(results((tmp_path / "labels.jsonl").read_text())) == 3


def test_else_one_is_started_and_ended(photos: Path) -> None:
    command = [sys.executable, "-m", "local.label", str(free_port()), str(photos), "--top-k", "1"]
    with subprocess.Popen(command, cwd=PROJECT, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        first = process.stdout.readline()
        started = psutil.Process(process.pid).children(recursive=True)
        said = first + process.stdout.read()
    assert process.returncode == 0
    assert len(results(said)) == 3
    assert len(started) > 2
    assert psutil.wait_procs(started, 10)[1] == []


def test_a_complete_run_is_no_error_to_make_and_another_one_continues_it(photos: Path, tmp_path: Path) -> None:
    (photos / "broken.jpg").write_text("This is not a photo.")
    port, out = str(free_port()), tmp_path / "labels.jsonl"
    first = run("local.label", port, str(photos), "--out", str(out))
    assert first.returncode == 0, first.stderr
    assert "1  failed, unsupported_image: broken.jpg" in first.stderr
    # Each run starts an application of its own, at an address of its own.
    again = run("local.label", port, str(photos), "--out", str(out))
    assert again.returncode == 0, again.stderr
    assert again.stderr.startswith("4 photos: 0 in ")
    other = run("local.label", port, str(photos), "--out", str(out), "--labels", "cat,dog")
    assert other.returncode == 2
    assert "--labels not given, cat,dog here" in other.stderr


def test_it_ends_with_what_has_started_it(photos: Path) -> None:
    for n in range(3, 200):
        (photos / f"{n}.jpg").hardlink_to(photos / "0.jpg")
    command = [sys.executable, "-m", "local.label", str(free_port()), str(photos), "--at-most", "1"]
    with subprocess.Popen(command, cwd=PROJECT, env=ENVIRONMENT, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        started = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        assert len(started) > 2
        assert psutil.wait_procs(started, 10)[1] == []


def test_an_application_that_does_not_start_is_reported(photos: Path) -> None:
    # The stack file's settings are checked by the functions themselves, as they start.
    ended = run("local.label", str(free_port()), str(photos), secrets_dir=str(photos / "0.jpg"))
    assert ended.returncode == 1
    assert " cannot start: its log above says why." in ended.stderr
    assert ended.stdout == ""


@pytest.mark.parametrize("port", ["web", "0", "70000"])
def test_a_port_that_is_none(photos: Path, port: str) -> None:
    ended = run("local.label", port, str(photos))
    assert (ended.returncode, ended.stderr) == (2, f"{port} is not a port: choose one from 1024 to 65535.\n")
