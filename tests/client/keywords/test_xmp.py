"""keywords/xmp.py: foreign metadata stays, our own goes exactly, hostile documents are refused."""

import subprocess
from pathlib import Path

import pytest

from photo_labels.keywords.words import Words, words_of
from photo_labels.keywords.xmp import MAX_BYTES, XmpError, updated
from tests.client.keywords.sidecars import (
    BARE,
    DARKTABLE,
    DIGIKAM,
    FOREIGN,
    canonical,
    exiftool,
    exiv2,
    needs_exiftool,
    needs_exiv2,
)

BEAGLE = Words(("beagle", "dog", "mammal", "animal"), (("animal", "mammal", "dog", "beagle"),))
CUP = Words(("cup", "Tom & Jerry <3"), (("cup",), ("Tom & Jerry <3",)))
AC_DC = Words(("AC/DC", "a|b"), (("AC/DC",), ("a|b",)))


def test_the_words_of_an_answer() -> None:
    tags = [
        {"label": "beagle", "confidence": 0.9, "path": ["animal", "mammal", "dog"]},
        {"label": "collar", "confidence": 0.8, "path": []},
    ]
    unsure = {"predictions": [{"label": "worm", "score": 0.3}], "recognized": False}
    sure = {"predictions": [{"label": "fox", "score": 0.9}], "recognized": True}
    instead = unsure | {"instead": {"label": "dog", "confidence": 0.9}}
    beagle = ("animal", "mammal", "dog", "beagle")
    flat = ("beagle", "dog", "mammal", "animal", "collar")
    assert words_of(unsure) == Words()
    assert words_of(sure) == Words(("fox",), (("fox",),))
    assert words_of(instead) == Words(("dog",), (("dog",),))
    assert words_of(unsure | {"tags": tags}) == Words(flat, (beagle, ("collar",)))
    assert words_of(sure | {"tags": tags}) == Words((*flat, "fox"), (beagle, ("collar",), ("fox",)))
    assert words_of(instead | {"tags": tags}) == Words(flat, (beagle, ("collar",)))
    assert words_of({"error": {"code": "corrupt_image", "message": ""}}) == Words()
    more = [*tags, {"label": "dog", "confidence": 0.9, "path": ["animal", "mammal"]}]
    assert words_of(unsure | {"tags": more}) == Words(flat, (beagle, ("collar",)))
    assert words_of(unsure | {"tags": [{"label": "a\uffff", "confidence": 1, "path": []}]}) == Words()


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_what_was_there_stays_and_is_there_again_after_all(name: str, encoding: str) -> None:
    text = FOREIGN[name] if encoding.startswith("utf-8") else FOREIGN[name].replace('encoding="UTF-8"', "")
    text = text.replace('<?xml version="1.0" ?>\n', "")
    before = text.encode(encoding)
    now = updated(before, BEAGLE)
    assert now
    assert updated(now, BEAGLE) is now
    other = updated(now, CUP)
    assert other
    assert b"beagle" not in other
    assert b"<rdf:li>cup</rdf:li>" in other
    back = updated(other, BEAGLE)
    assert back
    assert canonical(back) == canonical(now)
    cleared = updated(back, Words())
    assert cleared
    assert canonical(cleared) == canonical(text.encode())
    assert updated(cleared, Words()) is cleared


def test_a_new_document_is_gone_again() -> None:
    assert updated(None, Words()) is None
    now = updated(None, BEAGLE)
    assert now
    assert updated(now, BEAGLE) is now
    assert updated(now, Words()) is None


def test_what_others_have_put_into_ours_is_kept() -> None:
    now = updated(None, BEAGLE)
    assert now
    rating = b'<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="5"/></rdf:RDF>'
    cleared = updated(now.replace(b"</rdf:RDF>", rating), Words())
    assert cleared
    assert b'xmp:Rating="5"' in cleared
    assert b"beagle" not in cleared
    assert b"photoLabels" not in cleared
    own = updated(now.replace(b"<rdf:li>beagle</rdf:li>", b"<rdf:li>beagle</rdf:li><rdf:li>Rex</rdf:li>", 1), Words())
    assert own
    assert b"<rdf:li>Rex</rdf:li>" in own
    assert b"beagle" not in own


def test_a_word_that_a_person_has_written_too_stays_theirs() -> None:
    now = updated(DARKTABLE.encode(), BEAGLE)
    assert now
    assert now.count(b"<rdf:li>dog</rdf:li>") == 1
    auto = updated(DARKTABLE.encode(), Words(("VW",), (("VW",),)))
    assert auto
    cleared = updated(auto, Words())
    assert cleared
    assert b"<rdf:li>auto|VW</rdf:li>" in cleared


@needs_exiftool
@pytest.mark.parametrize("document", [None, DARKTABLE.encode(), DIGIKAM.encode(), BARE.encode()])
def test_exiftool_reads_them(document: bytes | None, tmp_path: Path) -> None:
    before, after = tmp_path / "before.xmp", tmp_path / "after.xmp"
    before.write_bytes(document or BARE.encode())
    now = updated(document, BEAGLE)
    assert now
    after.write_bytes(now)
    foreign, read = exiftool(before), exiftool(after)
    for tag, words in {
        "XMP-dc:Subject": list(BEAGLE.flat),
        "XMP-lr:HierarchicalSubject": ["auto|animal|mammal|dog|beagle"],
        "XMP-digiKam:TagsList": ["auto/animal/mammal/dog/beagle"],
    }.items():
        old = foreign.pop(tag, [])
        assert read.pop(tag) == old + [word for word in words if word not in old]
    assert {name: value for name, value in read.items() if "photoLabels" not in name} | foreign == {
        name: value for name, value in read.items() if "photoLabels" not in name
    }


@needs_exiv2
def test_exiv2_reads_them(tmp_path: Path) -> None:
    now = updated(DARKTABLE.encode(), BEAGLE)
    assert now
    (tmp_path / "a.xmp").write_bytes(now)
    read = exiv2(tmp_path / "a.xmp")
    assert read["Xmp.dc.subject"] == ["Ada & Grace", "dog", "beagle", "mammal", "animal"]
    assert read["Xmp.lr.hierarchicalSubject"][-1] == "auto|animal|mammal|dog|beagle"
    assert read["Xmp.digiKam.TagsList"] == ["auto/animal/mammal/dog/beagle"]
    assert read["Xmp.xmp.Rating"] == ["4"]
    assert read["Xmp.darktable.history_end"] == ["2"]


@needs_exiftool
def test_after_exiftool_has_written_it_anew_they_are_still_ours(tmp_path: Path) -> None:
    sidecar = tmp_path / "a.xmp"
    now = updated(None, BEAGLE)
    assert now
    sidecar.write_bytes(now)
    command = ["exiftool", "-q", "-overwrite_original", "-XMP-dc:Subject+=Rex", "-XMP-xmp:Rating=3", str(sidecar)]
    subprocess.run(command, check=True, timeout=60)
    assert sidecar.read_bytes() != now
    cleared = updated(sidecar.read_bytes(), Words())
    assert cleared
    sidecar.write_bytes(cleared)
    assert exiftool(sidecar)["XMP-dc:Subject"] == ["Rex"]
    assert exiftool(sidecar)["XMP-xmp:Rating"] == ["3"]
    assert b"beagle" not in cleared
    assert b"photoLabels" not in cleared


@needs_exiv2
def test_after_exiv2_has_written_it_anew_they_are_still_ours(tmp_path: Path) -> None:
    sidecar = tmp_path / "a.xmp"
    now = updated(None, BEAGLE)
    assert now
    sidecar.write_bytes(now)
    command = ["exiv2", "-Mset Xmp.dc.subject Rex", "-Mset Xmp.xmp.Rating 3", str(sidecar)]
    subprocess.run(command, check=True, timeout=60)
    assert sidecar.read_bytes() != now
    cleared = updated(sidecar.read_bytes(), Words())
    assert cleared
    sidecar.write_bytes(cleared)
    assert exiv2(sidecar) == {"Xmp.dc.subject": ["Rex"], "Xmp.xmp.Rating": ["3"]}
    assert b"photoLabels" not in cleared


def test_separators_within_words() -> None:
    now = updated(None, AC_DC)
    assert now
    for entry in (b"auto|AC/DC", b"auto/AC-DC", b"auto|a-b", b"auto/a|b", b"<rdf:li>AC/DC</rdf:li>"):
        assert entry in now
    assert updated(now, AC_DC) is now


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(f'<!ENTITY b{n} "{"&a;" * 10}">' for n in range(9)) + "]>"
HOSTILE = {
    "nothing": (b"", "is not XML"),
    "text": (b"Dear diary", "is not XML"),
    "not UTF-8": (b"<a>\xff\xff</a>", "is not UTF-8"),
    "Latin": (b'<?xml version="1.0" encoding="ISO-8859-1"?>' + BARE.encode(), "is in ISO-8859-1"),
    "half": (DARKTABLE.encode()[:700], "is not XML"),
    "a bomb": ((BOMB + BARE).encode(), "has a document type"),
    "a bomb in UTF-16": ((BOMB + BARE).encode("utf-16"), "has a document type"),
    "a file of the system": (f'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>{BARE}'.encode(), "document type"),
    "an entity that is not there": (BARE.replace("/>", ">&a;</rdf:RDF>").encode(), "is not XML"),
    "deep": (b"<a>" * 100_000, "is not XML"),
    "large": (BARE.encode() + b" " * MAX_BYTES, "more than"),
    "another document": (b"<svg/>", "has no rdf:RDF"),
    "zeros": (bytes(1000), "is not"),
    "a subject that is not a list": (
        DARKTABLE.replace("<rdf:Bag>", "").replace("</rdf:Bag>", "").encode(),
        "has a subject that is not a list",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_documents_are_refused(name: str) -> None:
    document, problem = HOSTILE[name]
    with pytest.raises(XmpError, match=problem):
        updated(document, BEAGLE)
