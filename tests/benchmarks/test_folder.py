from pathlib import Path

from benchmarks.folder import compare, fill, kill
from tests.launch import Running


def test_the_client_is_measured_beside_plain_clients(application: Running, tmp_path: Path) -> None:
    photos = fill(tmp_path / "album", 60, 2)
    assert len(list((tmp_path / "album" / "0").rglob("*.jpg"))) == 30
    for turn in range(2):
        measured = compare(tmp_path / "album" / f"{turn}", f"{application.url}/function/clip", photos, turn)
        assert measured.photos == 30
        assert 0.01 < measured.plain_seconds < 60
        assert 0.1 < measured.run.seconds < 60
        assert measured.ratio == measured.plain_seconds / measured.run.seconds
        assert 10 < measured.run.peak < 300


def test_the_whole_folder_is_labelled_and_what_is_doubled_would_be_seen(application: Running, tmp_path: Path) -> None:
    url = f"{application.url}/function/clip"
    fill(tmp_path / "album", 8, 1)
    found = kill(tmp_path / "album", url, tmp_path / "labels.jsonl")
    assert (found.photos, found.lost, found.doubled, len(found.peaks)) == (8, 0, 0, 4)
    lines = (tmp_path / "labels.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "labels.jsonl").write_text("".join([*lines, *lines[:3]]))
    assert kill(tmp_path / "album", url, tmp_path / "labels.jsonl").doubled == 3
