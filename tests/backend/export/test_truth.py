"""What is right for the pictures of the public sets, and how they are divided."""

from collections import defaultdict
from typing import Any

import pytest

from backend.clip.export.cifar100 import LABELS
from backend.clip.export.public_sets import Pictures
from backend.clip.export.truth import PARTS, Truth, Verdict, sample
from backend.clip.export.words import read_words

CALTECH = ("beaver", "brontosaurus", "chair", "crab", "Faces", "joshua_tree", "lamp", "stegosaurus", "windsor_chair")
OTHERS = ("accordion", "anchor", "barrel", "yin_yang")
PETS = ("Beagle, dog", "Bombay, cat", "Persian, cat", "Pug, dog")


@pytest.fixture(scope="module")
def truth() -> Truth:
    return Truth(read_words())


def pictures(name: str, classes: tuple[str, ...], each: int) -> Pictures:
    def no_picture(index: int) -> Any:
        raise AssertionError(index)

    return Pictures(name, tuple(name for name in classes for _ in range(each)), no_picture)


@pytest.mark.parametrize(
    ("source", "name", "label", "verdict"),
    [
        ("caltech101", "windsor_chair", "chair", "right"),
        ("caltech101", "windsor_chair", "couch", "wrong"),
        ("caltech101", "brontosaurus", "dinosaur", "right"),
        ("caltech101", "Faces", "man", "unclear"),
        ("caltech101", "joshua_tree", "palm tree", "unclear"),
        ("caltech101", "Motorbikes", "vehicle", "right"),
        ("caltech101", "yin_yang", "chair", "wrong"),
        ("pets", "Beagle, dog", "beagle", "right"),
        ("pets", "Beagle, dog", "dog", "right"),
        ("pets", "Beagle, dog", "cat", "wrong"),
        ("pets", "Bombay, cat", "cat", "right"),  # the breed is not an everyday word
        ("pets", "Bombay, cat", "Persian cat", "unclear"),
        ("pets", "Persian, cat", "Persian cat", "right"),
        ("dtd", "cobwebbed", "spider web", "right"),
        ("dtd", "freckled", "texture", "right"),
        ("dtd", "freckled", "leopard", "wrong"),
        ("cifar100", "aquarium fish", "aquarium fish", "right"),
        ("cifar100", "aquarium fish", "shark", "wrong"),
    ],
)
def test_a_label_is_right_for_its_things_and_their_kinds(
    source: str, name: str, label: str, verdict: str, truth: Truth
) -> None:
    assert truth.verdict(label, truth.shown(source, name)) is Verdict(verdict)


def test_each_of_the_hundred_is_right_for_its_own_class_alone(truth: Truth) -> None:
    for name in LABELS:
        right = [label for label in LABELS if truth.verdict(label, truth.shown("cifar100", name)) is Verdict.RIGHT]
        assert right == [name]


def test_no_class_and_no_thing_is_in_both_parts(truth: Truth) -> None:
    sets = [
        pictures("cifar100", LABELS, 30),
        pictures("caltech101", CALTECH + OTHERS, 50),
        pictures("pets", PETS, 40),
        pictures("dtd", ("banded", "bumpy"), 3),
    ]
    chosen = sample(sets, truth, LABELS)

    parts = defaultdict(set)
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for picture in chosen:
        counts[picture.source, picture.shows] += 1
        named = [label for label in LABELS if truth.verdict(label, picture.words) is Verdict.RIGHT]
        parts[named[0] if named else (picture.source, picture.shows)].add(picture.part)
    assert all(len(of_thing) == 1 for of_thing in parts.values())
    assert len({(picture.source, picture.position) for picture in chosen}) == len(chosen)
    assert {counts["cifar100", "apple"], counts["caltech101", "chair"], counts["pets", "Pug, dog"]} == {20, 40, 30}
    assert counts["dtd", "banded"] == 3
    for source, kinds in (
        ("caltech101", ("beaver", "brontosaurus", "chair", "crab")),
        ("caltech101", OTHERS),
        ("pets", PETS),
    ):
        found = [picture.part for picture in chosen if picture.source == source and picture.shows in kinds]
        assert found.count(PARTS[0]) == found.count(PARTS[1])
    assert chosen == sample(sets, truth, LABELS)
