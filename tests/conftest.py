"""What tests of several rooms share."""

from collections.abc import Iterator

import pytest

from tests.postgres import Server, running_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One PostgreSQL for this worker's tests."""
    with running_server() as server:
        yield server
