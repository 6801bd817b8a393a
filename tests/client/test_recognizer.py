"""``from photo_labels import Recognizer``: one photo at a time, from threads and tasks."""

import asyncio
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import requests

from photo_labels import PhotoError, Prediction, Recognizer, ServiceError, Tag
from photo_labels.service import USUAL_ADDRESS
from tests.client.command import ENVIRONMENT
from tests.client.fake_service import FakeService, answer
from tests.client.photos import picture
from tests.examples import ADDRESS, examples
from tests.launch import PROJECT, Running, free_port

COFFEE = PROJECT / "docs" / "photos" / "coffee.jpg"


def test_an_answer_is_that_of_the_service(application: Running) -> None:
    url = f"{application.url}/function/clip"
    with Recognizer(url, tags=True, top_k=2) as recognizer:
        said = recognizer.recognize(COFFEE)
        assert recognizer.recognize(COFFEE.read_bytes()) == recognizer.recognize(str(COFFEE)) == said
    expected = requests.post(f"{url}?tags=1&top_k=2", COFFEE.read_bytes()).json()
    assert said.answer == expected
    assert said.predictions == tuple(Prediction(**each) for each in expected["predictions"])
    assert (said.label, said.confidence, said.recognized) == ("cup", expected["confidence"], True)
    assert said.tags == tuple(Tag(each["label"], each["confidence"], tuple(each["path"])) for each in expected["tags"])
    assert said.tags


def test_labels_may_have_commas(application: Running) -> None:
    url = f"{application.url}/function/clip"
    with Recognizer(url, labels=["cat", "dog"], vocabulary=None) as recognizer:
        said = recognizer.recognize(COFFEE)
    assert {each.label for each in said.predictions} == {"cat", "dog"}
    assert not said.recognized
    assert said.label == said.instead == "espresso"


def test_many_tasks_do_not_ask_for_more_than_it_takes(service: FakeService) -> None:
    service.capacity, service.seconds = 5, 0.01

    async def ask() -> list[str | None]:
        async with Recognizer(service.url) as recognizer:
            answers = await asyncio.gather(*(recognizer.recognize_async(str(n).encode()) for n in range(60)))
        return [each.label for each in answers]

    # Other tests of this process may have left a loop running in its main thread, as Playwright's do.
    with ThreadPoolExecutor(1) as thread:
        answers = thread.submit(asyncio.run, ask()).result()
    assert answers == [str(n) for n in range(60)]
    assert service.most <= 5
    assert set(service.answered.values()) == {1}


def test_what_is_wrong_with_a_photo(service: FakeService, tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "large.jpg").write_bytes(bytes(200_000))

    def behave(request: BaseHTTPRequestHandler, photo: bytes) -> bool:
        if photo == b"broken":
            answer(request, 422, {"error": {"code": "corrupt_image", "message": "It is damaged."}})
        elif photo == b"bug":
            answer(request, 500, {"error": {"code": "internal", "message": "A bug."}})
        return photo in (b"broken", b"bug")

    service.behave = behave
    cases: dict[bytes | Path, tuple[str, str]] = {
        b"broken": ("corrupt_image", "It is damaged."),
        b"bug": ("internal", "The photo has no answer: internal."),
        tmp_path / "empty.jpg": ("empty_body", "The file is empty."),
        tmp_path / "large.jpg": ("body_too_large", "The image has 200,000 bytes; at most 100,000 are accepted."),
        tmp_path / "gone.jpg": (
            "cannot be read (No such file or directory)",
            "The photo has no answer: cannot be read (No such file or directory).",
        ),
    }
    with Recognizer(service.url) as recognizer:
        for photo, (code, message) in cases.items():
            with pytest.raises(PhotoError) as raised:
                recognizer.recognize(photo)
            assert (raised.value.code, str(raised.value)) == (code, message)
        assert recognizer.recognize(b"apple").label == "apple"


def test_a_service_that_is_not_there_or_refuses(service: FakeService) -> None:
    def refuse(request: BaseHTTPRequestHandler, _photo: bytes) -> bool:
        answer(request, 401, {"error": {"code": "unauthorized", "message": "An API key is needed."}})
        return True

    service.behave = refuse
    with Recognizer(service.url) as recognizer, pytest.raises(ServiceError, match="An API key is needed"):
        recognizer.recognize(b"apple")
    nobody = f"http://127.0.0.1:{free_port()}/clip"
    with Recognizer(nobody, wait=1) as recognizer, pytest.raises(ServiceError, match="not answer: Connection refused"):
        recognizer.recognize(b"apple")


def test_nothing_is_left_running(service: FakeService) -> None:
    before = set(threading.enumerate())
    with Recognizer(service.url) as recognizer:
        recognizer.recognize(b"apple")
        ours = set(threading.enumerate()) - before
    for thread in ours:
        if thread.name != "Thread-1 (process_request_thread)" and "process_request" not in thread.name:
            thread.join(10)
            assert not thread.is_alive()


def test_the_usual_address_is_that_of_the_documents() -> None:
    assert USUAL_ADDRESS == ADDRESS


@pytest.mark.parametrize("number", [0, 1])
def test_the_programs_of_the_documents_run(application: Running, tmp_path: Path, number: int) -> None:
    (tmp_path / "photos").mkdir()
    picture(1).save(tmp_path / "photos" / "a.jpg")
    (tmp_path / "photos" / "coffee.jpg").write_bytes(COFFEE.read_bytes())
    (tmp_path / "photos" / "notes.jpg").write_text("This is not a photo.")
    program = examples("python", "docs/client.md")[number].replace(ADDRESS, f"{application.url}/function/clip")
    command = [sys.executable, "-W", "error", "-c", program]
    ran = subprocess.run(
        command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    lines = dict(line.split(": ", 1) for line in ran.stdout.splitlines())
    assert lines.keys() == {f"photos/{name}.jpg" for name in ("a", "coffee", "notes")}
    assert lines["photos/coffee.jpg"].startswith(("cup", "espresso")[number])
    assert lines["photos/notes.jpg"].startswith("This is not an image")
