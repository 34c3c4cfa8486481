"""What an operator writes about a cluster."""

from pathlib import Path

import pytest

from baygrid.centres.kubernetes.options import parse_site
from baygrid.centres.kubernetes.site import Accelerator, Site

ROOT = Path("/srv/state/attempts")


def test_little_is_enough():
    assert parse_site("c", ROOT, {"image": "python:3.11"}) == Site("c", ROOT, "python:3.11")


def test_all_of_it():
    site = parse_site(
        "c",
        ROOT,
        {
            "image": "python:3.11",
            "namespace": "jobs",
            "claim": "attempts",
            "queue": "research",
            "root": "/shared",
            "accelerators": "H100=nvidia.com/gpu model=h100; 910B=huawei.com/Ascend910;",
            "partitions": "gpu pool=gpu zone=a; rest",
        },
    )
    models = (
        Accelerator("H100", "nvidia.com/gpu", {"model": "h100"}),
        Accelerator("910B", "huawei.com/Ascend910"),
    )
    assert site == Site(
        "c",
        Path("/shared"),
        "python:3.11",
        namespace="jobs",
        claim="attempts",
        accelerators=models,
        partitions={"gpu": {"pool": "gpu", "zone": "a"}, "rest": {}},
        queue="research",
    )


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({}, "image=python:3.11"),
        ({"image": ""}, "image=python:3.11"),
        ({"image": "i", "accelerators": "H100"}, "no accelerator"),
        ({"image": "i", "accelerators": "H 100=x"}, "no accelerator"),
        ({"image": "i", "accelerators": "H100=x pool"}, "no label"),
        ({"image": "i", "accelerators": "H100=x; H100=y"}, "twice"),
        ({"image": "i", "partitions": "a=b"}, "no partition"),
        ({"image": "i", "partitions": "a; a"}, "twice"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused(options, why):
    with pytest.raises(ValueError, match=why):
        parse_site("c", ROOT, options)
