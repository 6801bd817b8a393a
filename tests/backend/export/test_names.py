"""The everyday words in other languages: each word has a name, and each name one word."""

from pathlib import Path

import pytest

from backend.clip.export.names import LANGUAGES, Names, read_names
from backend.clip.export.words import read_words

WORDS = read_words().names


def test_the_languages() -> None:
    assert {"de", "fr", "es", "zh-Hans", "zh-Hant", "ja", "ar"} <= set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_word_has_a_name_of_its_own(language: str) -> None:
    names = read_names(language, WORDS)
    assert len(names) == len(WORDS)
    assert all(len(set(map(str.casefold, each.all()))) == len(each.all()) for each in names)


@pytest.mark.parametrize(
    ("language", "word", "name"),
    [("de", "dog", "Hund"), ("fr", "cat", "chat"), ("es", "apple", "manzana"), ("ja", "dog", "犬"),
     ("ru", "cat", "кошка"), ("zh-Hans", "dog", "狗"), ("zh-Hant", "taxi", "計程車"), ("ar", "cat", "قطة")],
)  # fmt: skip
def test_names_that_are_known(language: str, word: str, name: str) -> None:
    assert name in read_names(language, WORDS)[WORDS.index(word)].all()


def test_a_line_has_a_plural_and_other_names(tmp_path: Path) -> None:
    (tmp_path / "de.txt").write_text("# German\ndog = Hund | Hunde / Haushund, Köter\ncat = Katze\n", encoding="utf-8")
    names = read_names("de", ("dog", "cat"), tmp_path)
    assert names == (Names("Hund", "Hunde", ("Haushund", "Köter")), Names("Katze", None, ()))
    assert names[0].all() == ("Hund", "Hunde", "Haushund", "Köter")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dog = Hund\n", "1 words, not 2"),
        ("cat = Katze\ndog = Hund\n", "cat stands where dog"),
        ("dog = Tier\ncat = tier\n", "tier stands for dog and cat"),
        ("dog = Hund\ncat = Katze | \n", "cannot be read: cat"),
        ("dog = Hund\ncat Katze\n", "cannot be read: cat"),
        ("dog = Ko\u0308ter\ncat = Katze\n", "not NFC"),
    ],
)
def test_what_cannot_be_right_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "de.txt").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_names("de", ("dog", "cat"), tmp_path)
