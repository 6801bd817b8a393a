"""The time of a request."""

import time

import pytest

from backend.clip.deadline import Deadline
from backend.clip.errors import Busy


def test_a_request_whose_time_is_over_or_whose_caller_has_gone_begins_nothing() -> None:
    Deadline(time.monotonic() + 60, lambda: False).require()
    Deadline.unlimited().require()
    for deadline in (Deadline(time.monotonic() - 1, lambda: False), Deadline(time.monotonic() + 60, lambda: True)):
        with pytest.raises(Busy):
            deadline.require()


def test_waits_in_line_do_not_count_as_work() -> None:
    deadline = Deadline.unlimited()

    with deadline.decodes():
        time.sleep(0.2)
        deadline.waited += 0.2
    with deadline.infers():
        time.sleep(0.2)

    assert 0 <= deadline.decoding < 0.1
    assert 0.2 <= deadline.inference < 10
    assert deadline.left() > 1e9
