"""Names in 17 languages: every one in the lists is found again, however it is typed, and none is taken for another."""

# ruff: noqa: RUF001 - letters of other scripts
import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from backend.clip.errors import BadParameter
from backend.clip.export.cifar100 import LABELS
from backend.clip.export.languages import guarded_words
from backend.clip.export.names import LANGUAGES, Names, read_names
from backend.clip.export.words import read_words
from backend.clip.recognition.folding import fold
from backend.clip.recognition.languages import ENGLISH, Languages, Understood
from backend.clip.recognition.plurals import plurals
from backend.clip.recognition.vocabulary import Everyday
from tests.launch import PROJECT

MODEL = PROJECT / "backend" / "clip" / "model"
WORDS = read_words()


@pytest.fixture(scope="module")
def languages() -> Languages:
    return Languages(MODEL)


def listed(language: str) -> Iterator[tuple[str, Names]]:
    return zip(WORDS.names, read_names(language, WORDS.names), strict=True)


@cache
def english_names() -> frozenset[str]:
    names = {
        name.casefold()
        for names in zip([[word] for word in WORDS.names], WORDS.also, strict=True)
        for part in names
        for name in part
    }
    return frozenset(names | {plural for name in names for plural in plurals(name)})


def meaning(languages: Languages, label: str, language: str | None = None, preferred: str = ENGLISH) -> str:
    [found] = languages.understand([label], language, preferred, own=(), any_words=False)
    return found.label


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_name_plural_and_other_name_is_found_in_its_language(languages: Languages, language: str) -> None:
    wrong = [
        (word, name)
        for word, names in listed(language)
        for name in names.all()
        if languages.understand([name], language, language, own=(), any_words=True) != [Understood(word, language)]
    ]
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_name_is_found_in_capitals_and_in_other_forms_of_unicode(languages: Languages, language: str) -> None:
    def capitals(name: str) -> str:
        return name.replace("i", "İ").upper() if language == "tr" else name.upper()

    forms = [capitals, *(lambda name, form=form: unicodedata.normalize(form, name) for form in ("NFD", "NFKD", "NFKC"))]
    wrong = [
        (word, form(name))
        for form in forms
        for word, names in listed(language)
        for name in names.all()
        if meaning(languages, form(name), language) != word
    ]
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_language_a_name_is_english_or_means_its_word_or_is_refused(
    languages: Languages, language: str
) -> None:
    refused, total, wrong = 0, 0, []
    for word, names in listed(language):
        for name in names.all():
            total += 1
            try:
                found = languages.understand([name], None, ENGLISH, own=(), any_words=False)
            except BadParameter as error:
                refused += 1
                if not {language, *word.split()} <= set(re.findall(r"[\w-]+", str(error))):
                    wrong.append((word, name, str(error)))
            else:
                is_english = found == [Understood(name, ENGLISH)] and fold(name) in english_names()
                if found[0].label != word and not is_english:
                    wrong.append((word, name, found[0].label))
    assert wrong == []
    assert refused < total / 50


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_word_has_one_name_in_an_answer_by_which_it_is_found_again(languages: Languages, language: str) -> None:
    names = languages.names(language)
    assert list(names) == list(WORDS.names)
    assert len(set(names.values())) == len(names)
    assert [names[word] for word, _ in listed(language)] == [of.name for _, of in listed(language)]


def test_the_hundred_are_all_among_the_words() -> None:
    everyday = Everyday.read(MODEL, 1.0)
    assert [everyday.words[everyday.find(label)] for label in LABELS] == list(LABELS)
    assert all(len(everyday.languages.names(language)) == len(WORDS.names) for language in everyday.languages.codes)


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("Katze", "cat"), ("KATZEN", "cat"), ("hunde", "dog"),
        ("Küche", "kitchen"), ("KÜCHE", "kitchen"), ("Kuchen", "cake"), ("Kueche", "kitchen"),
        ("Ku\u0308che", "kitchen"),
        ("Strasse", "road"), ("STRASSE", "road"), ("Straße", "road"),
        ("KEDİ", "cat"), ("kedi", "cat"), ("İNEK", "cattle"), ("IRMAK", "river"),
        ("ёж", "hedgehog"), ("еж", "hedgehog"), ("ЁЖ", "hedgehog"),
        ("м’яч", "ball"), ("м'яч", "ball"), ("мʼяч", "ball"),
        ("أسد", "lion"), ("اسد", "lion"), ("أَسَد", "lion"), ("أســـد", "lion"), ("قطه", "cat"),
        ("साँप", "snake"), ("सांप", "snake"), ("घोड़ा", "horse"), ("घोडा", "horse"),
        ("リンゴ", "apple"), ("ﾘﾝｺﾞ", "apple"), ("りんご", "apple"), ("ＤＯＧ", "dog"),
        ("猫", "cat"), ("貓", "cat"), ("獵狐㹴", "fox terrier"), ("计程车", "taxi"), ("狗\u200b", "dog"),
        (unicodedata.normalize("NFD", "고양이"), "cat"), ("berger\u00a0 allemand", "German shepherd"),
    ],
)  # fmt: skip
def test_a_name_is_found_however_it_is_typed(languages: Languages, typed: str, word: str) -> None:
    assert meaning(languages, typed) == word


def test_accents_tell_names_apart(languages: Languages) -> None:
    assert meaning(languages, "Kuchen", "de") == "cake"
    assert meaning(languages, "Küchen", "de") == "kitchen"


@pytest.mark.parametrize(
    ("label", "language", "preferred", "word"),
    [
        ("Rock", "de", "en", "skirt"),
        ("Rock", None, "en", "Rock"),
        ("Rock", None, "de", "Rock"),
        ("Rock", "fr", "de", "Rock"),
        ("rock", "en", "de", "rock"),
        ("burro", "it", "en", "butter"),
        ("burro", "es", "it", "donkey"),
        ("burro", None, "it", "butter"),
        ("Katze", "fr", "en", "cat"),
        ("zzz", "de", "fr", "zzz"),
    ],
)
def test_what_has_several_meanings_is_taken_in_the_language_of_the_caller_then_in_english(
    languages: Languages, label: str, language: str | None, preferred: str, word: str
) -> None:
    assert meaning(languages, label, language, preferred) == word


def test_what_has_several_meanings_elsewhere_is_refused_with_all_of_them(languages: Languages) -> None:
    with pytest.raises(BadParameter) as caught:
        languages.understand(["apple", "burro"], None, ENGLISH, own=(), any_words=True)
    assert str(caught.value) == (
        "'burro' has several meanings, donkey in es, pt and butter in it: say which by lang=es or lang=it."
    )


def test_the_other_labels_say_which_language_it_is(languages: Languages) -> None:
    def understood(*labels: str, any_words: bool = False) -> list[str]:
        found = languages.understand(labels, None, ENGLISH, own=(), any_words=any_words)
        return [each.label for each in found]

    assert understood("burro", "gatto") == ["butter", "cat"]
    assert understood("burro", "perro") == ["donkey", "dog"]
    assert understood("cane", "gatto") == ["dog", "cat"]
    assert understood("chat", "chien", any_words=True) == ["cat", "dog"]
    with pytest.raises(BadParameter, match="burro"):
        understood("burro", "gatto", "Hund")


def test_an_english_word_stays_one_where_any_words_are_understood(languages: Languages) -> None:
    labels = ["red", "green", "chat", "pain", "a cat on a mat"]
    found = languages.understand(labels, None, "fr", own=(), any_words=True)
    assert [each.label for each in found] == labels
    closed = languages.understand(["chat"], None, ENGLISH, own=(), any_words=False)
    assert closed == [Understood("cat", "fr")]


def test_the_guarded_words_are_needed_and_no_everyday_words() -> None:
    foreign = {name.casefold() for language in LANGUAGES for _, names in listed(language) for name in names.all()}
    words = guarded_words()
    assert sorted(set(words)) == list(words)
    assert [word for word in words if word in english_names() or word not in foreign] == []


def test_own_labels_of_a_model_stay_as_they_are(languages: Languages) -> None:
    assert languages.understand(["Katze"], None, ENGLISH, own={"katze"}, any_words=True) == [Understood("Katze", "en")]


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("de", "de"), ("DE", "de"), ("de-AT", "de"), ("pt-BR", "pt"), ("pt_BR", "pt"), ("en-GB", "en"),
        ("zh", "zh-Hans"), ("zh-CN", "zh-Hans"), ("zh-SG", "zh-Hans"), ("zh-Hans-TW", "zh-Hans"), ("zh-TW", "zh-Hant"),
        ("zh-HK", "zh-Hant"), ("zh-MO", "zh-Hant"), ("zh-Hant-CN", "zh-Hant"), ("ZH-HANT", "zh-Hant"),
        ("sv", None), ("", None), ("*", None), ("-", None), ("../../etc/passwd", None), ("d", None), ("deu", None),
    ],
)  # fmt: skip
def test_the_language_of_a_tag(languages: Languages, tag: str, language: str | None) -> None:
    assert languages.match(tag) == language


@pytest.mark.parametrize(
    ("typed", "word"),
    [("Kaze", "Katze"), ("Hundd", "Hund"), ("pomm", "pomme"), ("gattto", "gatto"), ("собка", "собака"),
     ("köpk", "köpek"), ("flamnigo", "flamingo")],
)  # fmt: skip
def test_a_word_that_is_misspelt_has_a_suggestion_in_its_language(typed: str, word: str) -> None:
    assert word in Everyday.read(MODEL, 1.0).near(typed)


def test_a_folder_without_languages_knows_english(tmp_path: Path) -> None:
    languages = Languages(tmp_path)
    assert languages.codes == ("en",)
    assert languages.match("de") is None
    assert meaning(languages, "Katze") == "Katze"
    assert languages.like("Katze") == {}


HOSTILE = {
    "accents without end": "a" + "\u0323\u0301" * 99,
    "accents in the wrong order": "u" + "\u0301\u0323" * 25,
    "one sign that becomes eighteen": "\ufdfa" * 200,
    "marks of direction": "\u202e" * 100 + "Katze",
    "a tab and a line": "katze\tde:0\nhund",
    "the keys' own signs": "katze ~ : -1",
    "a character outside of all planes in use": "\U0010ffff" * 10,
    "nothing that is seen": "\u200b" * 10,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_no_name_stays_as_it_is(languages: Languages, text: str) -> None:
    assert meaning(languages, text) == text
    assert isinstance(languages.like(text[:40]), dict)
