"""A service that refuses, fails, hangs, restarts or goes away."""

import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import psutil
import pytest
import requests

from tests.client.command import ENVIRONMENT, label, results
from tests.client.fake_service import FakeService, answer, fake_service
from tests.client.photos import picture, write_photos
from tests.launch import free_port, local, wait_for


@pytest.mark.parametrize("capacity", [1, 5, 16])
def test_as_many_requests_at_a_time_as_the_service_takes(service: FakeService, tmp_path: Path, capacity: int) -> None:
    photos = write_photos(tmp_path, 100 + 20 * capacity)
    service.capacity, service.seconds = capacity, capacity / 500
    ended = label(tmp_path, "--url", service.url)
    assert results(ended.stdout).keys() == photos
    assert ended.returncode == 0
    assert set(service.answered.values()) == {1}
    assert service.most == capacity
    assert service.refused < 20


def test_no_more_requests_than_it_is_told(service: FakeService, tmp_path: Path) -> None:
    write_photos(tmp_path, 100)
    service.seconds = 0.005
    label(tmp_path, "--url", service.url, "--at-most", "3")
    assert service.most == 3


def test_retry_after_is_honoured_by_all_requests(service: FakeService, tmp_path: Path) -> None:
    photos = write_photos(tmp_path, 60)
    refused: list[float] = []

    def busy_once(request: BaseHTTPRequestHandler, _photo: bytes) -> bool:
        if refused or len(service.began) < 20:
            return False
        refused.append(time.monotonic())
        answer(request, 503, {"error": {"code": "busy", "message": "Busy."}}, {"Retry-After": "2"})
        return True

    service.behave, service.seconds = busy_once, 0.01
    ended = label(tmp_path, "--url", service.url)
    assert results(ended.stdout).keys() == photos
    assert ended.returncode == 0
    # Those that were on their way have begun before the answer was read.
    assert not [began for began in service.began if 0.7 < began - refused[0] < 1.9]


@pytest.mark.parametrize("wait", ["3600", "Fri, 01 Jan 2100 00:00:00 GMT"])
def test_a_very_long_retry_after_ends_the_run(service: FakeService, tmp_path: Path, wait: str) -> None:
    write_photos(tmp_path, 20)

    def busy(request: BaseHTTPRequestHandler, _photo: bytes) -> bool:
        answer(request, 429, {"error": {"code": "too_many_requests", "message": "Enough."}}, {"Retry-After": wait})
        return True

    service.behave = busy
    ended = label(tmp_path, "--url", service.url)
    assert ended.returncode == 3
    assert "takes no photos: Enough. It asks to come back in " in ended.stderr


def reset(request: BaseHTTPRequestHandler) -> None:
    """Ends the connection as a process that dies does."""
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.close_connection = True
    request.connection.shutdown(socket.SHUT_RDWR)
    request.connection.close()


def misbehave(request: BaseHTTPRequestHandler, photo: bytes) -> bool:
    """What must not end a run: one photo each that the service cannot be asked about."""
    if photo == b"7":
        answer(request, 500, {"error": {"code": "internal", "message": "A bug."}})
    elif photo == b"17":
        answer(request, 200, b"<html>Welcome to the hotel's network</html>", {"Content-Type": "text/html"})
    elif photo == b"27":
        answer(request, 200, b"{", {"Content-Length": "100"})
        reset(request)
    elif photo == b"37":
        reset(request)
    elif photo == b"47":
        time.sleep(2)
        reset(request)
    elif photo == b"57":
        answer(request, 502, b"Bad gateway", {"Content-Type": "text/plain"})
    else:
        return False
    return True


def test_photos_that_the_service_fails_with_are_left_and_do_not_end_the_run(
    service: FakeService, tmp_path: Path
) -> None:
    photos = write_photos(tmp_path / "photos", 200)
    service.behave = misbehave
    arguments = (tmp_path / "photos", "--url", service.url, "--out", tmp_path / "labels.jsonl", "--timeout", "1")
    ended = label(*arguments)
    assert ended.returncode == 1
    bad = {f"{n // 10}/{n}.jpg" for n in (7, 17, 27, 37, 47, 57)}
    assert results((tmp_path / "labels.jsonl").read_text()).keys() == photos - bad
    assert set(service.answered.values()) == {1}
    assert "  1  left for the next run, internal: 0/7.jpg\n" in ended.stderr
    assert "  1  left for the next run, status_502: 5/57.jpg\n" in ended.stderr
    service.behave = lambda _request, _photo: False
    assert label(*arguments).returncode == 0
    assert results((tmp_path / "labels.jsonl").read_text()).keys() == photos


def test_a_service_that_restarts(tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "photos", 200)
    port = free_port()
    arguments = (tmp_path / "photos", "--url", f"http://127.0.0.1:{port}/function/clip", "--at-most", "8")
    ended = []
    client = threading.Thread(target=lambda: ended.append(label(*arguments)))
    client.start()
    starts = 0
    while client.is_alive():
        time.sleep(0.3)  # nobody is there: connections are refused
        with fake_service(port) as service:
            starts += 1
            service.seconds = 0.05  # 8 at a time take longer than the service is there
            client.join(0.7)
    assert starts > 1
    assert ended[0].returncode == 0
    assert results(ended[0].stdout).keys() == photos
    assert "Waiting for http" in ended[0].stderr


def test_a_service_that_is_being_replaced(service: FakeService, tmp_path: Path) -> None:
    photos = write_photos(tmp_path, 60)
    asked: list[float] = []

    def not_found(request: BaseHTTPRequestHandler) -> bool:
        if service.answered.total() < 20 or len(asked) > 3:
            return False
        answer(request, 404, b"error finding function clip\n", {"Content-Type": "text/plain"})
        return True

    def describe(request: BaseHTTPRequestHandler) -> bool:
        asked.extend([time.monotonic()] if service.answered.total() >= 20 else [])
        return not_found(request)

    service.behave, service.describe = lambda request, _photo: not_found(request), describe
    ended = label(tmp_path, "--url", service.url)
    assert results(ended.stdout).keys() == photos
    assert ended.returncode == 0
    assert f"Waiting for {service.url} " in ended.stderr


def test_the_real_service_restarts(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for n in range(60):
        picture(n).save(tmp_path / "photos" / f"{n}.jpg")
    out = tmp_path / "labels.jsonl"
    with local() as program:
        url = f"{program.url}/function/clip"
        ended = []
        client = threading.Thread(target=lambda: ended.append(label(tmp_path / "photos", "--url", url, "--out", out)))
        client.start()
        wait_for(lambda: out.exists() and out.read_bytes().count(b"\n") >= 15, program.output)
        assert client.is_alive()
        for child in psutil.Process(program.process.pid).children():
            child.kill()
        client.join(50)
        assert ended[0].returncode == 0, ended[0].stderr
        said = results(out.read_text())
        assert len(said) == 60
        assert said["50.jpg"] == requests.post(url, (tmp_path / "photos" / "50.jpg").read_bytes()).json()
        assert "clip ended with status -9" in program.output()


def test_a_service_that_goes_away_ends_it_after_a_while(tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "photos", 200)
    arguments = (tmp_path / "photos", "--out", tmp_path / "labels.jsonl", "--wait", "1")
    with fake_service() as service:
        url = service.url
        service.seconds = 0.01
        ended = []
        client = threading.Thread(target=lambda: ended.append(label(*arguments, "--url", url)))
        client.start()
        wait_for(lambda: service.answered.total() >= 50, "the photos are not sent")
    client.join(30)
    assert ended[0].returncode == 3
    assert "does not answer" in ended[0].stderr
    assert "The same command continues." in ended[0].stderr
    with fake_service(int(url.split(":")[2].split("/")[0])):
        assert label(*arguments, "--url", url).returncode == 0
    assert results((tmp_path / "labels.jsonl").read_text()).keys() == photos


def test_nothing_listens_at_the_address(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/function/clip"
    ended = label(tmp_path, "--url", url, "--wait", "1")
    assert ended.returncode == 3
    assert f"Waiting for {url}" in ended.stderr
    assert "Connection refused" in ended.stderr


@pytest.mark.parametrize("place", ["file", "environment"])
def test_the_key_is_sent_and_a_wrong_one_ends_it(service: FakeService, tmp_path: Path, place: str) -> None:
    write_photos(tmp_path / "photos", 3)

    def require_key(request: BaseHTTPRequestHandler, _photo: bytes) -> bool:
        if request.headers["X-Api-Key"] == "secret":
            return False
        answer(request, 401, {"error": {"code": "unauthorized", "message": "An API key is needed."}})
        return True

    service.behave = require_key
    (tmp_path / "key").write_text("secret\n")
    options = ["--key-file", str(tmp_path / "key")] if place == "file" else []
    environment = ENVIRONMENT | ({"CLIP_API_KEY": "secret"} if place == "environment" else {})
    assert label(tmp_path / "photos", "--url", service.url, *options, environment=environment).returncode == 0
    ended = label(tmp_path / "photos", "--url", service.url)
    assert (ended.returncode, results(ended.stdout)) == (2, {})
    assert "An API key is needed." in ended.stderr
