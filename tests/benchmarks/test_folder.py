from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.folder import fill, label
from benchmarks.photos import photo
from tests.client.command import results
from tests.launch import Running


def test_a_folder_is_labelled_and_the_client_measured(application: Running, tmp_path: Path) -> None:
    fill(tmp_path / "album", [photo((64, 48), seed) for seed in range(2)], 1005)
    assert len(list((tmp_path / "album" / "0").iterdir())) == 1000
    (tmp_path / "part").mkdir()
    (tmp_path / "album" / "1").rename(tmp_path / "part" / "1")

    seconds, peak = label(tmp_path / "part", urlsplit(application.url).port or 0, tmp_path / "labels.jsonl")

    assert 0.1 < seconds < 60
    assert 10 < peak < 300
    assert len(results((tmp_path / "labels.jsonl").read_text())) == 5
