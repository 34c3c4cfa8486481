"""The models converted once for all tests, in a cache of their own."""

import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from baygrid.workloads.detection import nanodet
from baygrid.workloads.images import model
from baygrid.workloads.models import ModelMissing
from baygrid.workloads.models.cache import cache_folder
from tests.workloads.web import Handler


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The classifier is in it; $BAYGRID_CACHE says where it is to the end of the tests."""
    cache = tmp_path_factory.mktemp("models")
    installed = cache_folder() / "nanodet"
    if installed.is_dir():
        shutil.copytree(installed, cache / "nanodet")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BAYGRID_CACHE", str(cache))
        model.prepared()
        yield cache


@pytest.fixture(scope="session")
def classifier(model_cache: Path) -> model.Classifier:
    return model.Classifier(model.prepared())


@pytest.fixture(scope="session")
def nanodet_file(model_cache: Path) -> Path:
    """The default detector as an ONNX file."""
    try:
        return nanodet.prepared()
    except ModelMissing:
        pytest.skip("needs NanoDet: run scripts/models.sh install")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """Serves the test's folder."""
    Handler.asked = []
    handler = functools.partial(Handler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
