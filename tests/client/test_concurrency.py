"""How many requests a run of the client has in flight."""

import pytest

from photo_labels.concurrency import Concurrency


@pytest.mark.parametrize(("most", "service", "expected"), [(32, 16, 12), (8, 16, 8), (32, 1, 1), (32, 0, 2)])
def test_a_run_begins_with_three_quarters_of_what_the_service_takes(most: int, service: int, expected: int) -> None:
    concurrency = Concurrency(most)
    concurrency.begin_at(service)
    assert concurrency.limit == expected

    concurrency.begin_at(100)
    assert concurrency.limit == expected
