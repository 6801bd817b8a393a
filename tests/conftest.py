"""Fixtures for the tests of every part."""

from collections.abc import Iterator

import pytest

from tests.launch import Running, local


@pytest.fixture(scope="session")
def application() -> Iterator[Running]:
    """The whole application with the bundled model: `application.url` + `/function/index` or `/function/clip`."""
    with local() as program:
        yield program
