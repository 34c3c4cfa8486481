import os
import uuid
from collections.abc import Iterator

import pytest

from tests.centres import site as common
from tests.centres.slurm.clusters import Cluster, Missing, cluster
from tests.centres.slurm.sites import SlurmSite


def _started(version: str, **variables: str) -> Iterator[Cluster]:
    try:
        with cluster(version, **variables) as found:
            yield found
    except Missing as missing:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def slurm22(worker_id: str) -> Iterator[Cluster]:
    """This worker's own, with accounting and containment of memory."""
    yield from _started("22.05", cgroup="1", cluster=f"site{worker_id}")


@pytest.fixture(scope="session")
def slurm24(worker_id: str) -> Iterator[Cluster]:
    """This worker's own, without accounting: what has ended is remembered for a short while only."""
    yield from _started("24.11", cluster=f"late{worker_id}", job_age="15")


def _site(found: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[SlurmSite]:
    name = uuid.uuid4().hex
    monkeypatch.setattr(common, "SALT", f"-{name}")
    site = SlurmSite(found, found.shared / name)
    yield site
    site.close()


@pytest.fixture
def site22(slurm22: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[SlurmSite]:
    yield from _site(slurm22, monkeypatch)


@pytest.fixture
def site24(slurm24: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[SlurmSite]:
    yield from _site(slurm24, monkeypatch)
