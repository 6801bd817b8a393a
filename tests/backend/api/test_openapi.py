"""The OpenAPI document: schemathesis holds the running function to it, and every status that it names is reached."""

import base64
import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import hypothesis
import hypothesis.errors
import pytest
import requests
import schemathesis
from hypothesis import strategies
from requests.adapters import HTTPAdapter
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks
from urllib3 import HTTPResponse

from backend.clip import limits
from backend.clip.api.parameters import PARAMETERS
from backend.clip.errors import RequestError
from backend.clip.export.names import LANGUAGES
from backend.clip.version import VERSION
from server import errors as server_errors
from tests.functions import clip
from tests.launch import PROJECT, local, wait_for
from tests.pictures import encoded, huge_png, photo

DOCUMENT = json.loads((PROJECT / "backend" / "clip" / "api" / "openapi.json").read_text(encoding="utf-8"))
PHOTO = encoded(photo((96, 64)), "JPEG")
TEXT = base64.b64encode(PHOTO).decode()
CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
OPERATIONS = [
    (method, path, [int(status) for status in operation["responses"]])
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]

JSON: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "/v1/embeddings": lambda uri: {"input": uri},
    "/api/v1/vision/labels": lambda uri: {"images": [uri]},
    "/api/generate": lambda uri: {"images": [uri]},
    "/v1/responses": lambda uri: {"input": [{"content": [{"type": "input_image", "image_url": uri}]}]},
}
"""The paths that take JSON alone, and their bodies with an image as a data URI."""
PREFIX = "data:image/jpeg;base64,"
CORRUPT = PREFIX + base64.b64encode(PHOTO[:300]).decode()
FAILURE = {"$ref": "#/components/responses/Failure"}
"""Errors in the form of other programs, which has no codes."""

STATUSES = [(method, path, status) for method, path, statuses in OPERATIONS for status in statuses]

some_bodies = strategies.sampled_from(
    [PHOTO, PHOTO[:300], encoded(photo((9, 9)), "PNG"), b"", b"text", b"GIF89a", TEXT.encode(), TEXT[:99].encode()]
)
schemathesis.openapi.media_type("application/octet-stream", some_bodies)


SCHEMA = schemathesis.openapi.from_dict(DOCUMENT | {"info": DOCUMENT["info"] | {"version": VERSION}})


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path, _ in OPERATIONS])
def test_the_function_does_what_the_document_says(method: str, path: str, mode: GenerationMode, clip_url: str) -> None:
    """Whatever is sent, of what the document allows or of what it does not."""

    @hypothesis.given(SCHEMA[path][method.upper()].as_strategy(generation_mode=mode))
    @hypothesis.settings(
        max_examples=30 if method != "get" else 3,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    def holds(case: Any) -> None:
        case.call_and_validate(clip_url, checks=[not_a_server_error, *CHECKS], timeout=60)

    try:
        holds()
    except hypothesis.errors.Unsatisfiable:
        assert mode.is_negative  # nothing can be wrong with a GET that takes no parameters


def conforms(method: str, path: str, answer: requests.Response) -> None:
    case = SCHEMA[path][method.upper()].Case()
    case.validate_response(answer, checks=CHECKS)


def send(url: str, method: str, path: str, **options: Any) -> requests.Response:
    """A request with a body that is right for the operation, unless it is given another."""
    if method != "get" and not {"data", "json", "files"} & set(options):
        options |= {"json": JSON[path](PREFIX + TEXT)} if path in JSON else {"data": PHOTO}
    return requests.request(method, url + (path if path != "/" else ""), timeout=60, **options)


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path, _ in OPERATIONS])
def test_what_is_right_is_answered_200(method: str, path: str, clip_url: str) -> None:
    answer = send(clip_url, method, path)
    assert answer.status_code == 200
    conforms(method, path, answer)


@pytest.mark.parametrize(
    "options",
    [
        {"files": [("a", PHOTO), ("b", PHOTO), ("c", b"text")]},
        {"files": [("a", PHOTO)], "data": {"top_k": "3", "labels": "apple,pear"}},
        {"data": TEXT, "headers": {"Content-Type": "text/plain", "Accept": "text/plain"}},
        {"json": {"inputs": TEXT, "parameters": {"candidate_labels": ["apple", "pear"]}}},
        {"params": {"vocabulary": "everyday", "preview": "1"}},
        {"params": {"vocabulary": "all", "tags": "1"}},
        {"params": {"labels": ["apple", "pear"]}},
        {"params": {"labels": ["Hund", "pear"], "explain": "1"}, "headers": {"Accept-Language": "de"}},
    ],
)
def test_all_forms_of_an_answer(options: dict[str, Any], clip_url: str) -> None:
    answer = send(clip_url, "post", "/", **options)
    assert answer.status_code == 200
    conforms("post", "/", answer)


def test_an_explanation_where_the_model_has_them(clip_url: str) -> None:
    explains = send(clip_url, "get", "/").json()["explains"]
    answer = send(clip_url, "post", "/", params={"explain": "1"})
    assert answer.status_code == (200 if explains else 400)
    assert ("explanation" in answer.json()) == explains
    conforms("post", "/", answer)


WRONG: dict[int, tuple[dict[str, Any], dict[str, Any] | str]] = {
    400: ({"params": {"lang": "xx"}}, {"data": b"{"}),
    403: ({"json": {"url": "https://example.com/photo.jpg"}}, {}),
    413: ({"data": huge_png(70_000, 1000)}, {"data": bytes(33 << 20)}),
    415: ({"data": b"text"}, "data:image/png;base64,aGVsbG8="),
    422: ({"params": {"labels": "flamnigo"}}, CORRUPT),
}
"""By status: requests to ``/`` and to the paths that take JSON, or an image for these."""


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [each for each in STATUSES if each[2] in WRONG],
)
def test_what_is_wrong_is_answered_so(method: str, path: str, status: int, clip_url: str) -> None:
    of_photos, of_json = WRONG[status]
    options = of_json if path in JSON else of_photos
    answer = send(clip_url, method, path, **({"json": JSON[path](options)} if isinstance(options, str) else options))
    assert answer.status_code == status
    conforms(method, path, answer)


def edited(edit: str) -> list[str]:
    """A command that edits the handler's source, as ``source``, and becomes the server."""
    code = f"""
import os, pathlib, sys
path = pathlib.Path("function/handler.py")
source = path.read_text()
path.write_text({edit})
os.execv(sys.argv[1], sys.argv[1:])
"""
    return [sys.executable, "-c", code]


BUG = r"source + '\n\ndef handle(event, context):\n    raise RuntimeError\n'"
SLOW = r"'import time\ntime.sleep(60)\n' + source"


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, str]]:
    """By status: the address of a function in circumstances that lead to it."""
    secrets = tmp_path_factory.mktemp("secrets")
    (secrets / "clip-api-key").write_text("key")
    yaml = tmp_path_factory.mktemp("stack") / "stack.yml"
    text = (PROJECT / "stack.yml").read_text(encoding="utf-8")
    yaml.write_text(text.replace('max_inflight: "16"', 'max_inflight: "1"').replace("./", f"{PROJECT}/"))
    circumstances: dict[int, dict[str, Any]] = {
        401: {"secrets_dir": str(secrets), "body_timeout": "300ms"},
        500: {"wrapper": edited(BUG)},
        503: {"wrapper": edited(SLOW), "wait_for_ready": False, "handler_wait": "100ms"},
    }
    with ExitStack() as servers:
        found = {status: servers.enter_context(clip(**each)).url for status, each in circumstances.items()}
        gateway = servers.enter_context(local("-f", str(yaml)))
        yield found | {408: found[401], 431: found[401], 429: gateway.url + "/function/clip"}


def stalled(method: str, url: str) -> HTTPConnection:
    """A request whose body does not come."""
    address = urlsplit(url)
    assert address.hostname is not None
    connection = HTTPConnection(address.hostname, address.port, timeout=30)
    connection.putrequest(method.upper(), address.path or "/")
    connection.putheader("Content-Length", "9")
    connection.endheaders()
    return connection


def answer_to_stalled(method: str, url: str) -> requests.Response:
    with closing(stalled(method, url)) as connection:
        answer = connection.getresponse()
        raw = HTTPResponse(
            io.BytesIO(answer.read()), dict(answer.headers.items()), answer.status, preload_content=False
        )
    return HTTPAdapter().build_response(requests.Request(method, url).prepare(), raw)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        (method, path, status)
        for method, path, statuses in OPERATIONS
        for status in statuses
        if status not in (200, *WRONG)
    ],
)
def test_trouble_is_answered_so(method: str, path: str, status: int, troubled: dict[int, str]) -> None:
    url = troubled[status]
    if status == 408:
        answer = answer_to_stalled(method, url + path)
    elif status == 429:
        with closing(stalled("post", url)):
            wait_for(lambda: send(url, method, path).status_code == 429, "never busy")
            answer = send(url, method, path)
    else:
        answer = send(url, method, path, headers={"X-Long": "x" * 300_000} if status == 431 else {})
    assert answer.status_code == status
    conforms(method, path, answer)


def test_the_document_has_the_limits_and_parameters_of_the_code() -> None:
    parameters, schemas = DOCUMENT["components"]["parameters"], DOCUMENT["components"]["schemas"]
    form = dict(schemas["Form"]["properties"])
    assert form.pop("image")["maxItems"] == limits.MAX_IMAGES
    in_query = {name: parameter["schema"] for name, parameter in parameters.items() if parameter["in"] == "query"}
    assert in_query == form
    assert set(in_query) == set(PARAMETERS)
    assert schemas["Language"]["enum"] == ["en", *LANGUAGES]
    assert schemas["TopK"]["default"] == limits.DEFAULT_TOP_K
    assert schemas["TopK"]["maximum"] == limits.MAX_LABELS
    assert schemas["Labels"]["maxItems"] == limits.MAX_LABELS
    assert schemas["Labels"]["items"]["maxLength"] == schemas["Template"]["maxLength"] == limits.MAX_LABEL_CHARACTERS


def resolved(reference: dict[str, str]) -> Any:
    """The component that is referred to."""
    kind, name = reference["$ref"].split("/")[2:]
    return DOCUMENT["components"][kind][name]


def error_schema(response: dict[str, str]) -> Any:
    return resolved(resolved(response)["content"]["application/json"]["schema"])


def test_the_document_has_the_errors_of_the_code() -> None:
    def kinds(kind: type[RequestError]) -> list[type[RequestError]]:
        return [kind, *(descendant for child in kind.__subclasses__() for descendant in kinds(child))]

    server = [problem for problem in vars(server_errors).values() if isinstance(problem, server_errors.Problem)]
    said = {(kind.status, kind.code) for kind in kinds(RequestError)} | {(each.status, each.code) for each in server}
    said |= {(problem.status, problem.code) for problem in server_errors.REFUSALS.values()}
    documented = {
        (int(status), code)
        for operations in DOCUMENT["paths"].values()
        for operation in operations.values()
        for status, reference in operation["responses"].items()
        if status not in ("200", "429") and reference != FAILURE
        for code in error_schema(reference)["properties"]["error"]["properties"]["code"]["enum"]
    }
    # Those of no operation, and a transfer encoding that HTTP does not have.
    assert said - documented == {(404, "not_found"), (405, "method_not_allowed"), (501, "not_implemented")}
    assert documented <= said


def test_the_version_is_the_projects(clip_url: str) -> None:
    assert requests.get(f"{clip_url}/openapi.json", timeout=60).json()["info"]["version"] == VERSION
