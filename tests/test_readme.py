"""The README says what the code does: its tables are compared with the code."""

import re
from pathlib import Path

import pytest
import yaml

from backend.clip import errors, limits, query
from frontend.index.errors import CATALOG
from frontend.index.reply import DIED, NONSENSE, PLATFORM

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def table_rows(first_header: str) -> dict[str, str]:
    """The rows of the table that begins with this header, by their first cell."""
    lines = README.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {first_header} |"))
    rows: dict[str, str] = {}
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        first, _, rest = line.strip("| ").partition("|")
        rows[first.strip()] = rows.get(first.strip(), "") + rest
    return rows


def error_classes() -> list[type[errors.RequestError]]:
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and kind.__module__ == errors.__name__]


@pytest.mark.parametrize("kind", error_classes())
def test_every_error_is_in_the_table(kind: type[errors.RequestError]) -> None:
    assert f"`{kind.code}`" in table_rows("status")[str(kind.status)]


def test_every_code_in_the_table_is_an_error() -> None:
    codes = {kind.code for kind in error_classes()} | {"internal", "not_ready", "request_timeout"}
    listed = {code for row in table_rows("status").values() for code in re.findall(r"`([a-z_]+)`", row.split("|")[0])}
    assert listed == codes


def test_every_answer_in_the_place_of_clips_is_in_the_table() -> None:
    codes = {code for code, _ in (*PLATFORM.values(), DIED, NONSENSE)}
    listed = {
        (code, status)
        for status, row in table_rows("from `index`").items()
        for code in re.findall(r"`([a-z_]+)`", row.split("|")[0])
    }
    assert listed == {(code, str(CATALOG[code]["status"])) for code in codes}


def test_limits() -> None:
    rows = table_rows("function")
    assert str(limits.MAX_IMAGE_BYTES) in README
    assert str(limits.MAX_IMAGE_PIXELS) in README
    parameters = table_rows("parameter")
    assert [name.strip("`") for name in parameters] == list(query.PARAMETERS)
    assert f"at most {limits.MAX_LABELS:,} of at most {limits.MAX_LABEL_CHARACTERS} " in parameters["`labels`"]
    assert f"at most {limits.MAX_LABEL_CHARACTERS} " in parameters["`template`"]
    assert rows["`clip`"]


def test_every_setting_in_the_yaml_is_documented() -> None:
    documented = set(re.findall(r"`([A-Za-z_]+)`", " ".join(table_rows("function").values())))
    functions = yaml.safe_load((ROOT / "stack.yml").read_text())["functions"]
    used = {name for function in functions.values() for name in function["environment"]}
    assert used - {"suppress_lock", "ready_path"} <= documented


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"[`$] ?make ([a-z]+)\b", README)) <= targets


def test_every_link_into_the_repository_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
