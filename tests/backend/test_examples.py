"""Learned things over HTTP: beside the words that a model knows, and alone."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.backend.asking import error_code, post, top
from tests.launch import PROJECT, local, run
from tests.things import SCENES, view, write_things

THINGS = {"our cat Chelsea": SCENES[0], "Blue, mug": SCENES[1], "brick": SCENES[4]}


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("taught")
    things = write_things(folder / "things", THINGS, 3)
    command = ("local.model_cache", "--model", "bundled", "--examples", str(things))
    first = run(*command, XDG_CACHE_HOME=str(folder / "cache"))
    assert first.returncode == 0, first.stderr
    assert "our cat Chelsea       3      3 of 3" in first.stderr
    again = run(*command, XDG_CACHE_HOME=str(folder / "cache"))
    assert again.stdout == first.stdout
    assert again.stderr == first.stderr.removeprefix("Learning the examples, once ...\n")
    (things / "brick" / "0.jpg").unlink()
    assert run(*command, XDG_CACHE_HOME=str(folder / "cache")).stdout != first.stdout
    return Path(first.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def url(taught: Path) -> Iterator[str]:
    with local("--model", str(taught)) as program:
        yield program.url + "/function/clip"


@pytest.mark.parametrize(("name", "scene"), THINGS.items())
@pytest.mark.parametrize("vocabulary", ["examples", "all"])
def test_a_thing_is_recognized_in_another_photo(url: str, name: str, scene: str, vocabulary: str) -> None:
    answer = post(url, view(scene, 9), params={"vocabulary": vocabulary})
    assert top(answer)[0] == name
    said = answer.json()
    assert said["recognized"]
    assert said["confidence"] > 0.7
    assert "instead" not in said
    assert len(said["predictions"]) == (3 if vocabulary == "examples" else 5)


def test_none_of_these(url: str) -> None:
    said = post(url, view(SCENES[3], 0), params={"vocabulary": "examples"}).json()
    assert not said["recognized"]
    assert said["confidence"] < 0.5
    everything = post(url, view(SCENES[3], 0), params={"vocabulary": "all"}).json()
    assert everything["predictions"][0]["label"] not in THINGS


def test_what_does_not_ask_for_things_is_answered_as_before(url: str, clip_url: str) -> None:
    for query in ({}, {"vocabulary": "everyday"}, {"labels": "cat,dog"}):
        before, after = (post(address, view(SCENES[0], 1), params=query).json() for address in (clip_url, url))
        assert after == before


def test_labels_may_name_things(url: str) -> None:
    query = {"labels": ["dog", "OUR CAT chelsea", "Blue, mug"]}
    ranked = top(post(url, view(SCENES[0], 9), params=query))
    assert ranked[0] == "our cat Chelsea"
    assert sorted(ranked) == ["Blue, mug", "dog", "our cat Chelsea"]
    assert top(post(url, view(SCENES[1], 9), params={"labels": ["Blue, mug", "our cat Chelsea"]}))[0] == "Blue, mug"
    assert error_code(post(url, view(SCENES[0], 9), params={"labels": "our cat Bella,dog"})) == "closed_vocabulary"


def test_a_thing_takes_the_place_of_a_word(url: str) -> None:
    answer = post(url, view(SCENES[4], 9), params={"vocabulary": "all", "top_k": 1000})
    assert [label.lower() for label in top(answer)].count("brick") == 1


def test_a_thing_is_found_in_the_photo(url: str) -> None:
    said = post(url, view(SCENES[0], 9), params={"vocabulary": "examples", "explain": 1}).json()
    assert said["explanation"]["label"] == "our cat Chelsea"
    assert max(map(max, said["explanation"]["grid"])) == 1


def test_the_description_names_them(url: str, clip_url: str) -> None:
    said = requests.get(url, timeout=10).json()
    assert sorted(said["examples"]) == sorted(THINGS)
    assert "examples" not in requests.get(clip_url, timeout=10).json()
    assert len(said["weights_sha256"]) == 64


def test_a_model_that_has_learned_nothing(clip_url: str) -> None:
    answer = post(clip_url, view(SCENES[0], 0), params={"vocabulary": "examples"})
    assert error_code(answer) == "bad_parameter"
    assert "make up EXAMPLES=" in answer.json()["error"]["message"]


def test_an_open_vocabulary_has_things_beside_any_words(exported: dict[str, Path], tmp_path: Path) -> None:
    things = write_things(tmp_path / "things", {"brick": SCENES[4], "cat": SCENES[0]}, 2)
    out = tmp_path / "out"
    ended = run(
        "backend.clip.export.teach", "--model", str(exported["vit"]), "--examples", str(things), "--out", str(out)
    )
    assert ended.returncode == 0, ended.stderr
    with local("--model", str(out)) as program:
        clip = program.url + "/function/clip"
        assert sorted(top(post(clip, view(SCENES[4], 9), params={"vocabulary": "examples"}))) == ["brick", "cat"]
        assert sorted(top(post(clip, view(SCENES[4], 9), params={"labels": "brick,a wall"}))) == ["a wall", "brick"]
        assert "brick" in top(post(clip, view(SCENES[4], 9), params={"vocabulary": "all", "top_k": 1000}))


@pytest.mark.parametrize(("examples", "message"), [("/none", "There is no /none"), (str(PROJECT / "docs"), "no photo")])
def test_examples_that_cannot_be_learned(tmp_path: Path, examples: str, message: str) -> None:
    ended = run("local.model_cache", "--model", "bundled", "--examples", examples, XDG_CACHE_HOME=str(tmp_path))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr
    shutil.rmtree(tmp_path)
