"""How everyday words are found by name, and what competes with a candidate."""

import json
from pathlib import Path

import numpy as np
import pytest

from backend.clip.export.cifar100 import LABELS
from backend.clip.export.vocabulary import vocabulary
from backend.clip.export.words import read_words
from backend.clip.recognition.candidates import NO_EMBEDDINGS, Candidates, View
from backend.clip.recognition.vocabulary import Everyday, FineClasses

FINE = 1000 + len(LABELS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("words")
    vocabulary(FINE).write(folder)
    return folder


@pytest.fixture(scope="module")
def everyday(folder: Path) -> Everyday:
    return Everyday.read(folder, 1.0)


def view_of(**classes: float) -> View:
    """An image in which these fine classes have these probabilities, and all others the same small one."""
    probabilities = np.full(FINE, 1e-6)
    for name, probability in classes.items():
        probabilities[int(name.removeprefix("class"))] = probability
    return View(np.zeros(1, np.float32), np.log(probabilities) + 7)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("dog", "dog"), ("DOG", "dog"), ("dogs", "dog"), ("puppies", "dog"), ("Cats", "cat"), ("kitten", "cat"),
        ("wolves", "wolf"), ("leaves", None), ("mice", "mouse"), ("geese", "goose"), ("buses", "bus"),
        ("butterflies", "butterfly"), ("foxes", "fox"), ("men", "man"), ("women", "woman"), ("children", "child"),
        ("people", "person"), ("glasses", "glasses"), ("sunglasses", "sunglasses"), ("phone", "telephone"),
        ("smartphone", "cell phone"), ("aeroplane", "airplane"), ("volcanoes", "volcano"), ("knives", "knife"),
        ("T-shirts", "T-shirt"), ("hot dogs", "hot dog"), ("thing", None), ("", None), ("s", None),
    ],
)  # fmt: skip
def test_a_word_is_found_in_any_case_and_number(name: str, word: str | None, everyday: Everyday) -> None:
    position = everyday.find(name)

    assert (everyday.words[position] if position >= 0 else None) == word


def test_all_names_of_all_words_are_found(everyday: Everyday) -> None:
    words = read_words()
    for i, name in enumerate(words.names):
        if words.classes(i):
            assert [everyday.words[everyday.find(each)] for each in (name, *words.also[i])] == [name] * (
                1 + len(words.also[i])
            )


def test_labels_are_grouped_for_people(everyday: Everyday) -> None:
    groups = everyday.groups([*LABELS, "my own thing"])

    assert sorted(label for group in groups.values() for label in group) == sorted([*LABELS, "my own thing"])
    assert groups["food"] == ["apple", "orange", "pear", "sweet pepper"]
    assert groups["kitchenware"] == ["bowl", "cup", "plate"]
    assert set(groups["other"]) == {"clock", "lawn mower", "mushroom", "road", "my own thing"}
    assert next(iter(groups)) == "animal"


def test_near_names(everyday: Everyday) -> None:
    assert everyday.near("flamnigo") == ["flamingo"]
    assert "elephant" in everyday.near("elefant")
    assert everyday.near("qwertzuiop") == []


def test_the_path_of_a_word_leads_to_it_from_the_most_general(everyday: Everyday) -> None:
    def path(word: str) -> list[str]:
        return [everyday.words[above] for above in everyday.path(everyday.find(word))]

    assert path("beagle") == ["animal", "mammal", "dog"]
    assert path("crab") == ["animal", "shellfish"]  # it is seafood as well, but stands in the outline here
    assert path("animal") == []


def test_everything_has_each_word_once_under_the_name_of_the_label(everyday: Everyday) -> None:
    own = everyday.named(["puppy", "apple"], NO_EMBEDDINGS)

    every = everyday.everything(own)

    assert every.labels[:2] == ["puppy", "apple"]
    assert sorted(every.words.tolist()) == list(range(len(everyday.words)))
    assert set(every.labels) == {*everyday.words, "puppy"} - {"dog"}


def test_a_word_has_the_probability_of_its_classes_together(everyday: Everyday) -> None:
    logits = everyday.logits(view_of(class207=0.3, class208=0.2, class281=0.1))

    dog, cat, retriever = (np.exp(logits[everyday.find(word)] - 7) for word in ("dog", "cat", "golden retriever"))
    assert dog == pytest.approx(0.5, abs=1e-3)
    assert cat == pytest.approx(0.1, abs=1e-3)
    assert retriever == pytest.approx(0.3, abs=1e-3)


@pytest.mark.parametrize(
    ("word", "classes", "competing"),
    [
        ("dog", [151, 268], [269, 281, 0]),
        ("apple", [948, 1000], [950, 949, 1057]),
        ("fruit", [948, 950], [937, 963]),
        ("spider", [72, 70, 815], [71, 309]),
    ],
)
def test_what_may_be_called_by_the_word_does_not_compete(
    word: str, classes: list[int], competing: list[int], everyday: Everyday
) -> None:
    view = View(np.zeros(1, np.float32), np.arange(FINE, dtype=np.float64))
    candidates = Candidates([word, "bus"], np.array([everyday.find(word), everyday.find("bus")]), NO_EMBEDDINGS)
    words = everyday.logits(view)

    best, rivals = everyday.rivals(view, words, candidates, words[candidates.words], 0)

    assert best == words[everyday.find(word)]
    assert not set(classes) & set(rivals.tolist())
    assert set(competing) <= set(rivals.tolist())
    assert isinstance(everyday, FineClasses)


def test_a_word_of_many_classes_is_not_chosen_for_their_number(everyday: Everyday) -> None:
    view = View(np.zeros(1, np.float32), np.zeros(FINE))
    candidates = everyday.chosen(everyday.named(["dog", "cat"], NO_EMBEDDINGS))
    dog, cat = everyday.logits(view)[candidates.words]
    lifted_dog, lifted_cat = everyday.logits(view)[candidates.words] + candidates.offsets
    assert 0 < lifted_dog - lifted_cat == pytest.approx((dog - cat) / 2)


def test_a_related_word_does_not_compete_by_its_embedding(tmp_path: Path) -> None:
    known = vocabulary()
    embeddings = np.random.default_rng(0).normal(size=(len(known.words), 32)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    known.write(tmp_path, embeddings)
    everyday = Everyday.read(tmp_path, 10.0)
    names = ["dog", "poodle", "cat", "my own dog"]
    words = np.array([everyday.find(name) for name in names])
    own = np.stack([*embeddings[words[:3]], embeddings[words[0]]])
    candidates = Candidates(names, words, own)
    view = View(embeddings[words[0]], np.empty(0))
    logits = np.array([4.0, 3.0, 2.0, 1.0])

    best, rivals = everyday.rivals(view, everyday.logits(view), candidates, logits, 0)

    # The poodle is a dog, and the label that is not a word has the dog's own embedding; only the cat competes.
    assert best == 4
    assert set(logits.tolist()) & set(rivals.tolist()) == {2}
    related = int(read_words().related[read_words().index("dog")].sum())
    assert len(rivals) == len(known.words) - related - 1 + 1  # the word cat competes once, as a candidate

    best, rivals = everyday.rivals(view, everyday.logits(view), candidates, logits, 3)

    # A label that is not a word does not compete with the two in a hundred words that are nearest to it.
    assert best == 1
    assert len(rivals) == pytest.approx(0.98 * len(known.words), abs=3)
    assert set(logits.tolist()) & set(rivals.tolist()) == {3, 2}


@pytest.mark.parametrize("key", ["word", "also", "height", "above", "group", "related", "classes", "compatible"])
def test_words_of_another_version_are_refused_when_they_are_read(key: str, folder: Path, tmp_path: Path) -> None:
    words = json.loads((folder / "everyday.json").read_text(encoding="utf-8"))
    del words["words"][-1][key]
    (tmp_path / "everyday.json").write_text(json.dumps(words), encoding="utf-8")
    with pytest.raises(ValueError, match=r"everyday\.json was exported by another version: export the model again"):
        Everyday.read(tmp_path, 1.0)
