from pathlib import Path

import numpy as np
import pytest
from timm.data.imagenet_info import ImageNetInfo

from backend.clip.export.cifar100 import LABELS
from backend.clip.export.words import IMAGENET_CLASSES, Words, read_words


@pytest.fixture(scope="module")
def words() -> Words:
    return read_words()


def related(words: Words, one: str, other: str) -> bool:
    return bool(words.related[words.index(one), words.index(other)])


def write(folder: Path, text: str) -> Path:
    path = folder / "words.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_thousand_words_and_more_have_a_class_of_imagenet(words: Words) -> None:
    known = [name for i, name in enumerate(words.names) if min(words.classes(i), default=9999) < IMAGENET_CLASSES]
    assert len(known) >= 1000


def test_every_class_of_imagenet_and_every_label_belongs_to_a_word(words: Words) -> None:
    assert frozenset().union(*words.own) == set(range(IMAGENET_CLASSES + len(LABELS)))
    assert set(LABELS) <= set(words.names)


def test_names_are_plain_and_stand_for_one_word(words: Words) -> None:
    names = [name for i, name in enumerate(words.names) for name in (name, *words.also[i])]
    assert len({name.casefold() for name in names}) == len(names)
    assert all(name.strip() == name and "," not in name for name in names)


@pytest.mark.parametrize(
    "general", ["dog", "cat", "bird", "fish", "car", "truck", "airplane", "boat", "person", "food", "fruit", "flower",
                "tree", "building", "shoe", "hat", "guitar", "animal", "plant", "vehicle"],
)  # fmt: skip
def test_general_words_have_kinds(words: Words, general: str) -> None:
    assert words.height[words.index(general)] >= 1


def test_the_classes_of_dog_are_those_that_wordnet_has_below_dog(words: Words) -> None:
    # ILSVRC-2012 has the breeds in a row: Chihuahua (151) to Mexican hairless (268).
    assert words.classes(words.index("dog")) == tuple(range(151, 269))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("apple", "green apple"), ("apple", "fruit"), ("apple", "food"), ("bottle", "beer bottle"), ("fox", "red fox"),
        ("trout", "fish"), ("trout", "animal"), ("cup", "espresso"), ("telephone", "cell phone"), ("boy", "person"),
        ("spider", "spider web"), ("crab", "food"), ("dolphin", "killer whale"), ("house", "building"),
        ("keyboard", "space bar"), ("streetcar", "vehicle"), ("cloud", "sky"),
    ],
)  # fmt: skip
def test_words_of_the_same_thing_do_not_compete(words: Words, one: str, other: str) -> None:
    assert related(words, one, other)
    assert related(words, other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("apple", "pear"), ("cat", "dog"), ("wolf", "husky"), ("leopard", "jaguar"), ("mouse", "computer mouse"),
        ("trout", "shark"), ("seal", "dolphin"), ("man", "woman"), ("raccoon", "badger"), ("orange", "lemon"),
        ("bus", "truck"), ("clock", "watch"), ("beaver", "otter"), ("can", "milk can"),
    ],
)  # fmt: skip
def test_words_of_different_things_compete(words: Words, one: str, other: str) -> None:
    assert not related(words, one, other)


def test_a_class_competes_unless_a_related_word_has_it(words: Words) -> None:
    apple, spider = words.index("apple"), words.index("spider")
    assert words.classes(apple) == (948, IMAGENET_CLASSES + LABELS.index("apple"))
    assert set(words.compatible(spider)) - set(words.classes(spider)) == {70, 815}  # harvestman, spider web


def test_no_class_is_given_to_a_word_that_has_nothing_to_do_with_its_name(words: Words) -> None:
    """WordNet's names and definitions of a class as the oracle: most words are among the names that it has."""
    info = ImageNetInfo()
    named = 0
    for i in range(len(words.names)):
        own = {name.casefold().replace("-", " ") for name in (words.names[i], *words.also[i])}
        for position in words.own[i]:
            if position < IMAGENET_CLASSES:
                wordnet = info.index_to_description(position, detailed=True).casefold().replace("-", " ")
                named += any(name in wordnet or name.removesuffix("s") in wordnet for name in own)
    assert named >= 0.95 * IMAGENET_CLASSES


def test_height_counts_the_levels_below(tmp_path: Path) -> None:
    words = read_words(write(tmp_path, "a\n  b / bee, B = 3-5\n    c = 9 < d\nd ~ a\n"))
    assert words.names == ("a", "b", "c", "d")
    assert words.also == ((), ("bee", "B"), (), ())
    assert words.height.tolist() == [2, 1, 0, 1]
    assert words.classes(0) == (3, 4, 5, 9)
    assert words.classes(3) == (9,)
    assert words.related[words.index("d")].all()
    assert np.array_equal(words.related, words.related.T)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\n    b\n", "line 2: cannot be read: b"),
        ("a = x\n", "line 1: cannot be read"),
        ("a\n  b\na\n", "stand for two words: a"),
        ("a / b\nb\n", "stand for two words: b"),
        ("a < z\n", "a refers to a word that is not there"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_words(write(tmp_path, text))
