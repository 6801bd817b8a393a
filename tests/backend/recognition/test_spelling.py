"""Names that are spelled nearly right, against ``difflib`` alone."""

import random
from difflib import get_close_matches

import pytest

from backend.clip.export.words import read_words
from backend.clip.recognition.plurals import plurals
from backend.clip.recognition.spelling import Names

WORDS = read_words()
NAMES = Names([name, *also] for name, also in zip(WORDS.names, WORDS.also, strict=True))
SPELLED = {
    spelled: None
    for form in (lambda name: (name,), plurals)
    for name, also in zip(WORDS.names, WORDS.also, strict=True)
    for each in (name, *also)
    for spelled in form(each.casefold())
}


def mistyped(word: str, rng: random.Random) -> str:
    letters = list(word)
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(letters))
        letters[place : place + rng.randint(0, 2)] = rng.choices("aeiounstrlkü猫 ", k=rng.randint(0, 2))
        letters = letters or ["a"]
    return "".join(letters)


@pytest.mark.parametrize("seed", range(40))
def test_they_are_those_that_difflib_finds(seed: int) -> None:
    rng = random.Random(seed)
    name = mistyped(rng.choice(WORDS.names), rng)

    expected = get_close_matches(name.casefold()[:40], SPELLED, n=3, cutoff=0.75)

    assert NAMES.near(name) == list(dict.fromkeys(WORDS.names[NAMES.find(each)] for each in expected))


def test_a_word_that_is_spelled_right_is_the_nearest() -> None:
    for name in WORDS.names[::50]:
        assert NAMES.near(name.upper())[0] == name


@pytest.mark.parametrize("name", ["", "猫", "猫" * 200, "x" * 100_000, "\x00", "qwertzuiop"])
def test_nothing_is_near(name: str) -> None:
    assert NAMES.near(name) == []


def test_no_names_at_all() -> None:
    assert (Names([]).find("cat"), Names([]).near("cat")) == (-1, [])
