"""The processes of a worker's tests: all come of one zygote."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.processes import Processes


@pytest.fixture(scope="session")
def processes() -> Iterator[Processes]:
    started = Processes()
    yield started
    started.close()
