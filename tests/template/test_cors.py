"""server/cors.py: the headers for pages of other origins."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from tests.launch import Running
from tests.template.conftest import served
from tests.template.function import HANDLER, assemble

HERE, ELSEWHERE = "https://page.example", "https://elsewhere.example"
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type,x-call-id",
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Running]]:
    """A function for pages of some origins, and one for all pages."""
    settings = {"some": f" http://localhost:5173,{HERE.upper()}/ ", "all": "*"}
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(
                served(tmp_path_factory.mktemp(name) / "function", HANDLER, max_body_bytes="1000", allow_origins=value)
            )
            for name, value in settings.items()
        }


def of_cors(answer: requests.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith(("Access-Control", "Vary"))}


def test_by_default_there_are_no_headers(function: Running) -> None:
    for method, headers in (("GET", {}), ("OPTIONS", PREFLIGHT)):
        answer = requests.request(method, f"{function.url}/event", headers={"Origin": HERE, **headers})
        assert of_cors(answer) == {}
        assert answer.json()["method"] == method


@pytest.mark.parametrize("origin", [HERE, "http://localhost:5173"])
def test_an_allowed_page_gets_the_headers(origin: str, shared: dict[str, Running]) -> None:
    url = shared["some"].url
    said = {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": "*", "Vary": "Origin"}

    asked = requests.options(f"{url}/event", headers={"Origin": origin, **PREFLIGHT})

    assert (asked.status_code, asked.content) == (204, b"")
    assert of_cors(asked) == said | {
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": PREFLIGHT["Access-Control-Request-Headers"],
        "Access-Control-Max-Age": "7200",
    }
    for path, body, status in (
        ("/event", b"", 201),
        ("/raise", b"", 500),
        ("/echo", bytes(1001), 413),
        ("/", b"", 404),
    ):
        answer = requests.post(url + path, data=body, headers={"Origin": origin})
        assert (answer.status_code, of_cors(answer)) == (status, said)
    assert of_cors(requests.get(f"{url}/ready", headers={"Origin": origin})) == said


@pytest.mark.parametrize("origin", [ELSEWHERE, HERE + ".evil.example", "null", "", "*", HERE + ":8443"])
def test_a_page_that_is_not_allowed_gets_none(origin: str, shared: dict[str, Running]) -> None:
    for method, headers in (("POST", {}), ("OPTIONS", PREFLIGHT)):
        answer = requests.request(method, f"{shared['some'].url}/event", headers={"Origin": origin, **headers})
        assert answer.json()["method"] == method
        assert of_cors(answer) == {"Vary": "Origin"}


@pytest.mark.parametrize("origin", [ELSEWHERE, "null"])
def test_all_pages_can_be_allowed(origin: str, shared: dict[str, Running]) -> None:
    said = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "*"}

    asked = requests.options(shared["all"].url, headers={"Origin": origin, "Access-Control-Request-Method": "PUT"})

    assert asked.status_code == 204
    assert of_cors(asked).items() >= said.items()
    assert "Access-Control-Allow-Headers" not in asked.headers
    assert of_cors(requests.get(f"{shared['all'].url}/event")) == said


def test_other_options_requests_are_the_handlers_matter(shared: dict[str, Running]) -> None:
    answer = requests.options(f"{shared['all'].url}/event", headers={"Origin": HERE})
    assert answer.json()["method"] == "OPTIONS"


def test_a_hostile_preflight_is_not_repeated(shared: dict[str, Running]) -> None:
    hostile = {"Access-Control-Request-Method": "POST<", "Access-Control-Request-Headers": "x" * 1010}
    answer = requests.options(shared["all"].url, headers={"Origin": HERE, **hostile})
    assert set(of_cors(answer)) == {
        "Access-Control-Allow-Origin",
        "Access-Control-Expose-Headers",
        "Access-Control-Max-Age",
    }


@pytest.mark.parametrize(
    "value", ["example.com", "https://example.com/path", "https://*.example.com", "https://", "null"]
)
def test_what_is_no_origin_ends_the_function(value: str, tmp_path: Path) -> None:
    folder = assemble(tmp_path / "function", HANDLER)
    environment = {"upstream_url": "http://127.0.0.1:0", "allow_origins": value}
    ended = subprocess.run([sys.executable, "index.py"], cwd=folder, env=environment, capture_output=True, timeout=60)
    assert ended.returncode == 2
    assert b"allow_origins must be" in ended.stdout
