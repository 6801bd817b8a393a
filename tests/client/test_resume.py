"""However a run ends, the same command continues it: nothing is lost, nothing doubled."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.client.command import label, results, start
from tests.client.fake_service import FakeService
from tests.client.photos import picture, write_photos
from tests.launch import Running, wait_for


def lines(file: Path) -> int:
    return file.read_bytes().count(b"\n") if file.exists() else 0


@pytest.mark.parametrize("name", ["labels.jsonl", "labels.csv"])
def test_after_kill_9(service: FakeService, tmp_path: Path, name: str) -> None:
    photos = write_photos(tmp_path / "photos", 400)
    service.seconds = 0.01
    arguments = (tmp_path / "photos", "--url", service.url, "--out", tmp_path / name, "--at-most", "8")
    for at_least in (50, 150, 250):
        with start(*arguments) as process:
            wait_for(lambda wanted=at_least: lines(tmp_path / name) > wanted, "no results")  # type: ignore[misc]
            process.kill()
        with (tmp_path / name).open("ab") as file:
            file.write(b'{"file": "0/3.jpg", "pred' if name == "labels.jsonl" else b'"0/3.j')  # as if within a write
    ended = label(*arguments)
    assert (ended.returncode, ended.stdout) == (0, "")
    assert ended.stderr.startswith("400 photos: ")
    assert " by earlier runs.\n" in ended.stderr
    text = (tmp_path / name).read_text()
    if name == "labels.jsonl":
        assert {file: said["predictions"][0]["label"] for file, said in results(text).items()} == {
            file: Path(file).stem for file in photos
        }
    else:
        rows = [row.split(",")[:2] for row in text.splitlines()[1:]]
        assert sorted(rows) == sorted([file, Path(file).stem] for file in photos)
    # What was under way when it was killed is sent again.
    assert service.answered.total() - 400 <= 3 * 8
    assert set(service.answered) == {Path(file).stem for file in photos}


def test_after_kill_9_with_the_real_service(application: Running, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for n in range(120):
        picture(n).save(tmp_path / "photos" / f"{n}.jpg")
    out = tmp_path / "labels.jsonl"
    arguments = (tmp_path / "photos", "--url", f"{application.url}/function/clip", "--out", out)
    for at_least in (30, 60, 90):
        with start(*arguments) as process:
            wait_for(lambda wanted=at_least: lines(out) >= wanted, "no results")  # type: ignore[misc]
            process.kill()
    assert label(*arguments).returncode == 0
    said = results(out.read_text())
    assert said.keys() == {f"{n}.jpg" for n in range(120)}
    assert all(len(one["predictions"]) == 5 for one in said.values())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_finishes_what_is_under_way(service: FakeService, tmp_path: Path, number: signal.Signals) -> None:
    write_photos(tmp_path / "photos", 200)
    service.seconds = 0.05
    arguments = (tmp_path / "photos", "--url", service.url, "--out", tmp_path / "labels.jsonl")
    with start(*arguments) as process:
        wait_for(lambda: lines(tmp_path / "labels.jsonl") > 20, "no results")
        process.send_signal(number)
        said = process.communicate(timeout=20)[1]
    assert process.returncode == 128 + number
    assert "Not all photos have a result. The same command continues.\n" in said
    assert "Traceback" not in said
    assert service.answered.total() == lines(tmp_path / "labels.jsonl") - 1
    service.seconds = 0
    assert label(*arguments).returncode == 0
    assert set(service.answered.values()) == {1}
    assert len(results((tmp_path / "labels.jsonl").read_text())) == 200


def test_ctrl_c_twice_ends_it_at_once(service: FakeService, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 200)
    service.seconds = 30
    with start(tmp_path / "photos", "--url", service.url, "--out", tmp_path / "labels.jsonl") as process:
        wait_for(lambda: service.most > 0, "no request")
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.stderr
        assert process.stderr.readline() == "Finishing the photos in flight. Press Ctrl-C again to end at once.\n"
        process.send_signal(signal.SIGINT)
        process.wait(20)
    assert time.monotonic() - began < 20


def test_stdout_that_is_a_file_is_continued(service: FakeService, tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "photos", 30)
    first = label(tmp_path / "photos", "--url", service.url).stdout
    for part in (first[:1500], first[:50], first[:3], ""):
        (tmp_path / "labels.jsonl").write_text(part)
        with (tmp_path / "labels.jsonl").open("a") as file:
            ended = label(tmp_path / "photos", "--url", service.url, stdout=file)
        assert ended.returncode == 0
        assert results((tmp_path / "labels.jsonl").read_text()).keys() == photos


def test_stdout_that_is_a_log_is_only_added_to(service: FakeService, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 3)
    (tmp_path / "log").write_text("yesterday\nno line break")
    with (tmp_path / "log").open("a") as file:
        label(tmp_path / "photos", "--url", service.url, "--csv", stdout=file)
    before, *rows = (tmp_path / "log").read_text().splitlines()
    assert before == "yesterday"
    assert rows[0].startswith("no line breakfile,label,score,confidence,recognized,instead,word,error,bytes,modified,")
    assert len(rows) == 4


@pytest.mark.parametrize(
    "content", [b"My diary\n", b"\xff\xd8\xff\xe0", b'{"file": "a.jpg"}\n', b'{"file": 1, "x": 2}\n']
)
def test_a_file_with_something_else_is_left_alone(service: FakeService, tmp_path: Path, content: bytes) -> None:
    write_photos(tmp_path / "photos", 3)
    (tmp_path / "mine").write_bytes(content)
    ended = label(tmp_path / "photos", "--url", service.url, "--out", tmp_path / "mine")
    assert ended.returncode == 2
    assert "Choose another file." in ended.stderr
    assert (tmp_path / "mine").read_bytes() == content
    assert not service.answered


def test_two_runs_do_not_write_to_one_file(service: FakeService, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 100)
    service.seconds = 1
    arguments = (tmp_path / "photos", "--url", service.url, "--out", tmp_path / "labels.jsonl")
    with start(*arguments) as process:
        wait_for(lambda: lines(tmp_path / "labels.jsonl") > 0, "no results")
        second = label(*arguments)
        assert (second.returncode, second.stderr) == (2, f"Another run is writing to {tmp_path / 'labels.jsonl'}.\n")
        process.kill()
    service.seconds = 0
    assert label(*arguments).returncode == 0


def test_photos_that_come_later_are_labelled_by_the_next_run(service: FakeService, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 10)
    arguments = (tmp_path / "photos", "--url", service.url, "--out", tmp_path / "labels.jsonl")
    label(*arguments)
    write_photos(tmp_path / "photos", 25)
    (tmp_path / "photos" / "0" / "0.jpg").unlink()
    ended = label(*arguments)
    assert ended.stderr.startswith("25 photos: 15 in ")
    assert set(service.answered.values()) == {1}


def test_a_reader_that_has_gone_ends_it(service: FakeService, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 500)
    service.seconds = 0.01
    with start(tmp_path / "photos", "--url", service.url) as process:
        assert process.stdout
        process.stdout.readline()
        process.stdout.close()
        process.wait(20)
        assert process.stderr
        assert "stdout cannot be written to: Broken pipe." in process.stderr.read()
    assert process.returncode == 2
    assert service.answered.total() < 400


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has /dev/full")  # noqa: PTH110
def test_a_full_disk_is_reported(service: FakeService, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 50)
    ended = label(tmp_path / "photos", "--url", service.url, "--out", "/dev/full")
    assert ended.returncode == 2
    assert "/dev/full cannot be written to: No space left on device." in ended.stderr
