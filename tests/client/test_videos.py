"""Videos: what is in them, and when, with videos that ffmpeg makes."""

import io
import json
import os
import shutil
import subprocess
import sys
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from photo_labels.videos import MOST_FRAMES, NEEDED, VideoError, Videos, together
from tests.client.command import ENVIRONMENT, label, results
from tests.client.fake_service import FakeService, answer
from tests.client.photos import picture
from tests.client.test_summary import unsure

COLORS = ("red", "lime", "blue")  # of the channels of a pixel, in turn
needs_ffmpeg = pytest.mark.skipif(
    shutil.which("ffmpeg") is None or shutil.which("ffprobe") is None, reason="ffmpeg is not installed"
)


def make_video(path: Path, scenes: list[tuple[str, float]], *options: str) -> None:
    """A video with a plain color for so many seconds in each scene, which begins with a key frame."""
    sources = [f"color={color}:s=320x240:r=25:d={seconds}" for color, seconds in scenes]
    inputs = [part for source in sources for part in ("-f", "lavfi", "-i", source)]
    cuts = [sum(seconds for _, seconds in scenes[:n]) for n in range(len(scenes))]
    command = ["ffmpeg", "-v", "error", *inputs, "-filter_complex", f"concat=n={len(scenes)}"]
    command += ["-force_key_frames", ",".join(map(str, cuts)), "-g", "500", *options, str(path)]
    subprocess.run(command, check=True, timeout=60, stdin=subprocess.DEVNULL)


@pytest.fixture
def colors(service: FakeService) -> FakeService:
    """A service that says which color a picture has, and knows no gray."""

    def behave(request: BaseHTTPRequestHandler, photo: bytes) -> bool:
        with Image.open(io.BytesIO(photo)) as image:
            means = np.asarray(image.convert("RGB"), float).mean(axis=(0, 1))
        if np.ptp(means) < 50:
            said = unsure(None) | ({"tags": []} if "tags=1" in request.path else {})
        else:
            color = COLORS[int(means.argmax())]
            said = {"predictions": [{"label": color, "score": 1.0}], "confidence": 0.9, "recognized": True}
            if "tags=1" in request.path:
                said["tags"] = [{"label": color, "confidence": 0.9, "path": ["color"]}]
        service.answered[str(means.argmax())] += 1
        answer(request, 200, said)
        return True

    service.behave = behave
    return service


@needs_ffmpeg
@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi", "mpg"])
def test_a_video_says_what_is_in_it_and_when(colors: FakeService, tmp_path: Path, ending: str) -> None:
    scenes = [("red", 2.0), ("gray", 2.0), ("blue", 4.0)]
    make_video(tmp_path / f"-i %d: a.{ending}", scenes)
    said = results(label(tmp_path, "--url", colors.url, "--tags").stdout)[f"-i %d: a.{ending}"]
    frames = [(frame["time"], frame["word"]) for frame in said["frames"]]
    shown = {"red": (0.0, 2.0), None: (2.0, 4.0), "blue": (4.0, 8.0)}
    assert {word for _, word in frames} == set(shown)
    for seconds, word in frames:
        first, end = shown[word]
        assert first <= seconds % 100 < end + 0.6  # MPEG's times begin with half a second
    assert said["predictions"][0]["label"] in ("red", "blue")
    times = {tag["label"]: tag["times"] for tag in said["tags"]}
    assert times == {color: [seconds for seconds, word in frames if word == color] for color in ("red", "blue")}


@needs_ffmpeg
def test_a_long_video_has_a_bounded_number_of_frames(tmp_path: Path) -> None:
    make_video(tmp_path / "a.mp4", [(color, 3.0) for color in COLORS * 7])
    frames = Videos().frames(tmp_path / "a.mp4")
    assert len(frames) == MOST_FRAMES
    assert [frame.seconds for frame in frames] == sorted({frame.seconds for frame in frames})
    assert frames[0].seconds == 0
    assert frames[-1].seconds >= 63 * (1 - 1 / MOST_FRAMES) - 3
    with Image.open(io.BytesIO(frames[0].jpeg)) as image:
        assert image.size == (320, 240)


@needs_ffmpeg
def test_it_is_kept_like_a_photo(colors: FakeService, tmp_path: Path) -> None:
    album = tmp_path / "album"
    album.mkdir()
    make_video(album / "a.mp4", [("blue", 1.0)])
    make_video(album / "live.mov", [("blue", 1.0)])
    picture(1).save(album / "live.JPG")
    arguments = (album, "--url", colors.url, "--out", tmp_path / "labels.jsonl", "--xmp", "--min-confidence", "0.5")
    ended = label(*arguments, "--sort-into", tmp_path / "sorted", "--report", tmp_path / "report.html")
    assert ended.returncode == 0
    assert "Left out: 1 live photos' videos." in ended.stderr
    assert "blue" in (album / "a.mp4.xmp").read_text()
    assert (tmp_path / "sorted" / "blue" / "a.mp4").samefile(album / "a.mp4")
    assert "<p>0:00 blue</p>" in (tmp_path / "report.html").read_text()
    asked = colors.answered.total()
    again = label(*arguments)
    assert again.stderr.startswith("2 photos: 0 in 0.")
    assert colors.answered.total() == asked


@needs_ffmpeg
def test_what_is_no_video_costs_itself(colors: FakeService, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("This is no video.")
    (tmp_path / "empty.avi").touch()
    # What ffmpeg would read, although it is another file.
    make_video(tmp_path / "other.ts", [("red", 1.0)])
    playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.ts\n#EXT-X-ENDLIST\n"
    (tmp_path / "playlist.mov").write_text(playlist)
    make_video(tmp_path / "whole.mkv", [("red", 1.0)])
    (tmp_path / "cut.mp4").write_bytes((tmp_path / "whole.mkv").read_bytes()[:300])
    ended = label(tmp_path, "--url", colors.url)
    said = results(ended.stdout)
    errors = {file: one["error"]["code"] for file, one in said.items() if "error" in one}
    assert errors == dict.fromkeys(["text.mp4", "empty.avi", "playlist.mov", "cut.mp4"], "unreadable_video")
    assert said["whole.mkv"]["predictions"][0]["label"] == "red"
    assert ended.returncode == 1


def test_what_takes_too_long_is_left_for_the_next_run(service: FakeService, tmp_path: Path) -> None:
    slow = tmp_path / "bin"
    slow.mkdir()
    for name in ("ffmpeg", "ffprobe"):
        (slow / name).write_text("#!/bin/sh\nexec sleep 60\n")
        (slow / name).chmod(0o755)
    (tmp_path / "album").mkdir()
    (tmp_path / "album" / "a.mp4").write_text("A video on a slow disk.")
    program = (
        "import sys, photo_labels.videos as videos; videos._TIMEOUT = 0.2; "
        "from photo_labels.__main__ import main; sys.exit(main())"
    )
    environment = ENVIRONMENT | {"PATH": f"{slow}{os.pathsep}{ENVIRONMENT['PATH']}"}
    command = [sys.executable, "-c", program, str(tmp_path / "album"), "--url", service.url]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, results(ended.stdout)) == (1, {})
    assert "left for the next run, a picture of it takes ffmpeg longer than" in ended.stderr


@needs_ffmpeg
def test_one_that_says_no_time_and_turns(tmp_path: Path) -> None:
    make_video(tmp_path / "a.mp4", [("red", 1.0)])
    turned = ["ffmpeg", "-v", "error", "-display_rotation", "90", "-i", "a.mp4", "-c", "copy", "b.mp4"]
    if subprocess.run(turned, cwd=tmp_path, check=False, timeout=60, capture_output=True).returncode:
        turned = ["ffmpeg", "-v", "error", "-i", "a.mp4", "-c", "copy", "-metadata:s:v", "rotate=90", "b.mp4"]
        subprocess.run(turned, cwd=tmp_path, check=True, timeout=60)
    [frame] = Videos().frames(tmp_path / "b.mp4")
    with Image.open(io.BytesIO(frame.jpeg)) as image:
        assert image.size == (240, 320)
    with pytest.raises(VideoError):
        Videos().frames(tmp_path / "nowhere.mp4")


def test_without_ffmpeg_it_says_what_to_install(service: FakeService, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("apple")
    (tmp_path / "b.mp4").touch()
    ended = label(tmp_path, "--url", service.url, environment=ENVIRONMENT | {"PATH": str(tmp_path)})
    assert ended.returncode == 0
    assert ended.stderr.endswith(f"Left out: 1 videos.\n{NEEDED}\n")
    assert results(ended.stdout).keys() == {"a.jpg"}


def said(word: str, confidence: float, *tags: tuple[str, float]) -> dict[str, Any]:
    return {
        "predictions": [{"label": word, "score": 1.0}],
        "confidence": confidence,
        "recognized": True,
        "tags": [{"label": name, "confidence": sure, "path": []} for name, sure in tags],
    }


def test_frames_together() -> None:
    error = {"error": {"code": "busy", "message": "No."}}
    frames = [
        (0.0, said("cat", 0.99, ("cat", 0.99))),
        (2.0, said("dog", 0.7, ("dog", 0.7), ("ball", 0.8))),
        (4.0, error),
        (6.0, said("dog", 0.8, ("dog", 0.8))),
    ]
    one = together(frames)
    assert (one["predictions"][0]["label"], one["confidence"]) == ("dog", 0.8)
    assert [(tag["label"], tag["confidence"], tag["times"]) for tag in one["tags"]] == [
        ("cat", 0.99, [0.0]),
        ("dog", 0.8, [2.0, 6.0]),
        ("ball", 0.8, [2.0]),
    ]
    assert json.loads(json.dumps(one)) == one
    assert together([(0.0, error), (1.0, error)]) == error
    assert together([(0.0, unsure(None))])["frames"] == [{"time": 0.0, "word": None, "confidence": None}]
