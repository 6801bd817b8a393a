"""``--sort-into``: a folder for each word with links to its photos, or copies, and nothing else touched."""

import json
import os
import resource
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from photo_labels.labeling import Left
from photo_labels.results import Result
from photo_labels.sorting.names import NOT_RECOGNIZED, folder_name
from photo_labels.sorting.record import HARD, Record, SortingError
from photo_labels.sorting.sorter import Sorter, undo
from photo_labels.states import state_at
from tests.client.command import label, start
from tests.client.fake_service import FakeService
from tests.client.test_summary import answers, unsure
from tests.launch import wait_for

RECORD = ".photo-labels.jsonl"
ALBUM = {
    "a.jpg": "dog",
    "2024/IMG_1.jpg": "dog",
    "2025/IMG_1.jpg": "dog",
    "2025/b.jpg": "cat",
    "nothing.jpg": "nothing",
    "bad.jpg": "bad",
}


@pytest.fixture
def album(service: FakeService, tmp_path: Path) -> Path:
    answers(service, {"nothing": unsure(None), "bad": {"error": {"code": "corrupt_image", "message": "No."}}})
    return write(tmp_path / "album", ALBUM)


def write(folder: Path, photos: Mapping[str, str]) -> Path:
    for name, word in photos.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(word)
    return folder


def sort(album: Path, service: FakeService, *options: str | Path) -> CompletedProcess[str]:
    return label(album, "--url", service.url, "--sort-into", album.parent / "sorted", *options)


def found(folder: Path) -> dict[str, tuple[str, str]]:
    """What is in a folder, but for the record: each file's content, and its link."""
    return {
        path.relative_to(folder).as_posix(): (path.read_text(), str(path.readlink()) if path.is_symlink() else "")
        for path in sorted(folder.rglob("*"))
        if path.name != RECORD and not path.is_dir()
    }


def snapshot(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Every file and folder, with what changes when it is written or made anew."""
    return {
        str(path.relative_to(folder)): (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        for path in [folder, *folder.rglob("*")]
        for stat in [path.lstat()]
    }


def linked(found_there: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """By each photo that a relative link leads to, the folder of the link."""
    links = {place: link for place, (_, link) in found_there.items()}
    assert all(link.startswith("../../album/") for link in links.values())
    folders = {link.removeprefix("../../album/"): place.partition("/")[0] for place, link in links.items()}
    assert len(folders) == len(links)
    return folders


def test_a_folder_for_each_word_has_links_to_its_photos(album: Path, service: FakeService, tmp_path: Path) -> None:
    before = snapshot(album)
    assert sort(album, service).returncode == 1  # bad.jpg
    there = found(tmp_path / "sorted")
    assert linked(there) == {
        "a.jpg": "dog",
        "2024/IMG_1.jpg": "dog",
        "2025/IMG_1.jpg": "dog",
        "2025/b.jpg": "cat",
        "nothing.jpg": NOT_RECOGNIZED,
    }
    assert {place for place in there if "IMG" in place} == {"dog/IMG_1.jpg", "dog/IMG_1 (2).jpg"}
    assert snapshot(album) == before
    (tmp_path / "elsewhere").mkdir()
    for name in ("album", "sorted"):
        (tmp_path / name).rename(tmp_path / "elsewhere" / name)
    assert found(tmp_path / "elsewhere" / "sorted") == there  # the links lead there still


@pytest.mark.parametrize("options", [(), ("--copy",)])
@pytest.mark.parametrize("out", [(), ("--out", "labels.csv")])
def test_a_second_run_changes_nothing(
    album: Path, service: FakeService, tmp_path: Path, options: tuple[str, ...], out: tuple[str, ...]
) -> None:
    out = tuple(str(tmp_path / each) if each == "labels.csv" else each for each in out)
    sort(album, service, *options, *out)
    before = snapshot(tmp_path / "sorted")
    sort(album, service, *options, *out)
    assert snapshot(tmp_path / "sorted") == before


def test_results_of_an_earlier_run_are_sorted_too(album: Path, service: FakeService, tmp_path: Path) -> None:
    label(album, "--url", service.url, "--out", tmp_path / "labels.jsonl")
    asked = service.answered.copy()
    sort(album, service, "--out", tmp_path / "labels.jsonl")
    assert service.answered == asked
    assert Counter(linked(found(tmp_path / "sorted")).values()) == {"dog": 3, "cat": 1, NOT_RECOGNIZED: 1}


def test_copies_are_whole_and_have_the_photos_time(album: Path, service: FakeService, tmp_path: Path) -> None:
    os.utime(album / "a.jpg", ns=(1, 1_700_000_000_123_456_789))
    sort(album, service, "--copy")
    there = found(tmp_path / "sorted")
    assert Counter(there.values()) == Counter((word, "") for word in ALBUM.values() if word != "bad")
    assert (tmp_path / "sorted" / "dog" / "a.jpg").stat().st_mtime_ns == 1_700_000_000_123_456_789
    assert not (tmp_path / "sorted" / "dog" / "a.jpg").samefile(album / "a.jpg")


@pytest.mark.parametrize("options", [(), ("--copy",)])
def test_no_other_file_is_overwritten_or_removed(
    album: Path, service: FakeService, tmp_path: Path, options: tuple[str, ...]
) -> None:
    own = write(tmp_path / "sorted", {"dog/a.jpg": "mine", "dog/mine.txt": "mine", "bird/x.jpg": "mine"})
    (own / "dog" / "IMG_1.jpg").symlink_to("nowhere")
    (own / "cat").write_text("mine")
    before = snapshot(own / "bird"), snapshot(own / "dog" / "a.jpg")
    ended = sort(album, service, *options)
    assert "left for the next run, cat in " in ended.stderr
    assert (snapshot(own / "bird"), snapshot(own / "dog" / "a.jpg")) == before
    assert (own / "dog" / "a (2).jpg").read_text() == "dog"
    assert (own / "dog" / "IMG_1.jpg").readlink() == Path("nowhere")
    assert sort(album, service, "--undo").returncode == 0
    assert {path.relative_to(own).as_posix() for path in own.rglob("*")} == {
        *("dog", "dog/a.jpg", "dog/mine.txt", "dog/IMG_1.jpg", "bird", "bird/x.jpg", "cat")
    }


def test_a_photo_moves_with_its_word(album: Path, service: FakeService, tmp_path: Path) -> None:
    out = ("--out", tmp_path / "labels.jsonl")
    sort(album, service, *out)
    (album / "2025" / "b.jpg").write_text("horse")
    (album / "a.jpg").write_text("bad")
    (album / "nothing.jpg").unlink()
    sort(album, service, *out)
    there = {place for place in found_links(tmp_path / "sorted") if not place.startswith("dog/IMG")}
    assert there == {"horse/b.jpg", f"{NOT_RECOGNIZED}/nothing.jpg"}
    assert not (tmp_path / "sorted" / "cat").exists()
    sort(album, service, "--copy", *out)
    assert {place for place, link in found_links(tmp_path / "sorted").items() if link} == {
        f"{NOT_RECOGNIZED}/nothing.jpg"
    }


def found_links(folder: Path) -> dict[str, bool]:
    """The places in a folder, and whether each is a link."""
    return {
        path.relative_to(folder).as_posix(): path.is_symlink() for path in folder.glob("*/*") if path.name != RECORD
    }


def test_a_copy_follows_its_photo(album: Path, service: FakeService, tmp_path: Path) -> None:
    out = ("--copy", "--out", tmp_path / "labels.jsonl")
    sort(album, service, *out)
    (album / "a.jpg").write_text("dog ")
    answers(service, {"dog ": {"predictions": [{"label": "dog", "score": 1}], "confidence": 1, "recognized": True}})
    sort(album, service, *out)
    assert (tmp_path / "sorted" / "dog" / "a.jpg").read_text() == "dog "


@pytest.mark.parametrize("options", [(), ("--copy",)])
def test_undo_removes_exactly_its_own(
    album: Path, service: FakeService, tmp_path: Path, options: tuple[str, ...]
) -> None:
    before = snapshot(album)
    other = write(tmp_path / "other", {"c.jpg": "dog"})
    for folder in (album, other):
        label(folder, "--url", service.url, "--sort-into", tmp_path / "sorted", *options)
    (tmp_path / "sorted" / "cat" / "b.jpg").unlink()
    (tmp_path / "sorted" / "cat" / "b.jpg").write_text("mine")
    ended = sort(album, service, "--undo")
    assert ended.returncode == 0
    assert ended.stderr.splitlines() == [
        "cat/b.jpg is left: it has been changed.",
        f"4 photos were taken out of {tmp_path / 'sorted'}.",
    ]
    assert found_links(tmp_path / "sorted") == {"dog/c.jpg": not options, "cat/b.jpg": False}
    label(other, "--sort-into", tmp_path / "sorted", "--undo")
    assert found_links(tmp_path / "sorted") == {"cat/b.jpg": False}
    assert not (tmp_path / "sorted" / RECORD).exists()
    assert snapshot(album) == before
    again = sort(album, service, "--undo")
    assert (again.returncode, "Nothing has been sorted into " in again.stderr) == (2, True)


def test_undo_leaves_nothing_of_a_folder_that_it_made(album: Path, service: FakeService, tmp_path: Path) -> None:
    sort(album, service)
    sort(album, service, "--undo")
    assert not (tmp_path / "sorted").exists()


def test_after_kill_9_every_copy_is_whole(service: FakeService, tmp_path: Path) -> None:
    size = 90_000
    album = write(tmp_path / "album", {f"{n}.jpg": "x" for n in range(100)})
    answers(service, {"x" * size: unsure("dog")})
    for photo in album.iterdir():
        photo.write_text("x" * size)
    target = tmp_path / "sorted"
    arguments = (album, "--url", service.url, "--out", tmp_path / "labels.jsonl", "--sort-into", target, "--copy")
    for at_least in (20, 50):
        with start(*arguments) as process:
            wait_for(lambda wanted=at_least: len(list(target.glob("dog/*"))) > wanted, "no copies")  # type: ignore[misc]
            process.kill()
        assert {path.stat().st_size for path in target.glob("dog/*")} == {size}
    assert label(*arguments).returncode == 0
    assert sorted(path.name for path in target.glob("dog/*")) == sorted(path.name for path in album.iterdir())
    assert {path.stat().st_size for path in target.glob("dog/*")} == {size}
    assert {path.name for path in target.iterdir()} == {"dog", RECORD}
    label(album, "--sort-into", target, "--undo")
    assert not target.exists()


HOSTILE = [
    *("..", ".", "../../etc/passwd", "/etc/passwd", "a/b", "a\\b", "C:\\x", "C:", "a:b", "a\0b", "a\x1b[2J", "\x7f"),
    *("CON", "con.txt", "nul", "COM1", "com¹", "LPT9.tar.gz", "CONIN$", "aux ", "prn."),
    *("", " ", "...", " .", "dog.", "dog. .", " dog ", ".hidden", "..x", "a\nb", "\u202egnp.exe", "\u2066x", "\ufeffx"),
    *("x" * 1000, "ж" * 1000, "狗" * 1000, "x" * 99 + ". ", '<>:"|?*', "\ue000", "\u2028"),
]


@pytest.mark.parametrize("word", HOSTILE)
def test_no_word_leads_elsewhere_or_is_no_name_on_windows(word: str) -> None:
    name = folder_name(word)
    assert name == unicodedata.normalize("NFC", name)
    assert 0 < len(name.encode()) <= 101
    assert name.isprintable()
    assert not set(name) & set('<>:"/\\|?*')
    assert name[0] not in ". "
    assert name[-1] not in ". "
    stem = name.partition(".")[0].rstrip().upper()
    assert stem not in {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
    assert not (stem[:3] in ("COM", "LPT") and stem[3:] in set("0123456789¹²³"))


@pytest.mark.parametrize("word", ["dog", "Egyptian cat", "Käfer", "क्‍ष", "eau-de-vie", "console", "COM10", "狗"])
def test_a_word_is_the_name_of_its_folder(word: str) -> None:
    assert folder_name(word) == unicodedata.normalize("NFC", word)


def test_hostile_words_stay_in_the_folder(service: FakeService, tmp_path: Path) -> None:
    words = ["../../up", "/tmp/x", "..", "CON", "a/b"]  # of those that a service may send
    write(tmp_path / "album", {f"{n}.jpg": word for n, word in enumerate(words)})
    before = {path.name for path in tmp_path.iterdir()}
    assert sort(tmp_path / "album", service).returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == before | {"sorted"}
    assert len(linked(found(tmp_path / "sorted"))) == len(words)


@pytest.mark.parametrize("place", ["album", "album/sorted", "."])
def test_a_folder_is_not_sorted_into_itself(album: Path, service: FakeService, tmp_path: Path, place: str) -> None:
    ended = label(album, "--url", service.url, "--sort-into", tmp_path / place)
    assert (ended.returncode, "must not be within one another" in ended.stderr) == (2, True)
    assert service.answered.total() == 0


def test_copy_without_a_folder_is_refused(tmp_path: Path) -> None:
    ended = label(tmp_path, "--copy")
    assert (ended.returncode, "--copy is for --sort-into" in ended.stderr) == (2, True)


@pytest.mark.parametrize(
    "line",
    [
        *("My diary", "[]", '{"folder": "../x"}', '{"folder": 1}', '{"gone": []}'),
        json.dumps({"photo": "../a/b.jpg", "place": "../../b.jpg", "kind": "copy"}),
        json.dumps({"photo": "../a/b.jpg", "place": "/etc/passwd", "kind": "copy"}),
        json.dumps({"photo": 1, "place": "dog/b.jpg", "kind": "copy"}),
        json.dumps({"folder": "a\0b"}),
    ],
)
def test_what_is_no_record_is_not_obeyed(tmp_path: Path, line: str) -> None:
    write(tmp_path, {RECORD: f"{line}\n"})
    with pytest.raises(SortingError, match="something else than a record"):
        Record(tmp_path)
    assert (tmp_path / RECORD).read_text() == f"{line}\n"


def test_a_record_that_is_none_is_left_alone(album: Path, service: FakeService, tmp_path: Path) -> None:
    write(tmp_path / "sorted", {RECORD: "My diary\n"})
    for options in ((), ("--undo",)):
        ended = sort(album, service, *options)
        assert (ended.returncode, "something else than a record" in ended.stderr) == (2, True)
    assert (tmp_path / "sorted" / RECORD).read_text() == "My diary\n"


def test_two_runs_do_not_sort_into_one_folder(album: Path, service: FakeService, tmp_path: Path) -> None:
    (tmp_path / "sorted").mkdir()
    record = Record(tmp_path / "sorted")
    ended = sort(album, service)
    record.close()
    assert (ended.returncode, "Another run is sorting photos into" in ended.stderr) == (2, True)


def refuse(*_: object, **__: object) -> None:
    raise PermissionError(1, "Operation not permitted")


def test_without_symbolic_links_they_are_hard_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = write(tmp_path / "album", {"a.jpg": "dog"}) / "a.jpg"
    said = {"predictions": [{"label": "dog", "score": 1.0}], "recognized": True}
    state = state_at(photo)
    assert state
    monkeypatch.setattr(os, "symlink", refuse)  # as on Windows without the right to make them
    for _ in range(2):
        sorter = Sorter(tmp_path / "sorted", tmp_path / "album", copies=False)
        sorter.keep(tmp_path / "album", Result("a.jpg", said, state))
        [entry] = sorter._record.entries.values()
        sorter.close()
        assert entry.kind == HARD
        assert [path.name for path in (tmp_path / "sorted" / "dog").iterdir()] == ["a.jpg"]
        assert (tmp_path / "sorted" / "dog" / "a.jpg").samefile(photo)
    photo.write_text("edited in place")
    assert undo(tmp_path / "sorted", tmp_path / "album") == (1, [])
    assert photo.read_text() == "edited in place"
    assert not (tmp_path / "sorted").exists()


def test_without_any_links_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = write(tmp_path / "album", {"a.jpg": "dog"}) / "a.jpg"
    monkeypatch.setattr(os, "symlink", refuse)
    monkeypatch.setattr(os, "link", refuse)  # as on FAT
    with pytest.raises(SortingError, match="With --copy they are copied"):
        Sorter(tmp_path / "sorted", tmp_path / "album", copies=False)
    sorter = Sorter(tmp_path / "sorted2", tmp_path / "album", copies=True)
    state = state_at(photo)
    assert state
    sorter.keep(tmp_path / "album", Result("a.jpg", {"predictions": [{"label": "dog"}], "recognized": True}, state))
    sorter.close()
    assert found(tmp_path / "sorted2") == {"dog/a.jpg": ("dog", "")}


@pytest.mark.parametrize("options", [(), ("--copy",)])
def test_nothing_is_removed_through_a_link_that_took_a_folders_place(
    album: Path, service: FakeService, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """Photos have the size and the time of their copies."""
    (album / "dog").mkdir()
    (album / "a.jpg").rename(album / "dog" / "a.jpg")
    sort(album, service, *options)
    before = snapshot(album)
    for path in (tmp_path / "sorted" / "dog").iterdir():
        path.unlink()
    (tmp_path / "sorted" / "dog").rmdir()
    (tmp_path / "sorted" / "dog").symlink_to(album / "dog")
    assert "left for the next run, dog in " in sort(album, service, *options).stderr
    sort(album, service, "--undo")
    assert snapshot(album) == before


def test_a_copy_of_a_photo_that_is_gone_or_damaged_stays(album: Path, service: FakeService, tmp_path: Path) -> None:
    sort(album, service, "--copy")
    (album / "a.jpg").write_text("bad")
    (album / "2025" / "b.jpg").unlink()
    sort(album, service, "--copy")
    there = found(tmp_path / "sorted")
    assert (there["dog/a.jpg"][0], there["cat/b.jpg"][0]) == ("dog", "cat")
    for _ in range(2):
        ended = sort(album, service, "--undo")
        assert "cat/b.jpg is left: its photo is not there." in ended.stderr
        assert found(tmp_path / "sorted") == {"cat/b.jpg": ("cat", "")}
    (album / "2025" / "b.jpg").write_text("cat")
    sort(album, service, "--undo")
    assert not (tmp_path / "sorted").exists()


def test_names_that_are_too_long_with_a_number_are_shortened(service: FakeService, tmp_path: Path) -> None:
    name = "ä" * 125 + ".jpg"
    album = write(tmp_path / "album", {f"{n}/{name}": "dog" for n in range(2)})
    assert sort(album, service).returncode == 0
    assert {path.name for path in (tmp_path / "sorted" / "dog").iterdir()} == {name, "ä" * 123 + " (2).jpg"}


def test_a_full_disk_leaves_no_part_of_a_copy(tmp_path: Path) -> None:
    photo = write(tmp_path / "album", {"a.jpg": "x" * 10_000}) / "a.jpg"
    state = state_at(photo)
    assert state
    sorter = Sorter(tmp_path / "sorted", tmp_path / "album", copies=True)
    with files_of_at_most(5000), pytest.raises(Left, match="File too large"):
        sorter.keep(tmp_path / "album", Result("a.jpg", {"predictions": [{"label": "dog"}], "recognized": True}, state))
    sorter.close()
    assert found(tmp_path / "sorted") == {}


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """As on a full disk, no file grows beyond this number of bytes."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_line_that_a_full_disk_cut_off_is_not_added_to(tmp_path: Path) -> None:
    record = Record(tmp_path)
    record.add_folder("dog")
    with files_of_at_most((tmp_path / RECORD).stat().st_size + 5), pytest.raises(OSError, match="large"):
        record.add_folder("cat")
    record.add_folder("bird")
    record.close()
    record = Record(tmp_path)
    record.close()
    assert record.folders == {"dog", "bird"}
