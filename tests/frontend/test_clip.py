"""The call to ``clip``, with a fake session and a fake clock."""

import json
import logging
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import pytest
import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter

from frontend.index.clip import RETRIES, Clip
from frontend.index.errors import Failure
from frontend.index.session import session
from frontend.index.upload import ANY_BYTES, Upload

from .caller import caller
from .gateway import DESCRIPTION, prediction

GOOD = json.dumps(prediction())
JSON, TEXT = "application/json", "text/plain"
PHOTO = Upload(memoryview(b"\xff\x00photo"), ANY_BYTES, [])


@dataclass
class Network(BaseAdapter):
    """A fake session that gives prepared answers in turn, each after its time on the fake clock."""

    answers: deque[tuple[int, str, dict[str, str]] | Exception] = field(default_factory=deque)
    sent: list[requests.PreparedRequest] = field(default_factory=list)
    options: list[Mapping[str, Any]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    now: float = 100.0
    duration: float = 0.0

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        self.sent.append(request)
        self.options.append(options)
        self.now += self.duration
        answer = self.answers.popleft()
        if isinstance(answer, Exception):
            raise answer
        status, body, headers = answer
        raw = urllib3.HTTPResponse(BytesIO(body.encode()), headers, status, preload_content=False)
        return HTTPAdapter().build_response(request, raw)

    def close(self) -> None:
        """Holds nothing."""

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def clip(self, timeout: float = 20.0) -> Clip:
        network = session(connections=4)
        network.mount("http://", self)
        return Clip("http://gateway.test:8080/", timeout, network, lambda: self.now, self.sleep)


@pytest.fixture
def network() -> Network:
    return Network()


def test_sends_the_bytes_and_the_parameters_to_clip(network: Network) -> None:
    network.answers.append((200, GOOD, {"Server-Timing": "inference;dur=4.5", "X-Other": "no"}))
    upload = Upload(memoryview(b"\xff\x00photo"), "image/jpeg", [("top_k", "3"), ("labels", "a cat,ein Hund & Ü")])
    answer = network.clip().recognize(upload, JSON, caller("call-1"))
    assert answer["statusCode"] == 200
    assert answer["body"] == GOOD.encode()
    assert answer["headers"] == {"Server-Timing": "inference;dur=4.5", "Content-Type": "application/json"}
    [request] = network.sent
    assert request.method == "POST"
    assert request.url == ("http://gateway.test:8080/function/clip?top_k=3&labels=a+cat%2Cein+Hund+%26+%C3%9C")
    assert request.body == b"\xff\x00photo"
    assert request.headers["X-Call-Id"] == "call-1"
    assert request.headers["Accept"] == "application/json"
    assert request.headers["Content-Type"] == "image/jpeg"
    assert request.headers["Content-Length"] == "7"


def test_the_languages_of_the_caller_and_of_the_answer_are_passed_on(network: Network) -> None:
    said = {"Content-Language": "de", "Vary": "Accept-Language"}
    network.answers += [(200, GOOD, said), (200, json.dumps(DESCRIPTION), said)]
    upload = Upload(b"photo", ANY_BYTES, [("lang", "de")], languages="de-AT, en;q=0.5")
    answers = (
        network.clip().recognize(upload, JSON, caller()),
        network.clip().describe(caller(), "de", "de-AT, en;q=0.5"),
    )
    for answer, request in zip(answers, network.sent, strict=True):
        assert answer["headers"].items() >= said.items()
        assert request.url == "http://gateway.test:8080/function/clip?lang=de"
        assert request.headers["Accept-Language"] == "de-AT, en;q=0.5"


def test_describes_clip(network: Network) -> None:
    network.answers.append((200, json.dumps(DESCRIPTION), {}))
    assert json.loads(network.clip().describe(caller())["body"]) == DESCRIPTION
    assert network.sent[0].method == "GET"


NOT_READY = json.dumps({"error": {"code": "not_ready", "message": "loading"}})
REFUSED = requests.ConnectionError(
    urllib3.exceptions.MaxRetryError(
        None,  # type: ignore[arg-type]
        "/function/clip?labels=secret",
        urllib3.exceptions.NewConnectionError(None, "refused"),  # type: ignore[arg-type]
    )
)
RESET = requests.ConnectionError(urllib3.exceptions.ProtocolError("Connection aborted.", ConnectionResetError(104)))
NOTHING_WAS_EXECUTED = [
    (429, "too many", {}),
    (503, NOT_READY, {"Retry-After": "1"}),
    (503, "draining", {"Retry-After": "1"}),
    REFUSED,
]
NOBODY_KNOWS = [
    (500, "", {}),
    (500, "Can't reach service for: clip.", {}),
    (502, "", {}),
    (503, "no endpoints", {}),
    (503, NOT_READY, {}),
    RESET,
    requests.exceptions.ChunkedEncodingError("reset"),
]


@pytest.mark.parametrize("trouble", NOTHING_WAS_EXECUTED)
def test_a_photo_goes_again_where_nothing_was_executed(network: Network, trouble: Any) -> None:
    network.answers.extend([trouble, trouble, (200, GOOD, {})])
    assert network.clip().recognize(PHOTO, JSON, caller())["statusCode"] == 200
    assert len(network.sent) == 3
    assert 0 < network.waits[0] < network.waits[1] * 3  # the second is twice the first, each ± half


@pytest.mark.parametrize("trouble", NOBODY_KNOWS)
def test_a_photo_never_goes_twice_to_a_clip_that_may_have_worked_on_it(network: Network, trouble: Any) -> None:
    network.answers.append(trouble)
    with suppress(Failure):
        assert network.clip().recognize(PHOTO, JSON, caller())["statusCode"] == 503
    assert len(network.sent) == 1
    assert network.waits == []


@pytest.mark.parametrize("trouble", NOTHING_WAS_EXECUTED + NOBODY_KNOWS)
def test_a_question_may_be_asked_again(network: Network, trouble: Any) -> None:
    network.answers.extend([trouble, (200, json.dumps(DESCRIPTION), {})])
    assert network.clip().describe(caller())["statusCode"] == 200


@pytest.mark.parametrize(
    ("trouble", "expected", "retry_after"),
    [
        ((429, "too many", {}), "too_many_requests", "2"),
        (REFUSED, "clip_unreachable", None),
    ],
)
def test_gives_up_after_a_few_tries_and_says_so_in_the_error_form(
    network: Network, trouble: Any, expected: str, retry_after: str | None
) -> None:
    network.answers.extend([trouble] * (RETRIES + 1))
    with pytest.raises(Failure) as caught:
        network.clip().recognize(PHOTO, JSON, caller())
    assert caught.value.code == expected
    assert json.loads(caught.value.body())["error"]["code"] == expected
    assert caught.value.headers.get("Retry-After") == retry_after
    assert len(network.sent) == RETRIES + 1


@pytest.mark.parametrize(
    ("status", "body", "headers", "expected"),
    [
        (200, "<html>hello</html>", {}, "clip_bad_answer"),
        (200, "[1, 2]", {}, "clip_bad_answer"),
        (200, '{"predictions"', {}, "clip_bad_answer"),
        (200, "{}", {}, "clip_bad_answer"),
        (302, "", {"Location": "http://elsewhere.test/"}, "clip_bad_answer"),
        (200, "apple\t93.4%\n", {"Content-Type": "text/plain"}, "clip_bad_answer"),
        (404, "404 page not found", {}, "clip_unreachable"),
        (500, "", {}, "clip_failed"),
        (500, "Can't reach service for: clip.", {}, "clip_unreachable"),
        (502, "", {}, "clip_unreachable"),
        (503, "no endpoints", {}, "clip_unavailable"),
        (413, "too large", {}, "body_too_large"),
        (504, "timed out", {}, "clip_timeout"),
    ],
)
def test_turns_an_answer_of_the_platform_into_an_error_at_once(
    network: Network, status: int, body: str, headers: dict[str, str], expected: str
) -> None:
    network.answers.append((status, body, headers))
    with pytest.raises(Failure) as caught:
        network.clip().recognize(PHOTO, JSON, caller())
    assert caught.value.code == expected
    assert len(network.sent) == 1


def test_passes_clips_own_errors_through(network: Network) -> None:
    body = json.dumps({"error": {"code": "corrupt_image", "message": "cut off"}})
    network.answers.append((422, body, {}))
    answer = network.clip().recognize(PHOTO, JSON, caller())
    assert (answer["statusCode"], answer["body"]) == (422, body.encode())


def test_a_500_of_clips_own_is_not_repeated(network: Network) -> None:
    network.answers.append((500, json.dumps({"error": {"code": "internal", "message": "logged"}}), {}))
    assert network.clip().recognize(PHOTO, JSON, caller())["statusCode"] == 500
    assert len(network.sent) == 1


def test_waits_as_long_as_it_is_asked_to(network: Network) -> None:
    network.answers.extend([(429, "", {"Retry-After": "7"}), (200, GOOD, {})])
    assert network.clip().recognize(PHOTO, JSON, caller())["statusCode"] == 200
    assert network.waits == [7]


def test_does_not_wait_longer_than_its_budget(network: Network) -> None:
    network.answers.append((503, "", {"Retry-After": "3600"}))
    with pytest.raises(Failure) as caught:
        network.clip(timeout=20).recognize(PHOTO, JSON, caller())
    assert caught.value.code == "clip_unavailable"
    assert caught.value.headers == {"Retry-After": "3600"}
    assert network.waits == []


def test_all_tries_share_one_budget(network: Network) -> None:
    network.duration = 9.0
    network.answers.extend([(429, "", {})] * 4)
    with pytest.raises(Failure):
        network.clip(timeout=20).recognize(PHOTO, JSON, caller())
    assert len(network.sent) == 3
    times = [options["timeout"] for options in network.options]
    # Sending has as long as connecting: all the time that is left.
    assert [time.connect_timeout for time in times] == [time.total for time in times]
    assert times[0].total == 20
    assert 10 < times[1].total < 11
    assert times[2].total < 2


def test_a_request_has_no_more_time_than_its_own(network: Network) -> None:
    network.answers.append((429, "", {"Retry-After": "7"}))
    with pytest.raises(Failure):
        network.clip(timeout=20).recognize(PHOTO, JSON, caller(deadline=network.now + 6))
    assert network.options[0]["timeout"].total == 6
    assert network.waits == []


def test_does_not_try_again_when_the_caller_has_gone(network: Network) -> None:
    network.answers.append((429, "", {}))
    with pytest.raises(Failure):
        network.clip().recognize(PHOTO, JSON, caller(gone=True))
    assert network.waits == []


@pytest.mark.parametrize(
    "trouble",
    [
        requests.ReadTimeout("slow"),
        requests.ConnectTimeout("slow"),
        requests.ConnectionError(urllib3.exceptions.ProtocolError("Connection aborted.", TimeoutError("timed out"))),
    ],
)
def test_does_not_repeat_what_took_too_long(network: Network, trouble: Exception) -> None:
    network.duration = 20.0
    network.answers.append(trouble)
    with pytest.raises(Failure) as caught:
        network.clip().recognize(PHOTO, JSON, caller())
    assert caught.value.code == "clip_timeout"
    assert len(network.sent) == 1


def test_text_comes_back_as_text(network: Network) -> None:
    headers = {"Content-Type": "text/plain; charset=utf-8", "X-Recognized": "true"}
    network.answers.append((200, "apple\t93.4%\n", headers))
    answer = network.clip().recognize(PHOTO, TEXT, caller())
    assert network.sent[0].headers["Accept"] == "text/plain"
    assert (answer["body"], answer["headers"]) == (b"apple\t93.4%\n", headers)


def test_an_error_stays_json_where_text_is_asked_for(network: Network) -> None:
    body = json.dumps({"error": {"code": "corrupt_image", "message": "cut off"}})
    network.answers.append((422, body, {"Content-Type": "application/json"}))
    answer = network.clip().recognize(PHOTO, TEXT, caller())
    assert (answer["body"], answer["headers"]) == (body.encode(), {"Content-Type": "application/json"})


@pytest.mark.parametrize("trouble", [REFUSED, RESET, (429, "", {})])
def test_logs_no_word_of_the_caller(network: Network, trouble: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)  # as the server sets it
    network.answers.extend([trouble] * (RETRIES + 1))
    with pytest.raises(Failure):
        network.clip().recognize(Upload(b"photo", ANY_BYTES, [("labels", "secret")], "secret.jpg"), JSON, caller())
    assert caplog.messages
    assert "secret" not in caplog.text


def test_ignores_the_environment_and_redirects(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.test:3128")
    network.answers.append((200, GOOD, {}))
    network.clip().recognize(PHOTO, JSON, caller())
    assert not network.options[0]["proxies"]
    assert network.sent[0].headers.get("Authorization") is None
