"""The call to `clip`, with a session that opens no socket and a clock that does not wait."""

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import pytest
import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter

from frontend.index.clip import RETRIES, Clip
from frontend.index.errors import Failure

from .gateway import DESCRIPTION, prediction

GOOD = json.dumps(prediction())


@dataclass
class Network(BaseAdapter):
    """Answers with what it is given, one after the other, and takes the time that each is said to take."""

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
        session = requests.Session()
        session.mount("http://", self)
        return Clip("http://gateway.test:8080/", timeout, session, lambda: self.now, self.sleep)


@pytest.fixture
def network() -> Network:
    return Network()


def test_sends_the_bytes_and_the_parameters_to_clip(network: Network) -> None:
    network.answers.append((200, GOOD, {"Server-Timing": "inference;dur=4.5", "X-Other": "no"}))
    answer = network.clip().recognize(b"\xff\x00photo", [("top_k", "3"), ("labels", "a cat,ein Hund & Ü")], "call-1")
    assert answer["statusCode"] == 200
    assert answer["body"] == GOOD.encode()
    assert answer["headers"] == {"Server-Timing": "inference;dur=4.5", "Content-Type": "application/json"}
    [request] = network.sent
    assert request.method == "POST"
    assert request.url == ("http://gateway.test:8080/function/clip?top_k=3&labels=a+cat%2Cein+Hund+%26+%C3%9C")
    assert request.body == b"\xff\x00photo"
    assert request.headers["X-Call-Id"] == "call-1"
    assert request.headers["Accept"] == "application/json"


def test_describes_clip(network: Network) -> None:
    network.answers.append((200, json.dumps(DESCRIPTION), {}))
    assert json.loads(network.clip().describe("call-2")["body"]) == DESCRIPTION
    assert network.sent[0].method == "GET"


@pytest.mark.parametrize(
    "trouble",
    [
        (429, "too many", {}),
        (502, "", {}),
        (503, json.dumps({"error": {"code": "not_ready", "message": "loading"}}), {}),
        (500, "Can't reach service for: clip.", {}),
        requests.ConnectionError("refused"),
        requests.exceptions.ChunkedEncodingError("reset"),
    ],
)
def test_tries_again_after_what_may_pass(network: Network, trouble: Any) -> None:
    network.answers.extend([trouble, trouble, (200, GOOD, {})])
    assert network.clip().recognize(b"photo", [], "")["statusCode"] == 200
    assert len(network.sent) == 3
    assert 0 < network.waits[0] < network.waits[1] * 3  # the second is twice the first, each ± half


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (429, "too many", "too_many_requests"),
        (500, "Can't reach service for: clip.", "clip_unreachable"),
        (502, "", "clip_unreachable"),
        (503, "no endpoints", "clip_unavailable"),
    ],
)
def test_gives_up_after_a_few_tries_and_says_so_in_the_error_form(
    network: Network, status: int, body: str, expected: str
) -> None:
    network.answers.extend([(status, body, {})] * (RETRIES + 1))
    with pytest.raises(Failure) as caught:
        network.clip().recognize(b"photo", [], "")
    assert caught.value.code == expected
    assert json.loads(caught.value.body())["error"]["code"] == expected
    assert len(network.sent) == RETRIES + 1


@pytest.mark.parametrize(
    ("status", "body", "headers", "expected"),
    [
        (200, "<html>hello</html>", {}, "clip_bad_answer"),
        (200, "[1, 2]", {}, "clip_bad_answer"),
        (200, '{"predictions"', {}, "clip_bad_answer"),
        (200, "{}", {}, "clip_bad_answer"),
        (302, "", {"Location": "http://elsewhere.test/"}, "clip_bad_answer"),
        (404, "404 page not found", {}, "clip_bad_answer"),
        (413, "too large", {}, "body_too_large"),
        (504, "timed out", {}, "clip_timeout"),
    ],
)
def test_makes_an_error_of_what_clip_would_not_say_at_once(
    network: Network, status: int, body: str, headers: dict[str, str], expected: str
) -> None:
    network.answers.append((status, body, headers))
    with pytest.raises(Failure) as caught:
        network.clip().recognize(b"photo", [], "")
    assert caught.value.code == expected
    assert len(network.sent) == 1


def test_passes_clips_own_errors_through(network: Network) -> None:
    body = json.dumps({"error": {"code": "corrupt_image", "message": "cut off"}})
    network.answers.append((422, body, {}))
    answer = network.clip().recognize(b"photo", [], "")
    assert (answer["statusCode"], answer["body"]) == (422, body.encode())


def test_a_500_of_clips_own_is_not_repeated(network: Network) -> None:
    network.answers.append((500, json.dumps({"error": {"code": "internal", "message": "logged"}}), {}))
    assert network.clip().recognize(b"photo", [], "")["statusCode"] == 500
    assert len(network.sent) == 1


def test_waits_as_long_as_it_is_asked_to(network: Network) -> None:
    network.answers.extend([(429, "", {"Retry-After": "7"}), (200, GOOD, {})])
    assert network.clip().recognize(b"photo", [], "")["statusCode"] == 200
    assert network.waits == [7]


def test_does_not_wait_longer_than_its_budget(network: Network) -> None:
    network.answers.append((503, "", {"Retry-After": "3600"}))
    with pytest.raises(Failure) as caught:
        network.clip(timeout=20).recognize(b"photo", [], "")
    assert caught.value.code == "clip_unavailable"
    assert caught.value.headers == {"Retry-After": "3600"}
    assert network.waits == []


def test_all_tries_share_one_budget(network: Network) -> None:
    network.duration = 9.0
    network.answers.extend([(502, "", {})] * 4)
    with pytest.raises(Failure):
        network.clip(timeout=20).recognize(b"photo", [], "")
    assert len(network.sent) == 3
    reads = [options["timeout"][1] for options in network.options]
    assert reads[0] == 20
    assert 10 < reads[1] < 11
    assert reads[2] < 2


def test_does_not_repeat_what_took_too_long(network: Network) -> None:
    network.answers.append(requests.ReadTimeout("slow"))
    with pytest.raises(Failure) as caught:
        network.clip().recognize(b"photo", [], "")
    assert caught.value.code == "clip_timeout"


def test_ignores_the_environment_and_redirects(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.test:3128")
    network.answers.append((200, GOOD, {}))
    network.clip().recognize(b"photo", [], "")
    assert not network.options[0]["proxies"]
    assert network.sent[0].headers.get("Authorization") is None
