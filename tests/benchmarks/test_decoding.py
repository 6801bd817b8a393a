from contextlib import closing

from backend.clip.decoding import Decoders
from benchmarks import decoding
from benchmarks.photos import photo


def test_both_ways_are_measured() -> None:
    before = decoding.memory()  # servers of other tests
    with closing(Decoders()) as decoders:
        here, there, difference = decoding.compare(decoders, photo((64, 64), 0), rounds=3)
        assert here > 0
        assert there > 0
        assert abs(difference) < 10_000
        assert 1 < decoding.memory() - before < 500
