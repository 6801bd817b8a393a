"""``clip`` stays under the memory limit of stack.yml during a crowd of large requests, and answers all of them.

What is over its share waits, or is turned away and told when to come again. tests/frontend does the same to ``index``.
"""

from collections import Counter
from functools import partial
from pathlib import Path

from tests.functions import clip, memory_limit
from tests.hardening.bystander import ask, together
from tests.hardening.crowd import crowd
from tests.hardening.json_bodies import BODIES, EMBEDDINGS
from tests.processes import MEGABYTE, Watch

PLATFORM = 32 * MEGABYTE
"""An upper bound of the watchdog's memory."""
BUFFERED = 180 * MEGABYTE
"""What bodies take: max_buffered_bytes, one body beyond it, and 1 MiB for each of max_inflight."""
FULL_SIZE = 500 * MEGABYTE
"""The additional memory of ViT-B/32 over the small model of these tests, text tower included."""
PATIENCE = 26
"""Seconds within which each request is answered."""


def test_everything_at_once(open_model: Path) -> None:
    with clip(open_model) as program, Watch(program.process.pid) as memory:
        answers = crowd(program.url)
        assert program.process.poll() is None
        assert ask(program.url).verdict == "ranked"
    print(Counter(seen.verdict for seen in answers), f"{memory.start >> 20} + {memory.growth >> 20} MB")

    assert memory.peak + FULL_SIZE < memory_limit("clip") - PLATFORM
    turned_away = [seen for seen in answers if seen.verdict != "ranked"]
    assert {seen.verdict for seen in turned_away} <= {"busy"}
    assert all(seen.retry_after is not None and int(seen.retry_after) > 0 for seen in turned_away)
    assert len(turned_away) < len(answers) / 2
    assert max(seen.seconds for seen in answers) < PATIENCE


def test_json_that_would_multiply(open_model: Path) -> None:
    """Beside the bodies themselves there are the images out of their base64, and escapes that were taken out of it."""
    bodies = [("", make()) for make in BODIES.values()] + [("/v1/embeddings", make()) for make in EMBEDDINGS.values()]
    with clip(open_model) as program:
        ask(program.url, params={"labels": "a cat"})
        with Watch(program.process.pid) as memory:
            answers = together([partial(ask, program.url + path, body) for path, body in bodies[:16]])
            answers += together([partial(ask, program.url + path, body) for path, body in bodies[16:]])
        assert ask(program.url).verdict == "ranked"
    print(Counter(seen.verdict for seen in answers), f"{memory.start >> 20} + {memory.growth >> 20} MB")

    refusals = {"bad_parameter", "corrupt_image", "unsupported_image", "empty_body", "busy"}
    assert {seen.verdict for seen in answers} <= refusals
    assert memory.growth < BUFFERED * 7 // 4
    assert memory.peak + FULL_SIZE < memory_limit("clip") - PLATFORM
