"""`index` over HTTP: its own server in front, a gateway behind it that does not always behave."""

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from . import gateway as behaviors
from .conftest import CLIP_TIMEOUT
from .gateway import DESCRIPTION, Behavior, Gateway, prediction
from .photos import photo

HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def post(url: str, **options: object) -> requests.Response:
    return requests.post(url, timeout=20, **options)  # type: ignore[arg-type]


def code(response: requests.Response) -> str:
    assert response.headers["Content-Type"] == "application/json"
    error = response.json()["error"]
    assert error["message"]
    assert "Traceback" not in response.text
    return str(error["code"])


def test_passes_a_raw_photo_on_and_the_answer_back(gateway: Gateway, index: str) -> None:
    data = photo()
    response = post(f"{index}?top_k=3&labels=a,b&labels=c&template=a%20{{}}&other=1", data=data)
    assert response.status_code == 200
    assert response.json() == prediction()
    assert response.headers["Server-Timing"] == "decode;dur=1.2, inference;dur=4.5"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    [seen] = gateway.seen
    assert seen.body == data
    assert seen.query == [("top_k", "3"), ("labels", "a,b"), ("labels", "c"), ("template", "a {}")]


def test_every_byte_survives(gateway: Gateway, index: str) -> None:
    data = bytes(range(256)) * 40_000  # 10 MB: more than any buffer on the way
    assert post(index, data=data).ok
    assert gateway.seen[0].body == data


def test_the_call_id_goes_on_to_clip(gateway: Gateway, index: str) -> None:
    response = post(index, data=photo(), headers={"X-Call-Id": "call-17"})
    assert gateway.seen[0].headers["X-Call-Id"] == "call-17"
    assert response.headers["X-Call-Id"] == "call-17"


def test_a_form_sends_its_file_and_its_fields(gateway: Gateway, index: str) -> None:
    data = photo()
    fields = {"top_k": "2", "labels": "", "template": "one {}", "other": "x"}
    response = post(index, data=fields, files={"anything": ("a b.jpg", data, "image/jpeg")})
    assert response.json() == prediction()
    assert gateway.seen[0].body == data
    assert gateway.seen[0].query == [("top_k", "2"), ("template", "one {}")]
    assert gateway.seen[0].headers["Content-Type"] == "application/octet-stream"


def test_a_large_form_keeps_every_byte(gateway: Gateway, index: str) -> None:
    data = bytes(range(256)) * 8_000 + b"\r\n--boundary"
    assert post(index, files={"photo": ("x", data)}).ok
    assert gateway.seen[0].body == data


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"data": b""}, "empty_body"),
        ({"files": {"photo": ("", b"")}}, "empty_body"),
        ({"files": {"photo": ("a.jpg", b"")}}, "empty_body"),
        ({"data": b"nothing of a form", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, "bad_form"),
        ({"data": b"no boundary", "headers": {"Content-Type": "multipart/form-data"}}, "bad_form"),
    ],
)
def test_a_request_without_a_photo(gateway: Gateway, index: str, options: dict[str, object], expected: str) -> None:
    response = post(index, **options)
    assert response.status_code == 400
    assert code(response) == expected
    assert not gateway.seen


def test_a_field_that_is_far_too_long(gateway: Gateway, index: str) -> None:
    response = post(index, data={"labels": "x" * 2_000_000}, files={"photo": ("a.jpg", photo())})
    assert response.status_code == 400
    assert code(response) == "bad_form"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "BREW"])
def test_other_methods(gateway: Gateway, method: str) -> None:
    response = requests.request(method, gateway.index_url, data=b"x", timeout=20)
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD, POST"
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
        behaviors.plain("", 502),
        behaviors.error("not_ready", 503),
        behaviors.plain("Can't reach service for: clip.", 500),
        behaviors.close,
        behaviors.reset,
    ],
)
def test_what_passes_is_not_noticed(gateway: Gateway, index: str, trouble: Behavior) -> None:
    gateway.clip.extend([trouble, trouble])
    response = post(index, data=photo())
    assert response.status_code == 200
    assert response.json() == prediction()


@pytest.mark.parametrize(
    ("trouble", "status", "expected"),
    [
        (behaviors.plain("too many requests", 429), 429, "too_many_requests"),
        (behaviors.plain("bad gateway", 502), 502, "clip_unreachable"),
        (behaviors.plain("no endpoints", 503), 503, "clip_unavailable"),
        (behaviors.error("not_ready", 503), 503, "not_ready"),
        (behaviors.close, 502, "clip_unreachable"),
        (behaviors.plain("<html>welcome</html>", 200), 502, "clip_bad_answer"),
        (behaviors.plain("", 302, Location="http://127.0.0.1:9/"), 502, "clip_bad_answer"),
        (behaviors.plain("exec_timeout", 504), 504, "clip_timeout"),
        (behaviors.error("corrupt_image", 422), 422, "corrupt_image"),
        (behaviors.error("internal", 500), 500, "internal"),
    ],
)
def test_what_stays_becomes_the_error_form(
    gateway: Gateway, index: str, trouble: Behavior, status: int, expected: str
) -> None:
    gateway.clip.extend([trouble] * 8)
    response = post(index, data=photo())
    assert response.status_code == status
    assert code(response) == expected


def test_says_when_to_come_back(gateway: Gateway, index: str) -> None:
    gateway.clip.append(behaviors.plain("busy", 429, Retry_After="600"))
    response = post(index, data=photo())
    assert (response.status_code, response.headers["Retry-After"]) == (429, "600")


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


def test_a_gateway_that_is_not_there(gateway: Gateway) -> None:
    from frontend.index.clip import Clip
    from frontend.index.errors import Failure

    with pytest.raises(Failure) as caught:
        Clip("http://127.0.0.1:9", CLIP_TIMEOUT).recognize(b"photo", [], "")
    assert (caught.value.status, caught.value.code) == (502, "clip_unreachable")


def test_without_javascript_the_answer_is_a_page(gateway: Gateway, index: str) -> None:
    response = post(index, files={"photo": ("a.jpg", photo())}, headers=HTML)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Server-Timing"]
    assert re.findall(r'class="label" dir="auto">([^<]+)<', response.text) == [
        entry["label"] for entry in prediction()["predictions"]
    ]
    assert "93.4%" in response.text
    assert "&lt; 0.1%" in response.text


@pytest.mark.parametrize(
    ("trouble", "status", "words"),
    [
        (behaviors.error("too_many_pixels", 413), 413, "too many pixels"),
        (behaviors.error("never_heard_of", 422), 422, "damaged"),
        (behaviors.plain("busy", 429, Retry_After="60"), 429, "busy"),
        (behaviors.plain("late", 504), 504, "took too long"),
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
