"""The models converted once for all tests, in a cache of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from baygrid.workloads.images import model


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The classifier is in it; $BAYGRID_CACHE says where it is to the end of the tests."""
    cache = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BAYGRID_CACHE", str(cache))
        model.prepared()
        yield cache


@pytest.fixture(scope="session")
def classifier(model_cache: Path) -> model.Classifier:
    return model.Classifier(model.prepared())
