"""Labels that take long to clean and to tokenize: the work is bounded, and a bystander is answered in time."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from backend.clip.deadline import Deadline
from backend.clip.errors import BadParameter, TooManyLabels
from backend.clip.inference.model_kinds import Clip
from backend.clip.inference.text_tower import MAX_MENDED_CHARACTERS, LabelEncoder
from backend.clip.limits import MAX_LABEL_CHARACTERS, MAX_LABELS
from backend.clip.manifest import Manifest
from tests.hardening.attacks import endure
from tests.hardening.bystander import PHOTO, Flood, Seen, ask
from tests.launch import Running

SECONDS = 1.5
"""Of a flood."""
CLIENTS = 6


def misread(text: str, times: int) -> str:
    """The text after its UTF-8 was so often taken for Windows-1252 (for Latin-1 where that has no character)."""
    for _ in range(times):
        text = "".join(_character(byte) for byte in text.encode())
    return text


def _character(byte: int) -> str:
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


HOSTILE = {
    "misread twice": misread("ü ö ä ", 2) * 9,
    "misread four times": misread("ü", 4) * 20,
    "misread in different ways": (misread("é ", 1) + misread("œ ", 2) + misread("ß", 3) + "à ä") * 9,
    "misread and cut": "".join(misread(word, times)[1:] for times in (3, 1, 4, 2) for word in "Äßœüñé"),
    "surrogates in CESU-8": "\u00ed\u00a0\u00bd\u00ed\u00b8\u0080 " * 30,
    "line ends of all kinds": "a\r\nb\u2028" * 40,
    "combining characters": "e" + "\u0301\u0316" * 100,
    "combining characters out of order": "a" + "".join(chr(0x300 + i % 112) for i in range(199)),
    "decomposes to three (U+1D160)": "\U0001d160" * 200,
    "decomposes to eighteen in NFKC (U+FDFA)": "\ufdfa" * 200,
    "longer in lower case (U+0130)": "\u0130" * 200,
    "families of emoji": "👨\u200d👩\u200d👧\u200d👦" * 28,
    "flags": "🇩🇪" * 100,
    "ligatures": "ﬁﬂﬀﬃ" * 50,
    "halfwidth": "ｱｶﾞ" * 66,
    "entities of two characters": "&nGtv;" * 33,
    "entities in entities": "&amp;amp;lt;" * 16,
    "ampersands": "&" * 200,
    "controls": "\x1b[31m\x85\x01\ufeff" * 22,
    "punctuation": "!?#$" * 50,
    "one word": "abcdefghij" * 20,
}
"""Endings of labels, by what is hard about them."""


def hostile(number: int, kind: str, count: int = MAX_LABELS, length: int = MAX_LABEL_CHARACTERS) -> list[str]:
    """Labels that the service has not seen before, others for every number."""
    return [f"{number} {i} {HOSTILE[kind]}"[:length] for i in range(count)]


def flood(url: str, labels: Callable[[int], list[str]]) -> Flood:
    """The labels of the n-th request in the fields of a form: they are too long for a query."""

    def send(number: int) -> Seen:
        fields = [("labels", label) for label in labels(number)]
        return ask(url, fields, files={"image": ("photo.jpg", PHOTO)})

    return Flood(CLIENTS, send)


@pytest.mark.parametrize("count", [MAX_LABELS, 200])
def test_a_bystander_of_hostile_labels(count: int, service: Running) -> None:
    """Of all kinds in turn; the shorter ones have few tokens, and are read and encoded."""
    kinds = list(HOSTILE)
    length = MAX_LABEL_CHARACTERS if count == MAX_LABELS else 60
    attack = flood(service.url, lambda number: hostile(number, kinds[number % len(kinds)], count, length))

    bystander = endure(service.url, attack, SECONDS)

    assert set(attack.verdicts()) <= {"ranked", "too_many_labels", "bad_parameter", "busy"}
    bystander.require_unharmed()


@pytest.fixture(scope="module")
def encoder(open_model: Path) -> LabelEncoder:
    return LabelEncoder(open_model, Manifest.read(open_model))


@pytest.mark.parametrize("kind", HOSTILE)
def test_the_processor_time_of_one_request(kind: str, encoder: LabelEncoder) -> None:
    """As much as a request may have of that kind, shortened until no label has too many tokens."""
    length = next(
        length
        for length in range(MAX_LABEL_CHARACTERS, 0, -10)
        if len(encoder.tokenize(hostile(0, kind, 1, length)[0])) < 70
    )
    count = min(MAX_LABELS, MAX_MENDED_CHARACTERS // length)
    start = time.thread_time()
    with suppress(TooManyLabels):
        encoder.tokens(hostile(1, kind, count, length), Deadline.unlimited())
    read = time.thread_time()
    with pytest.raises((BadParameter, TooManyLabels)):
        encoder.tokens(hostile(2, kind), Deadline.unlimited())
    refused = time.thread_time()
    print(f"{kind}: {count} labels of {length} characters {read - start:.2f} s, of 200 {refused - read:.2f} s")

    assert read - start < 2
    assert refused - read < 2


@pytest.mark.parametrize("kind", HOSTILE)
def test_cleaned_text_is_hardly_longer(kind: str) -> None:
    assert len(Clip.clean(HOSTILE[kind])) <= 3 * len(HOSTILE[kind])


def test_text_to_mend_is_bounded_before_any_is_read(encoder: LabelEncoder) -> None:
    """Also where all of it is in the cache."""
    most = MAX_MENDED_CHARACTERS // 64
    labels = [f"{i:04} {HOSTILE['misread four times']}"[:64] for i in range(most)]
    encoder.embed(encoder.tokens(labels, Deadline.unlimited()), Deadline.unlimited())

    assert len(encoder.tokens([*labels, "plain ASCII " * 5], Deadline.unlimited())) == most + 1
    with pytest.raises(TooManyLabels, match=r"65,5\d\d characters, and at most 65,536 are read"):
        encoder.tokens([*labels, "ä" * 20], Deadline.unlimited())
