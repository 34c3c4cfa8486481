"""One zygote for a worker's tests, and databases made from a template."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.processes import Processes


@pytest.fixture(scope="session")
def processes() -> Iterator[Processes]:
    started = Processes()
    yield started
    started.close()
