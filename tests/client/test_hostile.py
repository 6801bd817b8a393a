"""Whoever answers in the place of ``clip`` can cost a photo, and neither the run nor the terminal."""

import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from photo_labels.answers import Description
from photo_labels.service import Kind, Service, ServiceDown, ServiceRefuses
from tests.client.command import ENVIRONMENT, label, results
from tests.client.fake_service import DESCRIPTION
from tests.client.hostile import Hostile, hostile, pours, response, says, says_nothing, trickles
from tests.client.photos import write_photos
from tests.processes import MEGABYTE, memory_of

TIMEOUT = 1
GOOD: dict[str, Any] = {
    "predictions": [{"label": "apple", "score": 0.9}, {"label": "pear", "score": 0.1}],
    "confidence": 0.9,
    "recognized": True,
    "model": DESCRIPTION["model"],
}
ESCAPE = "\x1b]0;owned\x07\x9b2J\u202ekcab"


@pytest.fixture
def service() -> Iterator[Hostile]:
    with hostile(says(response(json.dumps(DESCRIPTION).encode()))) as started:
        yield started


def said(**changed: Any) -> bytes:
    return json.dumps(GOOD | changed).encode()


def prediction(**changed: Any) -> bytes:
    return said(predictions=[GOOD["predictions"][0] | changed])


BODIES = {
    "nothing": b"",
    "a page": b"<html>Welcome to the hotel's network</html>",
    "not UTF-8": b'{"predictions": [{"label": "\xff\xfe", "score": 1}]}',
    "cut off": said()[:-10],
    "a list": b"[1, 2]",
    "a number": b"7",
    "a text": b'"predictions"',
    "null": b"null",
    "a million brackets": b"[" * 1_000_000,
    "a number of many digits": b'{"predictions": ' + b"1" * 100_000 + b"}",
    "no predictions": b"{}",
    "predictions of nobody": said(predictions=[]),
    "predictions that are a text": said(predictions="apple"),
    "predictions that are an object": said(predictions={"label": "apple", "score": 1}),
    "predictions that are texts": said(predictions=["apple"]),
    "too many predictions": said(predictions=GOOD["predictions"] * 501),
    "a label that is a number": prediction(label=1),
    "a label that is a list": prediction(label=["apple"]),
    "a label that is empty": prediction(label=""),
    "a label with escape codes": prediction(label=ESCAPE),
    "a label with a line break": prediction(label="a\u2028b"),
    "a label that is half a character": prediction(label="\ud800"),
    "a label of a million letters": prediction(label="a" * 1_000_000),
    "no label": said(predictions=[{"score": 1}]),
    "no score": said(predictions=[{"label": "apple"}]),
    "a score that is a text": prediction(score="=1+1"),
    "a score that is true": prediction(score=True),
    "a score that is not a number": prediction(score=float("nan")),
    "a score that is infinite": b'{"predictions": [{"label": "apple", "score": 1e999}]}',
    "a score over 1": prediction(score=10**30),
    "an infinity elsewhere": b'{"predictions": [{"label": "apple", "score": 1}], "x": 1e999}',
    "a confidence that is a list": said(confidence=[]),
    "recognized that is a text": said(recognized="yes"),
    "instead that is a text": said(instead="apple"),
    "instead with escape codes": said(instead={"label": ESCAPE}),
    "instead that is as sure as a text": said(instead={"label": "pear", "confidence": "very"}),
    "tags that are a text": said(tags="beagle"),
    "tags that are texts": said(tags=["beagle"]),
    "a tag without a path": said(tags=[{"label": "beagle", "confidence": 0.9}]),
    "a tag with a path of numbers": said(tags=[{"label": "beagle", "confidence": 0.9, "path": [1]}]),
    "a tag with a path without end": said(tags=[{"label": "beagle", "confidence": 0.9, "path": ["a"] * 1000}]),
    "a tag with escape codes": said(tags=[{"label": "beagle", "confidence": 0.9, "path": [ESCAPE]}]),
    "a tag that is over sure": said(tags=[{"label": "beagle", "confidence": 2, "path": []}]),
    "an error that is a text": said(error="oops"),
    "an error beside predictions": said(error={"code": ["x"]}),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_not_an_answer(service: Hostile, name: str) -> None:
    service.script = says(response(BODIES[name]))
    reply = Service(service.url, [], "", TIMEOUT, 1).label(b"photo")
    assert (reply.kind, reply.code) == (Kind.FAILED, "bad_answer")
    assert reply.message.startswith("The answer ")


ENDLESS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
UNTIL_CLOSED = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
WIRE = {
    "says nothing": says_nothing,
    "closes": says(b"", and_closes=True),
    "a status line that never ends": trickles(b"HTTP/1.1 ", b"2"),
    "headers that never end": trickles(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
    "a header that never ends": pours(b"HTTP/1.1 200 OK\r\nA: ", b"a" * 65536),
    "millions of headers": pours(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n" * 10_000),
    "always about to begin": pours(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "about to begin, slowly": trickles(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a body that trickles": trickles(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" "),
    "a body that trickles until it closes": trickles(UNTIL_CLOSED, b" "),
    "chunks that trickle": trickles(ENDLESS, b"1\r\n \r\n"),
    "a chunk that trickles": trickles(ENDLESS + b"fffff\r\n", b" "),
    "trailers that never end": trickles(ENDLESS + b"0\r\n", b"A: b\r\n"),
    "a body without end": pours(UNTIL_CLOSED, b" " * 65536),
    "a body of terabytes": pours(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999999\r\n\r\n", b" " * 65536),
    "chunks without end": pours(ENDLESS, b"10000\r\n" + b" " * 65536 + b"\r\n"),
    "the size of a chunk without end": pours(ENDLESS, b"0" * 65536),
    "a body that is shorter than it says": says(
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + said(), and_closes=True
    ),
    "a chunk that is not one": says(ENDLESS + b"zz\r\n" + said(), and_closes=True),
    "compressed": says(response(gzip.compress(said()), "200 OK", "Content-Encoding: gzip")),
    "a bomb": says(response(gzip.compress(bytes(MEGABYTE)) * 1500, "200 OK", "Content-Encoding: gzip")),
    "not HTTP": says(b"SSH-2.0-OpenSSH_9.2\r\n", and_closes=True),
    "zeros": pours(b"", bytes(65536)),
    "a status that is none": says(response(said(), "2000 OK"), and_closes=True),
    "a header that is none": says(b"HTTP/1.1 200 OK\r\n\x1b[2J\r\n: x\r\n\r\n", and_closes=True),
    "another protocol": says(response(b"", "101 Switching Protocols", "Upgrade: h2c"), and_closes=True),
    "no content": says(response(b"", "204 No Content")),
    "a redirect": says(response(b"", "302 Found", "Location: http://127.0.0.1:1/")),
    "a redirect to a file": says(response(b"", "301 Moved", "Location: file:///etc/passwd")),
    "a redirect to itself": says(response(b"", "308 Again", "Location: /function/clip")),
}


@pytest.mark.parametrize("name", WIRE)
def test_what_comes_over_the_wire_is_bounded_in_size_and_in_time(service: Hostile, name: str) -> None:
    service.script = WIRE[name]
    asked = Service(service.url, [], "", TIMEOUT, 1)
    before = memory_of([psutil.Process()])
    began = time.monotonic()
    reply = asked.label(b"photo")
    assert time.monotonic() - began < 10 * TIMEOUT
    assert reply.kind is Kind.FAILED
    assert memory_of([psutil.Process()]) - before < 30 * MEGABYTE
    assert len(service.requests) == 1
    service.script = says(response(said()))
    assert asked.label(b"photo").answer == GOOD


def test_a_service_that_does_not_take_the_photo(service: Hostile) -> None:
    service.reads_bodies, service.script = False, says_nothing
    began = time.monotonic()
    reply = Service(service.url, [], "", TIMEOUT, 1).label(bytes(20_000_000))
    assert time.monotonic() - began < 10 * TIMEOUT
    assert (reply.kind, reply.code) == (Kind.FAILED, "no answer in time")


@pytest.mark.parametrize("status", ["400 Bad Request", "500 Oh \x1b[2J no", "503 Busy"])
@pytest.mark.parametrize(
    "body",
    [b'{"error": "x"}', b'{"error": {"code": [], "message": 1}}', b'{"error": {"code": "\\u001b[2J", "message": "x"}}'],
)
def test_an_error_in_a_wrong_form_is_called_by_its_status(service: Hostile, status: str, body: bytes) -> None:
    service.script = says(response(body, status))
    reply = Service(service.url, [], "", TIMEOUT, 1).label(b"photo")
    assert reply.code == f"status_{status[:3]}"


@pytest.mark.parametrize("name", ["a page", "null", "a million brackets", "no predictions"])
def test_a_description_that_is_none(service: Hostile, name: str) -> None:
    service.describe = says(response(BODIES[name]))
    with pytest.raises(ServiceRefuses, match="is not the function clip"):
        Service(service.url, [], "", TIMEOUT, 1).describe()


@pytest.mark.parametrize("number", [None, True, "1", -1, 1.5, [1]])
@pytest.mark.parametrize("name", ["max_image_bytes", "max_inflight"])
def test_a_limit_that_makes_no_sense(service: Hostile, name: str, number: Any) -> None:
    limits = {"max_image_bytes": 1000, "max_inflight": 16}
    for changed in (limits, limits | {name: number}):
        service.describe = says(response(json.dumps({"model": "m", "limits": changed}).encode()))
        asked = Service(service.url, [], "", TIMEOUT, 1)
        if changed is limits:
            assert asked.describe() == Description("m", 1000, 16)
        else:
            with pytest.raises(ServiceRefuses, match="is not the function clip"):
                asked.describe()


@pytest.mark.parametrize("name", ["says nothing", "headers that never end", "chunks that trickle", "zeros", "closes"])
def test_a_description_that_does_not_come(service: Hostile, name: str) -> None:
    service.describe = WIRE[name]
    began = time.monotonic()
    with pytest.raises(ServiceDown):
        Service(service.url, [], "", TIMEOUT, 1).describe()
    assert time.monotonic() - began < 10 * TIMEOUT


def test_cookies_are_not_kept(service: Hostile) -> None:
    service.script = says(response(said(), "200 OK", "Set-Cookie: a=b; Path=/"))
    asked = Service(service.url, [], "", TIMEOUT, 1)
    for _ in range(2):
        assert asked.label(b"photo").answer == GOOD
    assert b"cookie" not in service.requests[1].lower()


def test_each_costs_one_photo_and_not_the_run(service: Hostile, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 9)
    photos = {str(number): f"{number // 10}/{number}.jpg" for number in range(9)}
    service.script = says(response(said()))
    service.scripts = {
        b"3": WIRE["chunks that trickle"],
        b"4": WIRE["a redirect"],
        b"5": says(response(prediction(label=ESCAPE))),
        b"6": says(response(json.dumps({"error": {"code": "corrupt_image", "message": ESCAPE}}).encode(), "422 No")),
        b"7": says(response(said(file="0/0.jpg"))),
    }
    ended = label(tmp_path / "photos", "--url", service.url, "--timeout", "1", "--out", tmp_path / "labels.jsonl")
    written = results((tmp_path / "labels.jsonl").read_text())
    assert ended.returncode == 1
    assert written.keys() == set(photos.values()) - {photos[number] for number in "345"}
    assert written[photos["7"]] == GOOD
    assert written[photos["6"]]["error"]["code"] == "corrupt_image"
    for reason, photo in {"no answer in time": "3", "status_302": "4", "bad_answer": "5"}.items():
        assert f"  1  left for the next run, {reason}: {photos[photo]}\n" in ended.stderr
    for text in (ended.stderr, (tmp_path / "labels.jsonl").read_text()):
        assert not set("\x1b\x07\x9b\u202e") & set(text)


def test_escape_codes_in_messages_do_not_reach_the_terminal(service: Hostile, tmp_path: Path) -> None:
    write_photos(tmp_path, 1)
    service.script = says(
        response(json.dumps({"error": {"code": "unauthorized", "message": ESCAPE}}).encode(), "401 No")
    )
    refused = label(tmp_path, "--url", service.url)
    assert "refuses: ?]0;owned??2J?kcab" in refused.stderr
    service.describe = says(response(b"", "302 Found", "Location: /\x1b[2J" + "a" * 10_000))
    redirected = label(tmp_path, "--url", service.url)
    assert "leads to /?[2J" in redirected.stderr
    assert len(redirected.stderr) < 2000
    for ended in (refused, redirected):
        assert not set("\x1b\x07\x9b\u202e") & set(ended.stderr)


def test_more_labels_than_columns_do_not_spoil_the_table(service: Hostile, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 3)
    service.script = says(response(said()))
    arguments = (tmp_path / "photos", "--url", service.url, "--out", tmp_path / "labels.csv")
    assert label(*arguments).returncode == 0
    assert label(*arguments).stderr.startswith("3 photos: 0 in ")


PROXIES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2", "[::ffff:127.0.0.1]"])
def test_a_service_on_this_computer_is_not_asked_through_a_proxy(service: Hostile, tmp_path: Path, host: str) -> None:
    write_photos(tmp_path, 2)
    with hostile(says(response(json.dumps(DESCRIPTION).encode()))) as proxy:
        proxy.script = service.script = says(response(said()))
        address = proxy.url.removesuffix("/function/clip")
        url = service.url.replace("127.0.0.1", host)
        ended = label(tmp_path, "--url", url, "--wait", "1", environment=ENVIRONMENT | dict.fromkeys(PROXIES, address))
        if host in ("127.0.0.1", "localhost"):  # what this service listens at
            assert ended.returncode == 0
            assert len(service.requests) >= 3
        assert proxy.requests == []


def test_others_are_asked_as_the_environment_says(service: Hostile, tmp_path: Path) -> None:
    write_photos(tmp_path, 2)
    service.script = says(response(said()))
    address = service.url.removesuffix("/function/clip")
    ended = label(tmp_path, "--url", "http://photos.test/clip", environment=ENVIRONMENT | {"HTTP_PROXY": address})
    assert ended.returncode == 0
    assert {request.split()[1] for request in service.requests} == {b"http://photos.test/clip"}
