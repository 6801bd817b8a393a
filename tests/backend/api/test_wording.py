"""Over HTTP: in which language a request is understood and answered, and that nobody else notices."""

# ruff: noqa: RUF001 - letters of other scripts
import base64
from functools import cache
from typing import Any
from urllib.parse import quote

import pytest
import requests

from backend.clip.export.cifar100 import LABELS
from backend.clip.export.names import LANGUAGES, read_names
from backend.clip.export.words import read_words
from tests.backend.asking import error_code, post, top
from tests.functions import clip
from tests.launch import PROJECT

PHOTO = (PROJECT / "docs" / "photos" / "coffee.jpg").read_bytes()
CODES = ["en", *LANGUAGES]
WORDS = read_words().names


@cache
def names_in(language: str) -> dict[str, str]:
    return {word: names.name for word, names in zip(WORDS, read_names(language, WORDS), strict=True)}


def name_of(word: str, language: str) -> str:
    return names_in(language)[word]


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_is_in_the_language_that_is_asked_for(clip_url: str, language: str) -> None:
    english = post(clip_url, PHOTO, params={"top_k": "100"}).json()
    answer = post(clip_url, PHOTO, params={"top_k": "100", "lang": language})

    assert answer.headers["Content-Language"] == language
    assert answer.headers["Vary"] == "Accept-Language"
    predictions = answer.json()["predictions"]
    assert sorted(each["label_en"] for each in predictions) == sorted(LABELS)
    assert [list(each) for each in predictions] == [["label", "label_en", "score"]] * 100
    assert [each["label"] for each in predictions] == [
        name_of(each["label"], language) for each in english["predictions"]
    ]
    assert [{"label": each["label_en"], "score": each["score"]} for each in predictions] == english["predictions"]


@pytest.mark.parametrize("params", [{}, {"lang": "en"}, {"lang": ""}, {"lang": "en-GB"}])
def test_an_answer_in_english_is_what_it_was(clip_url: str, params: dict[str, str]) -> None:
    answer = post(clip_url, PHOTO, params={"top_k": "1", "explain": "1", "labels": "dog,cat", **params})

    assert answer.headers["Content-Language"] == "en"
    assert answer.headers["Vary"] == "Accept-Language"
    said = answer.json()
    assert said["predictions"] == [{"label": "dog", "score": said["predictions"][0]["score"]}]
    assert said["instead"].keys() == {"label", "confidence"}
    assert said["explanation"].keys() == {"label", "grid", "area"}


def test_every_label_of_an_answer_is_translated(clip_url: str) -> None:
    params = {"labels": "dog", "explain": "dog", "lang": "de"}
    said = post(clip_url, PHOTO, params=params).json()
    assert said["predictions"][0].items() >= {"label": "Hund", "label_en": "dog"}.items()
    assert said["instead"].items() >= {"label": "Espresso", "label_en": "espresso"}.items()
    assert (said["explanation"]["label"], said["explanation"]["label_en"]) == ("Hund", "dog")
    several = {"a": PHOTO, "b": PHOTO, "c": b"no photo"}
    results = requests.post(clip_url, files=several, data={"lang": "de", "top_k": "1"}, timeout=60)
    assert results.headers["Content-Language"] == "de"
    *good, bad = results.json()["results"]
    assert [each["predictions"][0]["label"] for each in good] == ["Tasse"] * 2
    assert bad["error"]["code"] == "unsupported_image"
    text = post(clip_url, PHOTO, params={"lang": "ja", "top_k": "1"}, headers={"Accept": "text/plain"})
    assert text.text.partition("\t")[0] == "カップ"
    assert text.headers["Content-Language"] == "ja"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("de", "de"), ("de-AT,de;q=0.9,en;q=0.8", "de"), ("en-US,en;q=0.9,de;q=0.8", "en"),
        ("en;q=0.5, de;q=0.7", "de"),
        ("sv, nb;q=0.9, fr;q=0.1", "fr"), ("sv", "en"), ("*", "en"), ("de;q=0", "en"), ("de;q=0, fr;q=0.1", "fr"),
        ("*;q=0.9, it;q=0.2", "it"), ("zh-TW, zh;q=0.9", "zh-Hant"), ("zh-CN", "zh-Hans"), ("pt-BR", "pt"),
        ("", "en"), (";;;,,,=", "en"), ("de;q=nonsense", "en"), ("../../etc/passwd", "en"), ("de" * 512, "en"),
        (",".join(["de;q=0.1"] * 100), "de"),
    ],
)  # fmt: skip
def test_the_language_that_a_browser_prefers(clip_url: str, header: str, language: str) -> None:
    answer = post(clip_url, PHOTO, params={"top_k": "1"}, headers={"Accept-Language": header})
    assert answer.headers["Content-Language"] == language
    assert top(answer) == ["cup" if language == "en" else name_of("cup", language)]


def test_the_parameter_goes_before_the_header(clip_url: str) -> None:
    answer = post(clip_url, PHOTO, params={"top_k": "1", "lang": "it"}, headers={"Accept-Language": "de"})
    assert (answer.headers["Content-Language"], top(answer)) == ("it", [name_of("cup", "it")])
    answer = post(clip_url, PHOTO, params={"top_k": "1", "lang": "en"}, headers={"Accept-Language": "de"})
    assert (answer.headers["Content-Language"], top(answer)) == ("en", ["cup"])


@pytest.mark.parametrize("tag", ["xx", "../../etc/passwd", "de\0", "d" * 300, "*", "de,fr", "Deutsch"])
def test_a_language_that_there_is_not_is_refused_with_those_that_there_are(clip_url: str, tag: str) -> None:
    for answer in (post(clip_url, PHOTO, params={"lang": tag}), requests.get(clip_url, {"lang": tag}, timeout=60)):
        assert (answer.status_code, error_code(answer)) == (400, "bad_parameter")
        assert f"lang must be one of {', '.join(CODES)}, not '" in answer.json()["error"]["message"]
        assert len(answer.json()["error"]["message"]) < 250
    assert post(clip_url, PHOTO, params={"lang": ["de", "fr"]}).status_code == 400


def test_a_header_that_is_too_long_is_refused_before_anything_reads_it(clip_url: str) -> None:
    answer = post(clip_url, PHOTO, headers={"Accept-Language": "de," * 2700})
    assert (answer.status_code, error_code(answer)) == (431, "headers_too_large")


def test_own_words_come_back_as_they_were_sent(clip_url: str) -> None:
    plain = post(clip_url, PHOTO, params={"labels": "cat,dog"}).json()

    def said(labels: str, language: str = "", header: str = "") -> tuple[list[tuple[str, str | None]], str]:
        headers = {"Accept-Language": header} if header else {}
        answer = post(clip_url, PHOTO, params={"labels": labels, "lang": language}, headers=headers).json()
        assert [each["score"] for each in answer["predictions"]] == [each["score"] for each in plain["predictions"]]
        assert answer["confidence"] == plain["confidence"]
        return [(each["label"], each.get("label_en")) for each in answer["predictions"]], answer["instead"]["label"]

    assert said("cat,dog") == ([("dog", None), ("cat", None)], "espresso")
    assert said("Katze,HUNDE") == ([("HUNDE", "dog"), ("Katze", "cat")], "espresso")
    assert said("Katze,HUNDE", header="fr") == ([("HUNDE", "dog"), ("Katze", "cat")], "expresso")
    assert said("cat,dog", header="de") == ([("dog", None), ("cat", None)], "Espresso")
    assert said("cat,dog", "de") == ([("Hund", "dog"), ("Katze", "cat")], "Espresso")
    assert said("Katze,HUNDE", "de") == ([("HUNDE", "dog"), ("Katze", "cat")], "Espresso")
    assert said("Katze,HUNDE", "en") == ([("dog", None), ("cat", None)], "espresso")
    assert said("gatto,perro", "pl") == ([("pies", "dog"), ("kot", "cat")], "espresso")
    assert said("Katze,dog,gatto,chien") == ([("dog", None), ("Katze", "cat")], "espresso")


@pytest.mark.parametrize(
    "labels",
    ["chat,chien", "gatto,cane", "gato,perro", "kat,hond", "kedi,köpek", "кошка,собака", "кіт,собака", "قطة,كلب",
     "बिल्ली,कुत्ता", "kucing,anjing", "猫,犬", "고양이，강아지", "猫、狗", "貓,狗", "ﻗﻄﺔ، كلب"],
)  # fmt: skip
def test_cats_and_dogs_in_every_language(clip_url: str, labels: str) -> None:
    predictions = post(clip_url, PHOTO, params={"labels": labels}).json()["predictions"]
    assert [each["label_en"] for each in predictions] == ["dog", "cat"]


def test_a_word_with_several_meanings(clip_url: str, open_clip_url: str) -> None:
    for url in (clip_url, open_clip_url):
        answer = post(url, PHOTO, params={"labels": "burro,apple"})
        assert (answer.status_code, error_code(answer)) == (400, "bad_parameter")
        assert "donkey in es, pt and butter in it" in answer.json()["error"]["message"]
    answer = post(clip_url, PHOTO, params={"labels": "Mäuse,Maus", "lang": "de"})
    assert answer.json()["predictions"] == [{"label": "Mäuse", "label_en": "mouse", "score": 1.0}]


def test_what_is_not_known_has_suggestions_in_its_language(clip_url: str) -> None:
    answer = post(clip_url, PHOTO, params={"labels": "Katze,Hundd"})
    assert (answer.status_code, error_code(answer)) == (422, "closed_vocabulary")
    assert "does not know: Hundd (near: Hund" in answer.json()["error"]["message"]


def test_an_open_vocabulary_is_asked_in_english_and_answers_in_the_callers_words(open_clip_url: str) -> None:
    def said(labels: str, **params: str) -> list[tuple[str, float]]:
        predictions = post(open_clip_url, PHOTO, params={"labels": labels, **params}).json()["predictions"]
        return [(each["label"], each["score"]) for each in predictions]

    english = dict(said("cat,dog,my own thing"))
    german = dict(said("Katze,Hund,my own thing"))
    assert german == {"Katze": english["cat"], "Hund": english["dog"], "my own thing": english["my own thing"]}
    assert dict(said("cat,dog,my own thing", lang="uk")) == {
        name_of("cat", "uk"): english["cat"], name_of("dog", "uk"): english["dog"],
        "my own thing": english["my own thing"],
    }  # fmt: skip
    # A "chat" is a cat in French, and what it says to a model that takes any words.
    assert dict(said("chat,green")).keys() == {"chat", "green"}
    predictions = post(open_clip_url, PHOTO, params={"labels": "chat,green"}).json()["predictions"]
    assert all("label_en" not in each for each in predictions)
    [cat] = post(open_clip_url, PHOTO, params={"labels": "chat", "lang": "fr"}).json()["predictions"]
    assert (cat["label"], cat["label_en"]) == ("chat", "cat")


def test_hugging_faces_form_understands_them_too(clip_url: str) -> None:
    body = {"inputs": base64.b64encode(PHOTO).decode(), "parameters": {"candidate_labels": ["Katze", "Hund"]}}
    answer = requests.post(clip_url, json=body, headers={"Accept-Language": "fr"}, timeout=60).json()
    assert [each["label"] for each in answer] == ["Hund", "Katze"]
    assert all(each.keys() == {"label", "score"} for each in answer)


@pytest.mark.parametrize("asked", [{"params": {"lang": "zh-TW"}}, {"headers": {"Accept-Language": "zh-HK"}}])
def test_the_description_has_both_languages(clip_url: str, asked: dict[str, Any]) -> None:
    english = requests.get(clip_url, timeout=60)
    answer = requests.get(clip_url, timeout=60, **asked)

    assert english.headers["Content-Language"] == "en"
    assert answer.headers["Content-Language"] == "zh-Hant"
    assert english.headers["Vary"] == answer.headers["Vary"] == "Accept-Language"
    plain, said = english.json(), answer.json()
    assert plain["languages"] == said["languages"] == CODES
    assert said.keys() - plain.keys() == {"labels_en", "everyday_en", "groups_en"}
    for name in ("labels", "everyday", "groups"):
        assert said[f"{name}_en"] == plain[name]
    for name in ("labels", "everyday"):
        assert said[name] == [name_of(word, "zh-Hant") for word in plain[name]]
        assert len(set(said[name])) == len(plain[name])
    assert [len(group) for group in said["groups"].values()] == [len(group) for group in plain["groups"].values()]
    assert said["groups"][name_of("animal", "zh-Hant")][0] == name_of(plain["groups"]["animal"][0], "zh-Hant")


def test_a_page_of_another_site_may_read_it() -> None:
    with clip(allow_origins="https://one.example") as running:
        answer = post(running.url, PHOTO, params={"lang": "de"}, headers={"Origin": "https://one.example"})
        assert answer.headers["Vary"] == "Accept-Language, Origin"
        assert answer.headers["Access-Control-Expose-Headers"] == "*"


def test_a_thousand_labels_in_chinese(clip_url: str, open_clip_url: str) -> None:
    names = [name for of in read_names("zh-Hans", WORDS) for name in of.all()][:1000]
    unknown = [f"{one}{other}的东西" for one in names[:40] for other in names[:25]]
    form = [("labels", (None, name)) for name in names]
    answer = requests.post(open_clip_url, files=[*form, ("a", ("a.jpg", PHOTO))], timeout=60)
    assert answer.status_code == 200
    assert all(each["label"] in names for each in answer.json()["predictions"])
    form = [("labels", (None, name)) for name in unknown]
    answer = requests.post(clip_url, files=[*form, ("a", ("a.jpg", PHOTO))], timeout=60)
    assert (answer.status_code, error_code(answer)) == (422, "closed_vocabulary")


@pytest.mark.parametrize(
    "label",
    ["a" + "\u0323\u0301" * 99, "u" + "\u0301\u0323" * 25, "\ufdfa" * 200, "\u202e" * 100 + "Katze", "катзе\u0000",
     "\U0010ffff" * 10, "\u200b\u200b", "katze\tde:0", "~:-1"],
)  # fmt: skip
def test_labels_made_to_break_it_are_refused_as_unknown(clip_url: str, label: str) -> None:
    answer = requests.post(f"{clip_url}?labels={quote(label)}", PHOTO, timeout=60)
    assert (answer.status_code, error_code(answer)) == (422, "closed_vocabulary")


def test_what_is_explained_may_be_named_in_any_language(clip_url: str) -> None:
    def explanation(explain: str, **params: str) -> tuple[str, str | None]:
        answer = post(clip_url, PHOTO, params={"explain": explain, **params})
        assert answer.status_code == 200, answer.text
        said = answer.json()["explanation"]
        return said["label"], said.get("label_en")

    assert explanation("Hund") == ("Hund", "dog")
    assert explanation("Hunde", labels="Katze,Hund") == ("Hund", "dog")
    assert explanation("perro", labels="Katze,Hund", lang="de") == ("Hund", "dog")
    assert explanation("dog", labels="cat,dog") == ("dog", None)
    answer = post(clip_url, PHOTO, params={"explain": "burro"})
    assert (answer.status_code, error_code(answer)) == (400, "bad_parameter")


def test_what_a_model_does_not_know_is_called_as_the_caller_calls_it(clip_url: str) -> None:
    everyday = requests.get(clip_url, timeout=60).json()["everyday"]
    missing = next(word for word in WORDS if word not in everyday and name_of(word, "de").isalpha())
    name = name_of(missing, "de")
    error = post(clip_url, PHOTO, params={"labels": f"Katze,{name}", "lang": "de"}).json()["error"]
    assert [each["label"] for each in error["unknown"]] == [name]
    answer = post(clip_url, PHOTO, params={"labels": f"Katze,{name}", "lang": "de", "unknown": "skip"}).json()
    assert [each["label"] for each in answer["predictions"]] == ["Katze"]
    assert [each["label"] for each in answer["unknown"]] == [name]
