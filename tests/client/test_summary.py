"""What a run says at its end, and what stdout gets."""

import json
import subprocess
import sys
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from tests.client.command import ENVIRONMENT, label, on_a_terminal, results
from tests.client.fake_service import FakeService, answer
from tests.client.photos import write_photos
from tests.launch import free_port


def answers(service: FakeService, said: dict[str, dict[str, Any]]) -> None:
    """Has the service say of these photos what is given, and of all others its own."""

    def behave(request: BaseHTTPRequestHandler, photo: bytes) -> bool:
        body = said.get(photo.decode())
        if body is not None:
            answer(request, 422 if "error" in body else 200, body)
        return body is not None

    service.behave = behave


def unsure(instead: str | None) -> dict[str, Any]:
    said: dict[str, Any] = {"predictions": [{"label": "worm", "score": 1.0}], "confidence": 0.1, "recognized": False}
    return said | ({"instead": {"label": instead, "confidence": 0.9}} if instead else {})


def write(folder: Path, words: list[str]) -> None:
    for n, word in enumerate(words):
        (folder / f"{n:03}.jpg").write_text(word)


def test_words_by_count_with_the_rare_ones_in_one_line(service: FakeService, tmp_path: Path) -> None:
    often = [f"word {n:02}" for n in range(20)]
    write(tmp_path, [*often * 3, *[f"rare {n}" for n in range(12)], "rare 0"])
    lines = label(tmp_path, "--url", service.url).stderr.splitlines()
    assert lines[0].startswith("73 photos: 73 in ")
    assert sorted(lines[1:21]) == [f"        3  {word}" for word in often]
    assert lines[21:] == ["       13  12 other words"]


def test_instead_is_counted_by_its_word(service: FakeService, tmp_path: Path) -> None:
    write(tmp_path, ["apple", "a", "b", "c", "d"])
    answers(service, {"a": unsure("dog"), "b": unsure("dog"), "c": unsure("espresso"), "d": unsure(None)})
    said = label(tmp_path, "--url", service.url).stderr
    assert "        1  apple\n" in said
    assert "        3  not recognized by a label, but by another word: dog (2), espresso (1)\n" in said
    assert "        1  not recognized\n" in said


def test_failures_say_what_to_do(service: FakeService, tmp_path: Path) -> None:
    write(tmp_path, ["apple", "bad", "bad", "strange"])
    (tmp_path / "empty.jpg").touch()
    errors = {"bad": "corrupt_image", "strange": "closed_door"}
    answers(service, {photo: {"error": {"code": code, "message": "No."}} for photo, code in errors.items()})
    ended = label(tmp_path, "--url", service.url)
    assert ended.returncode == 1
    damaged = "damaged: get them from a backup or the camera again"
    assert f"        2  failed, corrupt_image: 001.jpg, 002.jpg ({damaged})\n" in ended.stderr.replace(
        "002.jpg, 001.jpg", "001.jpg, 002.jpg"
    )
    assert "        1  failed, closed_door: 003.jpg\n" in ended.stderr
    assert "        1  failed, empty_body: empty.jpg (empty: get them " in ended.stderr


def test_a_terminal_gets_a_line_for_people(service: FakeService, tmp_path: Path) -> None:
    write(tmp_path, ["apple", "a", "b", "bad"])
    (tmp_path / "x\x1b[2J.jpg").write_text("pear")
    answers(
        service,
        {
            "a": unsure("dog"),
            "b": unsure(None),
            "bad": {"error": {"code": "corrupt_image", "message": "It cannot be \x1b[2J decoded."}},
        },
    )
    seen, _ = on_a_terminal("stdout", tmp_path, "--url", service.url)
    assert sorted(seen.splitlines()) == [
        "000.jpg  apple, 100%",
        "001.jpg  not recognized, perhaps: dog",
        "002.jpg  not recognized",
        "003.jpg  failed: It cannot be ?[2J decoded.",
        "x?[2J.jpg  pear, 100%",
    ]


def test_a_pipe_gets_json_lines(service: FakeService, tmp_path: Path) -> None:
    write(tmp_path, ["apple"])
    first, line = label(tmp_path, "--url", service.url).stdout.splitlines()
    run = json.loads(first)["run"]
    assert run == {"folder": str(tmp_path), "service": service.url, "model": "fake/photos", "options": {}}
    said = json.loads(line)
    assert list(said) == ["file", "predictions", "confidence", "recognized", "bytes", "modified"]
    assert (said["file"], said["bytes"]) == ("000.jpg", 5)
    seconds, _, rest = said["modified"].removesuffix("Z").partition(".")
    assert len(seconds) == len("2026-01-01T00:00:00")
    assert int(rest) == (tmp_path / "000.jpg").stat().st_mtime_ns % 1_000_000_000


def test_the_subcommand_has_a_name(service: FakeService, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 3)
    assert len(results(label("label", tmp_path / "photos", "--url", service.url).stdout)) == 3


def test_without_a_service_it_says_how_to_start_one(tmp_path: Path) -> None:
    program = (
        f"import photo_labels.commands.label as label; label.USUAL_ADDRESS = 'http://127.0.0.1:{free_port()}/clip'"
    )
    command = [sys.executable, "-c", f"{program}; raise SystemExit(label.main(['.']))"]
    ended = subprocess.run(
        command, env=ENVIRONMENT, cwd=tmp_path, capture_output=True, text=True, timeout=20, check=False
    )
    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr.startswith("No service answers at http://127.0.0.1:8080/function/clip. In a checkout ")
