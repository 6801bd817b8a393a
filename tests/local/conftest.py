from collections.abc import Iterator

import pytest

from tests.launch import Running, local
from tests.local.stacks import write_stack


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The gateway with both functions."""
    with local("-f", str(write_stack(tmp_path_factory.mktemp("stack")))) as program:
        yield program
