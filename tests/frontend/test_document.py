"""The HTML document: it needs no other file, has a strict Content-Security-Policy, and is cached by ETag."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
import requests

from . import gateway as behaviors
from .gateway import DESCRIPTION, Gateway

LIMIT, COMPRESSED_LIMIT = 200_000, 120_000  # bytes


@pytest.fixture
def response(index: str) -> requests.Response:
    return requests.get(index, timeout=20)


def policy(response: requests.Response) -> dict[str, list[str]]:
    directives = (part.split() for part in response.headers["Content-Security-Policy"].split(";"))
    return {name: values for name, *values in directives}


def inline(tag: str, html: str) -> list[str]:
    return re.findall(rf"<{tag}(?: type=\"module\")?>(.*?)</{tag}>", html, re.DOTALL)


def test_is_small_whatever_the_recognizer_knows(index: str, gateway: Gateway) -> None:
    words = [f"everyday thing number {number}" for number in range(5_000)]
    gateway.describe = behaviors.answer(DESCRIPTION | {"labels": words, "groups": {}, "everyday": words})
    requests.get(f"{index}?describe", timeout=20)
    response = requests.get(index, timeout=20)
    assert "5,000 words I know best" in response.text
    assert response.headers["Content-Encoding"] == "gzip"
    assert len(response.content) < LIMIT
    assert int(response.headers["Content-Length"]) < COMPRESSED_LIMIT


def test_is_the_same_uncompressed(index: str, response: requests.Response) -> None:
    plain = requests.get(index, headers={"Accept-Encoding": "identity"}, timeout=20)
    assert "Content-Encoding" not in plain.headers
    assert plain.content == response.content
    assert "Accept-Encoding" in plain.headers["Vary"]


def test_needs_nothing_else(response: requests.Response) -> None:
    addresses: list[str] = []

    class Collector(HTMLParser):
        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            addresses.extend(value or "" for name, value in attributes if name in ("src", "href", "action"))

    Collector().feed(response.text)
    assert all(address.startswith(("data:", "#", "?")) for address in addresses)
    assert not re.search(r"@import|url\((?!#)", response.text)


def test_the_policy_allows_this_script_and_style_and_no_other(response: requests.Response) -> None:
    directives = policy(response)
    for tag, directive in (("script", "script-src"), ("style", "style-src")):
        [content] = inline(tag, response.text)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert directives[directive] == [f"'sha256-{digest}'"]
    assert directives["default-src"] == ["'none'"]
    assert directives["frame-ancestors"] == ["'none'"]
    assert directives["base-uri"] == ["'none'"]
    assert directives["form-action"] == ["'self'"]
    assert "unsafe" not in response.headers["Content-Security-Policy"]


def test_the_other_headers(response: requests.Response) -> None:
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Cache-Control"] == "no-cache"


def test_is_sent_only_when_it_is_new(index: str, response: requests.Response) -> None:
    tag = response.headers["ETag"]
    for known in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        again = requests.get(index, headers={"If-None-Match": known}, timeout=20)
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert requests.get(index, headers={"If-None-Match": '"other"'}, timeout=20).status_code == 200


def test_head(index: str, response: requests.Response) -> None:
    head = requests.head(index, timeout=20)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["ETag"] == response.headers["ETag"]
