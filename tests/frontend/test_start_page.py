"""Clip's description in the page, before any script runs."""

import json

import pytest

from frontend.index.errors import Failure
from frontend.index.start_page import MAX_AGE, RETRY_DELAY, TIMEOUT, Description, page
from server.interface import Context, Response

from .gateway import DESCRIPTION


class Clip:
    """A fake ``clip`` that describes itself or times out; it counts the calls and keeps the last deadline."""

    def __init__(self) -> None:
        self.asked = 0
        self.scaled_to_zero = False
        self.deadline = 0.0

    def describe(self, context: Context, lang: str, languages: str) -> Response:
        self.asked += 1
        self.deadline = context.deadline
        if self.scaled_to_zero:
            raise Failure("clip_timeout", "It is scaled to zero.")
        said = {"en": DESCRIPTION, "de": DESCRIPTION | {"labels": ["Apfel"]}}[language := lang or languages or "en"]
        return {"statusCode": 200, "headers": {"Content-Language": language}, "body": json.dumps(said).encode()}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def context(seconds: float = 20) -> Context:
    return Context(call_id="1", deadline=1000 + seconds, abandoned=lambda: False)


def test_clip_is_asked_once_in_a_while() -> None:
    clip, clock = Clip(), Clock()
    description = Description(clip.describe, clock)

    assert [description.latest(context()) for _ in range(3)] == [json.dumps(DESCRIPTION)] * 3
    assert clip.asked == 1
    assert clip.deadline == 1000 + TIMEOUT
    clock.now += MAX_AGE
    assert description.latest(context()) == json.dumps(DESCRIPTION)
    assert clip.asked == 2


def test_a_description_for_the_script_is_used_for_the_page_too() -> None:
    clip = Clip()
    description = Description(clip.describe, Clock())

    assert description.fetch(context())["statusCode"] == 200
    assert description.latest(context()) == json.dumps(DESCRIPTION)
    assert clip.asked == 1
    assert clip.deadline == 1020


@pytest.mark.parametrize("asked", [("de", ""), ("", "de")])
def test_the_page_is_in_english_whatever_others_asked_for(asked: tuple[str, str]) -> None:
    description = Description(Clip().describe, Clock())

    assert json.loads(description.fetch(context(), *asked)["body"])["labels"] == ["Apfel"]
    assert description.latest(context()) == json.dumps(DESCRIPTION)
    assert json.loads(description.fetch(context(), *asked)["body"])["labels"] == ["Apfel"]
    assert description.latest(context()) == json.dumps(DESCRIPTION)


def test_a_language_that_there_is_not_says_nothing_of_clip() -> None:
    clip, body = Clip(), json.dumps({"error": {"code": "bad_parameter", "message": "lang must be one of en, de."}})
    refusal: Response = {"statusCode": 400, "headers": {}, "body": body}
    description = Description(lambda *asked: refusal if "xx" in asked else clip.describe(*asked), Clock())

    assert description.fetch(context(), "xx")["statusCode"] == 400
    assert description.latest(context()) == json.dumps(DESCRIPTION)


def test_a_clip_that_is_scaled_to_zero_is_not_waited_for() -> None:
    clip, clock = Clip(), Clock()
    clip.scaled_to_zero = True
    description = Description(clip.describe, clock)

    assert [description.latest(context()) for _ in range(3)] == [None] * 3
    assert clip.asked == 1
    clip.scaled_to_zero = False
    clock.now += RETRY_DELAY
    assert description.latest(context()) == json.dumps(DESCRIPTION)


def test_an_error_is_not_taken_for_a_description() -> None:
    clip, clock = Clip(), Clock()
    body = json.dumps({"error": {"code": "bad_gateway", "message": "It is away."}})
    error: Response = {"statusCode": 502, "headers": {}, "body": body}
    answers = [error]
    description = Description(lambda *asked: answers.pop() if answers else clip.describe(*asked), clock)

    assert [description.latest(context()) for _ in range(2)] == [None] * 2
    clock.now += RETRY_DELAY
    assert description.latest(context()) == json.dumps(DESCRIPTION)


def test_a_request_without_much_time_is_kept_to_it() -> None:
    clip = Clip()
    Description(clip.describe, Clock()).latest(context(0.25))
    assert clip.deadline == 1000.25


def test_nothing_is_promised_of_a_recognizer_that_is_not_known() -> None:
    html = page("index.html", None).html.decode()
    assert "The words I know best" in html
    assert html.count("hidden") > page("index.html", json.dumps(DESCRIPTION)).html.decode().count("hidden")


def test_a_description_without_everyday_words_makes_a_page() -> None:
    about = {key: value for key, value in DESCRIPTION.items() if key not in ("everyday", "groups")}
    html = page("index.html", json.dumps(about)).html.decode()
    assert "The 7 words I know best" in html
    assert "0 everyday things" in html  # hidden


def test_the_page_is_made_once_for_each_recognizer() -> None:
    about = json.dumps(DESCRIPTION | {"everyday": [f"thing {i}" for i in range(1500)]})
    assert "1,500 everyday things" in page("index.html", about).html.decode()
    assert page("index.html", about) is page("index.html", about)
