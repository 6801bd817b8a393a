"""Every example of docs/api.md and of the README is run as it stands, against the running application."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import skimage.data
from PIL import Image

from tests.examples import ADDRESS, commands, examples
from tests.launch import PROJECT, Running
from tests.pictures import photo
from tests.things import SCENES, view, write_things

PYTHON = examples("python")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With the files that the examples name."""
    Image.open(Path(str(skimage.data.__file__)).parent / "chelsea.png").save(tmp_path / "cat.jpg")
    photo((640, 480)).save(tmp_path / "apple.jpg")
    (tmp_path / "notes.txt").write_text("Apples: five.\n")
    (tmp_path / "docs").symlink_to(PROJECT / "docs")
    return tmp_path


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def shape(value: Any) -> Any:
    """What a JSON value is made of. ``instead`` depends on the photo, and these are not those of the document."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items() if name != "instead"}
    if isinstance(value, list):
        return [shape(each) for each in value]
    return type(value)


@pytest.mark.parametrize(("command", "shown"), commands())
def test_a_command_prints_what_is_shown(command: str, shown: str, folder: Path, application: Running) -> None:
    printed = run(["bash", "-c", command.replace(ADDRESS, f"{application.url}/function/clip")], folder)
    if not shown.startswith("{"):
        assert [line.count("\t") for line in printed.splitlines()] == [line.count("\t") for line in shown.splitlines()]
        return
    expected, got = json.loads(shown), json.loads(printed)
    assert shape(got) == shape(expected)
    if "error" in expected:
        assert got == expected


@pytest.mark.parametrize(
    ("command", "shown"), [pair for pair in commands("README.md") if pair[0].startswith("curl --data-binary")]
)
def test_the_readme_shows_what_its_photo_gives(command: str, shown: str, application: Running) -> None:
    printed = run(["bash", "-c", command.replace(ADDRESS, f"{application.url}/function/clip")], PROJECT)
    expected, got = json.loads(shown), json.loads(printed)
    assert [each["label"] for each in got["predictions"]] == [each["label"] for each in expected["predictions"]]
    assert got["predictions"][0]["score"] == pytest.approx(expected["predictions"][0]["score"], abs=0.02)
    assert got["confidence"] == pytest.approx(expected["confidence"], abs=0.02)
    assert got.get("instead", {}).get("label") == expected.get("instead", {}).get("label")
    assert shape(got) == shape(expected)


@pytest.mark.parametrize("source", PYTHON, ids=[source.split()[1] for source in PYTHON])
def test_a_program_runs(source: str, folder: Path, application: Running) -> None:
    program = source.replace(ADDRESS, f"{application.url}/function/clip")
    printed = run([sys.executable, "-W", "error", "-c", program], folder)
    if "aiohttp" in source:
        assert sorted(line.split(":")[0] for line in printed.splitlines()) == ["apple.jpg", "cat.jpg"]
    elif "openai" in source:
        assert len(json.loads(printed)) == 2
    else:
        assert "cat" in printed.split("dog")[0]  # it is a cat, and the best comes first


TEACH = "docs/teach.md"


@pytest.fixture
def things(tmp_path: Path) -> Path:
    """What docs/teach.md speaks of: examples, and another photo of one of them."""
    write_things(tmp_path / "my-things", {"our cat": SCENES[0], "blue mug": SCENES[1]}, 2)
    (tmp_path / "photo.jpg").write_bytes(view(SCENES[1], 9))
    return tmp_path


def test_the_nearest_example_is_found_in_python(things: Path, application: Running) -> None:
    [source] = examples("python", TEACH)
    program = source.replace(ADDRESS, f"{application.url}/function/clip")
    assert run([sys.executable, "-W", "error", "-c", program], things) == "blue mug\n"


def test_the_nearest_example_is_found_in_javascript(things: Path, application: Running) -> None:
    [source] = examples("js", TEACH)
    # Node has no FileReader; everything else runs as in a browser.
    program = f"""
        import {{ readFileSync }} from "node:fs";
        globalThis.FileReader = class {{
          readAsDataURL(photo) {{
            this.result = "data:image/jpeg;base64," + photo.toString("base64");
            this.onload();
          }}
        }};
        {source.replace(ADDRESS, f"{application.url}/function/clip")}
        const known = [];
        for (const name of ["our cat", "blue mug"])
          known.push({{ name, embedding: await embedding(readFileSync(`my-things/${{name}}/0.jpg`)) }});
        console.log(nearest(await embedding(readFileSync("photo.jpg")), known).name);
    """
    node = Path(sys.executable).with_name("node")
    assert run([str(node), "--input-type=module", "--eval", program], things) == "blue mug\n"
