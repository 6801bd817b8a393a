from collections.abc import Iterator

import pytest

from tests.client.fake_service import FakeService, fake_service


@pytest.fixture
def service() -> Iterator[FakeService]:
    with fake_service() as started:
        yield started
