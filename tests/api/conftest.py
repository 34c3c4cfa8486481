"""The region of each test, and clients for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.api.world import World, serving


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    region = World(tmp_path)
    yield region
    region.close()


@pytest.fixture
def api(world: World) -> Iterator[TestClient]:
    """In this process, without a socket."""
    with TestClient(world.app, base_url="http://test") as client:
        yield client


@pytest.fixture
def address(world: World) -> Iterator[str]:
    """A real server on a real socket."""
    with serving(world.app) as found:
        yield found
