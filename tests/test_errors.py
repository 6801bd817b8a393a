"""``frontend/index/page/errors.json`` is the table of errors: whatever fails, its code and status are there."""

import ast
import re
from pathlib import Path

import pytest

from backend.clip.errors import RequestError
from frontend.index.errors import CATALOG
from frontend.index.reply import DIED, NONSENSE, PLATFORM
from frontend.index.texts import LANGUAGES
from server import errors as server_errors
from tests.documents import API, table_rows
from tests.launch import PROJECT

TABLE = {(code, entry["status"]) for code, entry in CATALOG.items()}
# The one place in each program that writes an error's JSON, from a code that is in one of the sets below.
WRITERS = {"backend/clip/api/answer.py", "frontend/index/errors.py", "template/python3/server/errors.py"}


def of_clip() -> set[tuple[str, int]]:
    def kinds(kind: type[RequestError]) -> list[type[RequestError]]:
        return [kind, *(descendant for child in kind.__subclasses__() for descendant in kinds(child))]

    return {(kind.code, kind.status) for kind in kinds(RequestError)}


def of_the_server() -> set[tuple[str, int]]:
    problems = [value for value in vars(server_errors).values() if isinstance(value, server_errors.Problem)]
    return {(problem.code, problem.status) for problem in (*problems, *server_errors.REFUSALS.values())}


def of_index() -> set[tuple[str, int]]:
    """The codes that ``Failure`` is called with; their statuses come from the table."""
    codes = {code for code, _ in (*PLATFORM.values(), DIED, NONSENSE)}
    for path in (PROJECT / "frontend" / "index").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Failure":
                codes |= {str(value.value) for value in node.args[:1] if isinstance(value, ast.Constant)}
    return {(code, CATALOG[code]["status"]) for code in codes}


def of_the_page() -> set[tuple[str, int]]:
    scripts = "".join(path.read_text(encoding="utf-8") for path in (PROJECT / "frontend/index/page/script").glob("*"))
    calls = re.findall(r"new Trouble\((.*)\)", scripts)
    codes = {code for call in calls for code in re.findall(r'"([a-z_]+)"', call)}
    return {(code, CATALOG[code]["status"]) for code in codes}


ORIGINS = [of_clip, of_the_server, of_index, of_the_page]


@pytest.mark.parametrize("origin", ORIGINS)
def test_every_error_is_in_the_table(origin: type[set[tuple[str, int]]]) -> None:
    assert origin()
    assert origin() <= TABLE


def test_nothing_else_is_in_the_table() -> None:
    assert set().union(*(origin() for origin in ORIGINS)) == TABLE


def test_errors_are_written_in_one_place_of_each_program() -> None:
    folders = [PROJECT / name for name in ("backend/clip", "frontend/index", "template/python3")]
    paths: list[Path] = [path for folder in folders for path in folder.rglob("*.py") if not path.is_symlink()]
    writers = {str(path.relative_to(PROJECT)) for path in paths if '{"error":' in path.read_text(encoding="utf-8")}
    assert writers == WRITERS


def test_every_word_says_what_to_do() -> None:
    for texts in LANGUAGES.values():
        assert texts.errors.keys() == CATALOG.keys()
        for code, words in texts.errors.items():
            assert words.endswith((".", "。")), code
            assert len(re.findall(r"[.;:。]", words)) > 1, code


def test_the_documented_table_is_this_one() -> None:
    listed = {
        (code, int(status))
        for first_header in ("status", "from `index`")
        for status, row in table_rows(API, first_header).items()
        for code in re.findall(r"`([a-z_]+)`", row.split("|")[0])
    }
    assert listed == {(code, status) for code, status in TABLE if status}
