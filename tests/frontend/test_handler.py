"""``index`` over HTTP, with its own server, and behind it a gateway that fails on demand."""

import json
import os
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from urllib3.filepost import encode_multipart_formdata

from frontend.index.clip import RETRIES, Clip
from frontend.index.errors import Failure
from frontend.index.session import session
from frontend.index.upload import ANY_BYTES, Upload

from . import gateway as behaviors
from .caller import caller
from .conftest import CLIP_TIMEOUT
from .gateway import DESCRIPTION, Behavior, Gateway, prediction
from .photos import camera_photo, photo

PATIENCE = 20  # seconds
HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def post(url: str, **options: object) -> requests.Response:
    return requests.post(url, timeout=PATIENCE, **options)  # type: ignore[arg-type]


def code(response: requests.Response) -> str:
    assert response.headers["Content-Type"] == "application/json"
    error = response.json()["error"]
    assert error["message"]
    assert "Traceback" not in response.text
    return str(error["code"])


def test_passes_a_raw_photo_on_and_the_answer_back(gateway: Gateway, index: str) -> None:
    data = photo()
    response = post(f"{index}?top_k=3&labels=a,b&labels=c&template=a%20{{}}&topk=1", data=data)
    assert response.status_code == 200
    assert response.json() == prediction()
    assert response.headers["Server-Timing"] == "decode;dur=1.2, inference;dur=4.5"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    [seen] = gateway.seen
    assert seen.body == data
    assert seen.query == [("top_k", "3"), ("labels", "a,b"), ("labels", "c"), ("template", "a {}"), ("topk", "1")]


def test_clip_is_told_the_type_of_the_body(gateway: Gateway, index: str) -> None:
    post(index, data={"image": "photo.jpg"})
    post(index, data=b"{}", headers={"Content-Type": "application/json"})
    assert [seen.headers["Content-Type"] for seen in gateway.seen] == [
        "application/x-www-form-urlencoded",
        "application/json",
    ]


def test_put_is_as_good_as_post(gateway: Gateway, index: str) -> None:
    data = photo()
    assert requests.put(f"{index}?top_k=3", data=data, timeout=20).json() == prediction()
    [seen] = gateway.seen
    assert (seen.method, seen.body, seen.query) == ("POST", data, [("top_k", "3")])


def test_text(gateway: Gateway, index: str) -> None:
    gateway.clip.append(behaviors.plain("apple\t93.4%\n", 200, X_Recognized="true"))
    response = post(index, data=photo(), headers={"Accept": "text/plain"})
    assert (response.status_code, response.text) == (200, "apple\t93.4%\n")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["X-Recognized"] == "true"
    assert gateway.seen[0].headers["Accept"] == "text/plain"
    gateway.clip.append(behaviors.error("corrupt_image", 422))
    assert code(post(index, data=photo(), headers={"Accept": "text/plain"})) == "corrupt_image"


def test_every_byte_survives(gateway: Gateway, index: str) -> None:
    data = bytes(range(256)) * 40_000  # 10 MB: more than any buffer on the way
    assert post(index, data=data).ok
    assert gateway.seen[0].body == data


def test_the_call_id_goes_on_to_clip(gateway: Gateway, index: str) -> None:
    response = post(index, data=photo(), headers={"X-Call-Id": "call-17"})
    assert gateway.seen[0].headers["X-Call-Id"] == "call-17"
    assert response.headers["X-Call-Id"] == "call-17"


def test_the_trace_goes_on_to_clip(gateway: Gateway, index: str) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
    for sent in (trace, "nonsense"):
        post(index, data=photo(), headers={"traceparent": sent})
    assert [request.headers.get("traceparent") for request in gateway.seen] == [trace, None]


def test_a_form_sends_its_file_and_its_fields(gateway: Gateway, index: str) -> None:
    data = photo()
    fields = {"top_k": "2", "labels": " ", "template": "one {}", "topk": "x"}
    response = post(f"{index}?labels=a", data=fields, files={"anything": ("a b.jpg", data, "image/jpeg")})
    assert response.json() == prediction()
    assert gateway.seen[0].body == data
    assert gateway.seen[0].query == [("labels", "a"), ("top_k", "2"), ("template", "one {}"), ("topk", "x")]
    assert gateway.seen[0].headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize("size", [100_000, 4_000_000, 19_000_000])
@pytest.mark.parametrize("boundary", ["x", "----WebKitFormBoundary7MA4YWxkTrZu0gW", "b" * 70])
def test_a_form_keeps_every_byte_of_a_large_file(gateway: Gateway, index: str, size: int, boundary: str) -> None:
    data = os.urandom(size)
    body, content_type = encode_multipart_formdata({"labels": "a, b", "photo": ("x.jpg", data)}, boundary)
    assert post(index, data=body, headers={"Content-Type": content_type}).ok
    assert gateway.seen[0].body == data
    assert gateway.seen[0].query == [("labels", "a, b")]


def test_a_form_keeps_every_byte_of_a_photo(gateway: Gateway, index: str) -> None:
    data = camera_photo()
    assert len(data) > 4_000_000
    assert post(index, files={"photo": ("x.jpg", data, "image/jpeg")}).ok
    assert gateway.seen[0].body == data


@pytest.mark.parametrize(
    ("fields", "files"),
    [
        ({}, [("photo", ("", b""))]),
        ({}, [("photo", ("a.jpg", b""))]),
        ({}, [("photo", ("a.jpg", b"first")), ("other", ("b.jpg", b"second"))]),
        ({"labels": "x" * 70_000}, [("photo", ("a.jpg", b"photo"))]),
        ({"image": "photo.jpg"}, [("image", (None, b"photo.jpg"))]),
    ],
)
def test_clip_judges_a_form_without_a_picture_or_with_several(
    gateway: Gateway, index: str, fields: dict[str, str], files: list[tuple[str, tuple[str | None, bytes]]]
) -> None:
    gateway.clip.append(behaviors.error("bad_parameter", 400))
    sent = requests.Request("POST", index, data=fields, files=files).prepare()
    response = post(index, data=sent.body, headers={"Content-Type": sent.headers["Content-Type"]})
    assert code(response) == "bad_parameter"
    assert gateway.seen[0].body == sent.body
    assert gateway.seen[0].headers["Content-Type"] == sent.headers["Content-Type"]


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=x", "multipart/form-data"])
def test_clip_judges_what_is_no_form(gateway: Gateway, index: str, content_type: str) -> None:
    gateway.clip.append(behaviors.error("corrupt_image", 422))
    response = post(index, data=b"nothing of a form", headers={"Content-Type": content_type})
    assert code(response) == "corrupt_image"
    assert gateway.seen[0].body == b"nothing of a form"


def test_an_empty_request(gateway: Gateway, index: str) -> None:
    response = post(index, data=b"")
    assert response.status_code == 400
    assert code(response) == "empty_body"
    assert not gateway.seen


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "OPTIONS", "BREW"])
def test_other_methods(gateway: Gateway, method: str) -> None:
    response = requests.request(method, gateway.index_url, data=b"x", timeout=20)
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD, POST, PUT"
    assert code(response) == "method_not_allowed"


@pytest.mark.parametrize("path", ["/nothing", "/favicon.ico", "/page/index.html", "/%00"])
def test_unknown_paths(index: str, path: str) -> None:
    response = requests.get(index + path, timeout=20)
    assert response.status_code == 404
    assert code(response) == "not_found"


@pytest.mark.parametrize(("path", "way_back"), [("/nothing", "./"), ("/nothing/at/all", "./../../")])
def test_an_unknown_path_in_a_browser_is_a_page(index: str, path: str, way_back: str) -> None:
    response = requests.get(index + path, headers=HTML, timeout=20)
    assert response.status_code == 404
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "There is nothing at this address." in response.text
    assert f'href="{way_back}"' in response.text


@pytest.mark.parametrize("address", ["?describe", "/?describe", "?describe="])
def test_describes_the_model(index: str, address: str) -> None:
    assert requests.get(index + address, timeout=20).json() == DESCRIPTION


@pytest.mark.parametrize(
    "trouble",
    [
        behaviors.plain("too many requests", 429),
        behaviors.error("not_ready", 503, Retry_After="1"),
        behaviors.error("busy", 503, Retry_After="1"),
    ],
)
def test_a_passing_failure_is_not_noticed(gateway: Gateway, index: str, trouble: Behavior) -> None:
    gateway.clip.extend([trouble, trouble])
    response = post(index, data=photo())
    assert response.status_code == 200
    assert response.json() == prediction()


@pytest.mark.parametrize(
    ("trouble", "status", "expected"),
    [
        (behaviors.plain("entity too large", 413), 413, "body_too_large"),
        (behaviors.plain("", 500), 502, "clip_failed"),
        (behaviors.plain("Can't reach service for: clip.", 500), 502, "clip_unreachable"),
        (behaviors.plain("bad gateway", 502), 502, "clip_unreachable"),
        (behaviors.plain("no endpoints", 503), 503, "clip_unavailable"),
        (behaviors.error("not_ready", 503), 503, "not_ready"),
        (behaviors.close, 502, "clip_unreachable"),
        (behaviors.reset, 502, "clip_unreachable"),
        (behaviors.plain("<html>welcome</html>", 200), 502, "clip_bad_answer"),
        (behaviors.plain("", 302, Location="http://127.0.0.1:9/"), 502, "clip_bad_answer"),
        (behaviors.plain("exec_timeout", 504), 504, "clip_timeout"),
        (behaviors.error("corrupt_image", 422), 422, "corrupt_image"),
        (behaviors.error("internal", 500), 500, "internal"),
    ],
)
def test_a_lasting_failure_becomes_an_error_at_once(
    gateway: Gateway, index: str, trouble: Behavior, status: int, expected: str
) -> None:
    """Clip may have worked on the photo, or would say the same again: it is not sent twice."""
    gateway.clip.append(trouble)
    response = post(index, data=photo())
    assert response.status_code == status
    assert code(response) == expected
    assert len(gateway.seen) == 1


@pytest.mark.parametrize(
    ("trouble", "status", "retry_after"),
    [
        (behaviors.plain("busy", 429, Retry_After="600"), 429, "600"),
        (behaviors.plain("busy", 429), 429, "2"),
        (behaviors.plain("no endpoints", 503), 503, "2"),
        (behaviors.error("busy", 503, Retry_After="600"), 503, "600"),
    ],
)
def test_says_when_to_come_back(gateway: Gateway, index: str, trouble: Behavior, status: int, retry_after: str) -> None:
    gateway.clip.extend([trouble] * (RETRIES + 1))
    response = post(index, data=photo())
    assert (response.status_code, response.headers["Retry-After"]) == (status, retry_after)


@pytest.mark.parametrize(
    ("clips", "words"),
    [
        (
            prediction(),
            {"recognized": True, "eyebrow": "", "best": "an apple", "note": "I am sure: 93%", "label": "apple"},
        ),
        (
            prediction(confidence=0.2, instead="flamingo"),
            {"recognized": True, "best": "a flamingo", "note": "Most likely: 87%", "confidence": 0.87},
        ),
    ],
)
def test_a_verdict_is_added_where_it_is_asked_for(
    gateway: Gateway, index: str, clips: dict[str, Any], words: dict[str, Any]
) -> None:
    for parameters in ({"top_k": "3", "verdict": "1"}, {"top_k": "3", "verdict": "0"}):
        gateway.clip.append(behaviors.answer(clips))
        answer = requests.post(index, params=parameters, data=b"photo", timeout=20).json()
        assert gateway.seen[-1].query == [("top_k", "3")]
        said = answer.pop("verdict", None)
        assert answer == clips
        if parameters["verdict"] == "1":
            assert {name: said[name] for name in words} == words
        else:
            assert said is None


def test_an_error_has_no_verdict(gateway: Gateway, index: str) -> None:
    error = {"error": {"code": "corrupt_image", "message": "It is damaged."}}
    gateway.clip.append(behaviors.answer(error, 422))
    answer = requests.post(index, params={"verdict": "1"}, data=b"photo", timeout=20)
    assert (answer.status_code, answer.json()) == (422, error)


def test_keeps_no_cookies(gateway: Gateway, index: str) -> None:
    gateway.clip.extend([behaviors.answer(prediction(), Set_Cookie="route=1; Path=/")] * 2)
    for _ in range(2):
        assert post(index, data=photo()).ok
    assert "Cookie" not in gateway.seen[1].headers


@pytest.mark.parametrize(
    "trouble", [behaviors.slow(CLIP_TIMEOUT + 2, behaviors.answer(prediction())), behaviors.trickle]
)
def test_a_slow_clip_is_not_waited_for_for_ever(gateway: Gateway, index: str, trouble: Behavior) -> None:
    gateway.clip.append(trouble)
    response = post(index, data=photo())
    assert response.status_code == 504
    assert code(response) == "clip_timeout"
    assert len(gateway.seen) == 1


def test_the_page_is_there_while_clip_is_slow(gateway: Gateway, index: str) -> None:
    ready = threading.Event()
    gateway.clip.extend([behaviors.until(ready, behaviors.answer(prediction()))] * 4)
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(post, index, data=photo()) for _ in range(4)]
        assert requests.get(index, timeout=20).ok
        ready.set()
        assert [response.result().status_code for response in waiting] == [200] * 4


def test_a_gateway_that_is_not_there() -> None:
    waits: list[float] = []
    clip = Clip("http://127.0.0.1:9", CLIP_TIMEOUT, session(4), sleep=waits.append)
    with pytest.raises(Failure) as caught:
        clip.recognize(Upload(b"photo", ANY_BYTES, []), "application/json", caller())
    assert (caught.value.status, caught.value.code) == (502, "clip_unreachable")
    assert len(waits) == RETRIES


def test_a_gateway_that_takes_a_photo_slowly() -> None:
    """It holds a request for as long as clip starts: that takes time, and is not a reason to send the photo again."""
    with socket.create_server(("127.0.0.1", 0)) as gateway:
        gateway.settimeout(PATIENCE)
        gateway.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        port = gateway.getsockname()[1]
        clip = Clip(f"http://127.0.0.1:{port}", 9, session(4))
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(
                clip.recognize, Upload(memoryview(bytes(8_000_000)), ANY_BYTES, []), "application/json", caller()
            )
            connection, _ = gateway.accept()
            with connection:
                connection.settimeout(PATIENCE)
                time.sleep(6)
                received = 0
                while received < 8_000_000:
                    received += len(connection.recv(1 << 20))
                body = json.dumps(prediction()).encode()
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                assert answer.result()["statusCode"] == 200
        gateway.settimeout(0.1)
        with pytest.raises(TimeoutError):
            gateway.accept()


def test_a_gateway_that_does_not_take_a_photo() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gateway:
        gateway.settimeout(PATIENCE)
        gateway.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        port = gateway.getsockname()[1]
        clip = Clip(f"http://127.0.0.1:{port}", 1, session(4))
        with pytest.raises(Failure) as caught:
            clip.recognize(Upload(bytes(8_000_000), ANY_BYTES, []), "application/json", caller())
        assert caught.value.code == "clip_timeout"
        connection, _ = gateway.accept()
        with connection:
            connection.settimeout(PATIENCE)
            taken = sum(len(piece) for piece in iter(lambda: connection.recv(1 << 20), b""))
        assert taken < 1_000_000  # the rest stayed with ``index``


def test_without_javascript_the_answer_is_a_page(gateway: Gateway, index: str) -> None:
    response = post(index, files={"photo": ("a.jpg", photo())}, headers=HTML)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Server-Timing"]
    best, *others = [entry["label"] for entry in prediction()["predictions"] if entry["score"] > 0.01]
    assert f'<h2 class="best" tabindex="-1" dir="auto">an {best}</h2>' in response.text
    shown = re.findall(r'class="label" dir="auto">([^<]+)<', response.text)
    assert shown[: len(others) + 1] == [best, *others]
    assert "93.4%" in response.text


@pytest.mark.parametrize(
    ("trouble", "status", "words"),
    [
        (behaviors.error("too_many_pixels", 413), 413, "too many pixels"),
        (behaviors.error("never_heard_of", 422), 422, "damaged"),
        (behaviors.plain("busy", 429, Retry_After="60"), 429, "busy"),
        (behaviors.plain("late", 504), 504, "took too long"),
        (behaviors.plain("", 500), 502, "stopped before it had an answer"),
    ],
)
def test_without_javascript_an_error_is_in_words(
    gateway: Gateway, index: str, trouble: Behavior, status: int, words: str
) -> None:
    gateway.clip.append(trouble)
    response = post(index, files={"photo": ("a.jpg", photo())}, headers=HTML)
    assert response.status_code == status
    assert words in response.text
    assert json.dumps("error") not in response.text


def test_without_javascript_no_photo_chosen(gateway: Gateway, index: str) -> None:
    gateway.clip.append(behaviors.error("empty_body", 400))
    response = post(index, files={"photo": ("", b"")}, headers=HTML)
    assert response.status_code == 400
    assert "Choose a photo first." in response.text


def test_only_what_looks_like_a_photo_is_shown_again(gateway: Gateway, index: str) -> None:
    drawing = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    for data, shown in ((photo(), True), (drawing, False), (photo() + bytes(1 << 20), False)):
        response = post(index, files={"photo": ("a.jpg", data, "image/jpeg")}, headers=HTML)
        assert ('src="data:image/jpeg;base64,' in response.text) == shown
        assert "alert(1)" not in response.text


def test_names_and_labels_never_become_markup(gateway: Gateway, index: str) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    gateway.clip.append(behaviors.answer(prediction([hostile, '"><script>alert(1)</script>'])))
    response = post(index, files={"photo": (hostile, photo())}, headers=HTML)
    assert "&lt;img src=x onerror=alert(1)&gt;" in response.text
    assert "<img src=x" not in response.text
    assert "<script" not in response.text
