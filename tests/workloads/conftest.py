"""The model converted once for all tests of the pictures, in a cache of their own."""

from pathlib import Path

import pytest

from baygrid.workloads.images import model


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cache = tmp_path_factory.mktemp("models")
    model.prepared(model.weights_file(), cache)
    return cache


@pytest.fixture(scope="session")
def classifier(model_cache: Path) -> model.Classifier:
    return model.Classifier(model.prepared(model.weights_file(), model_cache))


@pytest.fixture
def cached_model(model_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAYGRID_CACHE", str(model_cache))
