"""The region of a test, and its one centre where the test does not set up another."""

from __future__ import annotations

import pytest

from tests.app.stage import Site, Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def site(stage: Stage) -> Site:
    """Room for one job of 8 cpus at a time."""
    return stage.add_site("qianhai")
