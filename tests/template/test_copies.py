"""The two templates hold the same server, which faas-cli cannot share between them."""

from pathlib import Path

from tests.launch import PROJECT

TEMPLATES = PROJECT / "template"
OWN = {"Dockerfile", "template.yml"}


def files(template: str) -> dict[Path, bytes]:
    folder = TEMPLATES / template
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name not in OWN
    }


def test_the_templates_are_equal_but_for_what_is_their_own() -> None:
    assert Path("index.py") in files("python3")
    assert files("python3") == files("python3-debian")
