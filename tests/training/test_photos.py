"""Folders of photographs, with an index and without."""

from pathlib import Path

import pytest

from training.data import DataError
from training.photos import list_photos, part_of, seen

INDEX = "file\tsource\twhat\tlabel\n"


def indexed(folder: Path, *rows: str) -> Path:
    for row in rows:
        (folder / row.split("\t")[0]).touch()
    (folder / "index.tsv").write_text(INDEX + "".join(row + "\n" for row in rows))
    return folder


def test_lists_photos_by_the_label_in_their_names(tmp_path: Path) -> None:
    for name in ("aquarium_fish__goldfish.jpg", "worm__earth_worm.JPEG", "notes.txt"):
        (tmp_path / name).touch()
    photos = [(photo.path.name, photo.what, photo.label) for photo in list_photos(tmp_path)]
    assert photos == [
        ("aquarium_fish__goldfish.jpg", "goldfish", "aquarium fish"),
        ("worm__earth_worm.JPEG", "earth worm", "worm"),
    ]


def test_an_index_says_what_photos_show(tmp_path: Path) -> None:
    folder = indexed(tmp_path, "a.jpg\tgrocery\tGala\tapple", 'b.jpg\timagenet\ta "cat"\t')
    assert [(photo.source, photo.what, photo.label, seen(photo)) for photo in list_photos(folder)] == [
        ("grocery", "Gala", "apple", False),
        ("imagenet", 'a "cat"', "", True),
    ]


def test_the_two_parts_have_no_thing_in_common(tmp_path: Path) -> None:
    kinds = [(what, "fox" if what in "abc" else "") for what in "abcdef"]
    rows = [f"{what}{number}.jpg\tpets\t{what}\t{label}" for what, label in kinds for number in range(2)]
    photos = list_photos(indexed(tmp_path, *rows))
    choose, report = ({photo.what for photo in part_of(photos, part)} for part in ("choose", "report"))
    assert (choose, report) == ({"a", "c", "d", "f"}, {"b", "e"})


@pytest.mark.parametrize("name", ["cat__tabby.jpg", "apple.jpg"])
def test_a_photo_without_a_known_label_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(DataError, match="does not start with one of the 100 labels"):
        list_photos(tmp_path)


def test_a_missing_or_empty_folder_of_photos_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no photographs"):
        list_photos(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        list_photos(tmp_path / "nothing")


def test_an_index_that_does_not_fit_is_an_error(tmp_path: Path) -> None:
    indexed(tmp_path, "a.jpg\tpets\tcat\tcat")
    with pytest.raises(DataError, match="cat is none of the 100 labels"):
        list_photos(tmp_path)
    (tmp_path / "index.tsv").write_text(INDEX + "missing.jpg\tpets\tcat\t\n")
    with pytest.raises(DataError, match=r"missing\.jpg is not there"):
        list_photos(tmp_path)
    (tmp_path / "index.tsv").write_text("file\tlabel\n")
    with pytest.raises(DataError, match="no column source, what"):
        list_photos(tmp_path)
