"""``clip`` stays under the memory limit of stack.yml during a crowd of large requests, and answers all of them.

What is over its share waits, or is turned away and told when to come again. tests/frontend does the same to ``index``.
"""

from collections import Counter
from pathlib import Path

from tests.functions import clip, memory_limit
from tests.hardening.bystander import ask
from tests.hardening.crowd import crowd
from tests.processes import MEGABYTE, Watch

PLATFORM = 32 * MEGABYTE
"""An upper bound of the watchdog's memory."""
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
