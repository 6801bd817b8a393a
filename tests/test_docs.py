"""README and docs say what the code does: their tables are compared with the code, their links followed."""

import json
import re
import signal
from pathlib import Path

import pytest
import requests
import yaml

from backend.clip import limits
from backend.clip.api.parameters import PARAMETERS
from backend.clip.decoders import lanes as decoding
from backend.clip.inference import text_tower as text
from frontend.index import clip
from photo_labels.commands.exit_codes import COMPLETE, GONE, INCOMPLETE, SIGNAL, WRONG
from server import headers, multipart
from server.environment import seconds
from tests.client.command import label
from tests.documents import API, ARCHITECTURE, CONFIGURATION, DEPLOY, DOCUMENTS, ROOT, table_rows
from tests.launch import Running


def test_limits() -> None:
    rows = table_rows(CONFIGURATION, "function")
    assert f"{limits.MAX_IMAGE_BYTES >> 20}MiB" in rows["`clip`"]
    assert str(limits.MAX_IMAGE_PIXELS) in CONFIGURATION
    parameters = table_rows(API, "parameter")
    assert [name.strip("`") for name in parameters] == list(PARAMETERS)
    assert f"at most {limits.MAX_LABELS:,} of at most {limits.MAX_LABEL_CHARACTERS} " in parameters["`labels`"]
    assert f"at most {limits.MAX_LABEL_CHARACTERS} " in parameters["`template`"]
    assert f"at most {limits.MAX_NEW_LABEL_TOKENS:,} tokens for one request" in API
    assert rows["`clip`"]


def test_every_setting_in_the_yaml_is_documented() -> None:
    documented = set(re.findall(r"`([A-Za-z_]+)`", " ".join(table_rows(CONFIGURATION, "function").values())))
    functions = yaml.safe_load((ROOT / "stack.yml").read_text())["functions"]
    used = {name for function in functions.values() for name in function["environment"]}
    assert used - {"suppress_lock", "ready_path"} <= documented


@pytest.mark.parametrize("name", ["README.md", "docs/api.md"])
def test_the_answers_that_are_shown_have_the_fields_of_an_answer(application: Running, name: str) -> None:
    shown = [json.loads(line) for line in (ROOT / name).read_text(encoding="utf-8").splitlines() if line[:2] == '{"']
    photo = (ROOT / "docs" / "screenshots" / "result.png").read_bytes()
    answer = requests.post(f"{application.url}/function/clip", photo).json()
    good = [one for one in shown if "predictions" in one]
    assert good
    for one in good:
        assert set(one) | {"instead"} == set(answer) | {"instead"}
        assert all(set(prediction) == set(answer["predictions"][0]) for prediction in one["predictions"])
        assert one["model"] == answer["model"]


def test_every_build_argument_is_documented() -> None:
    dockerfiles = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "template").glob("*/Dockerfile"))
    arguments = set(re.findall(r"^ARG (\w+)", dockerfiles, re.MULTILINE))
    functions = yaml.safe_load((ROOT / "stack.yml").read_text(encoding="utf-8"))["functions"].values()
    assert arguments >= {name for function in functions for name in function["build_args"]}
    assert set(re.findall(r"`([A-Z_]+)`", " ".join(table_rows(DEPLOY, "build argument")))) == arguments


def test_every_bound_that_is_a_setting_is_documented() -> None:
    bounds = set(re.findall(r"`([a-z_]+)`", " ".join(table_rows(ARCHITECTURE, "bound"))))
    assert bounds - {"upstream_timeout"} <= set(re.findall(r"`([a-z_]+)`", CONFIGURATION))


def test_the_bounds_that_are_no_settings() -> None:
    rows = table_rows(ARCHITECTURE, "bound")
    fast, medium, slow = (size >> 20 for size in (decoding.FAST.memory, decoding.MEDIUM.memory, decoding.SLOW_MEMORY))
    assert f"{fast} MiB in the fast lane, {medium} in the medium, {slow} in the slow" in rows["a decoder's memory"]
    labels = (
        f"{limits.MAX_LABELS:,} of {limits.MAX_LABEL_CHARACTERS} characters, {limits.MAX_NEW_LABEL_TOKENS:,} tokens"
    )
    assert labels in rows["labels"]
    assert f"{limits.MAX_JSON_TEXT_BYTES >> 10} KiB" in rows["JSON without its images"]
    assert f"at most {limits.MAX_JSON_TEXT_BYTES >> 10} KiB ({limits.MAX_JSON_TEXT_BYTES:,} bytes)" in API
    assert f"{text.MAX_MENDED_CHARACTERS:,} characters" in rows["text that is not plain ASCII"]
    assert f"at most {clip.RETRIES} retries" in rows["`clip_timeout`"]
    one, long, every, head = kib(
        headers.MAX_HEADER_BYTES, headers.MAX_LONG_HEADER_BYTES, headers.MAX_HEADERS_BYTES, headers.MAX_HEAD_BYTES
    )
    assert f"{one}, or {long} where nothing parses it; {every}; {head}" in rows["a header, all headers"]
    part, parts = kib(multipart.MAX_HEADERS_BYTES, multipart.MAX_ALL_HEADERS_BYTES)
    name, names = kib(multipart.MAX_DISPOSITION_BYTES, multipart.MAX_DISPOSITIONS_BYTES)
    said = f"{part} in a part, {parts} in all; {name} of `Content-Disposition`, {names} that differ"
    assert said in rows["the headers of parts"]


def kib(*sizes: int) -> list[str]:
    return [f"{size >> 10} KiB" for size in sizes]


def test_the_bounds_of_each_function_are_those_of_the_stack_file() -> None:
    functions = yaml.safe_load((ROOT / "stack.yml").read_text(encoding="utf-8"))["functions"]
    for bound, row in table_rows(ARCHITECTURE, "bound").items():
        for function, value in re.findall(r"`(index|clip)` (\d+s?)\b", row.split("|")[1]):
            [name, *_] = names = re.findall(r"`([a-z_]+)`", bound)
            expected = sum(seconds(each, "", functions[function]["environment"]) for each in names)
            assert value == (functions[function]["environment"][name] if len(names) == 1 else f"{expected:g}s"), bound


def test_every_option_and_exit_code_of_the_client_is_documented() -> None:
    document = (ROOT / "docs" / "client.md").read_text(encoding="utf-8")
    usage = label("--help").stdout
    options = set(re.findall(r"`(--[a-z-]+)`", " ".join(table_rows(document, "option"))))
    assert options == set(re.findall(r"^  (--[a-z-]+)", usage, re.MULTILINE))
    codes = {int(code) for row in table_rows(document, "exit code") for code in row.split(", ")}
    interrupted = {SIGNAL + signal.SIGINT, SIGNAL + signal.SIGTERM}
    assert codes == {COMPLETE, INCOMPLETE, WRONG, GONE} | interrupted


def test_the_packages_that_the_readme_names_are_those_that_its_commands_are_tried_with() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    steps = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]["two-commands"][
        "steps"
    ]
    [installed] = [step["run"] for step in steps if "apt-get install" in step.get("run", "")]
    packages = installed.partition(" install ")[2].split()
    assert f"apt install {' '.join(name for name in packages if name[0] != '-')}`" in readme


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_target_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"[`$] ?make ([a-z]+)\b", path.read_text(encoding="utf-8"))) <= targets


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_into_the_repository_leads_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", path.read_text(encoding="utf-8")):
        file, _, heading = link.partition("#")
        target = path.parent / file if file else path
        assert target.exists(), link
        if heading:
            assert heading in headings(target), link


def headings(document: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    found = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}
