from pathlib import Path

import pytest

from benchmarks.find import alone, command, fill, search_by_embedding, search_by_words, stand_in


@pytest.mark.parametrize("is_open", [True, False])
def test_searches_are_measured(tmp_path: Path, is_open: bool) -> None:
    index = tmp_path / "photos.sqlite"
    fill(index, 150, 16)

    assert 0 < alone(search_by_embedding if is_open else search_by_words, index) < 10_000
    with stand_in(is_open, 16) as url:
        whole = command("-m", "photo_labels", "find", "word0 word1", "--index", str(index), "--url", url)

    assert 10 < whole < 60_000
