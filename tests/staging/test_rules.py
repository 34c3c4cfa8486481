"""The operator's file of what a centre may fetch."""

import ipaddress

import pytest

from baygrid.core.reading import DocumentError
from baygrid.staging.rules import STANDARD, Bucket, Folder, Own, Rules, parse


def test_a_whole_file():
    assert parse(
        {
            "http": ["mirror.example:8080"],
            "networks": ["10.20.0.0/16", "127.0.0.1:8443", "[fd00::1]:443", "fd00::/8"],
            "ca": "/etc/ssl/own.pem",
            "folders": ["/data/public/", {"path": "/data/own", "projects": ["team-a"]}],
            "buckets": [{"name": "photos", "endpoint": "https://s3.example", "projects": ["team-a"]}],
            "limits": {"bytes": "1TiB", "time": "2h"},
            "cache": {"bytes": "10GiB", "age": "7d"},
        }
    ) == Rules(
        http=("mirror.example:8080",),
        own=(
            Own(ipaddress.ip_network("10.20.0.0/16")),
            Own(ipaddress.ip_network("127.0.0.1/32"), 8443),
            Own(ipaddress.ip_network("fd00::1/128"), 443),
            Own(ipaddress.ip_network("fd00::/8")),
        ),
        ca="/etc/ssl/own.pem",
        folders=(Folder("/data/public"), Folder("/data/own", ("team-a",))),
        buckets=(Bucket("photos", "https://s3.example", None, None, ("team-a",)),),
        max_bytes=1 << 40,
        max_s=7200.0,
        cache_bytes=10 << 30,
        cache_age_s=7 * 86_400.0,
    )
    assert parse({}) == STANDARD


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ([], ""),
        ({"folder": []}, ""),
        ({"folders": "/data"}, "folders"),
        ({"folders": ["data"]}, "folders[0].path"),
        ({"folders": ["/data/../etc"]}, "folders[0].path"),
        ({"buckets": [{"endpoint": "https://x"}]}, "buckets[0].name"),
        ({"buckets": [{"name": "a", "endpoint": "x"}]}, "buckets[0].endpoint"),
        ({"buckets": [{"name": "a"}, {"name": "a"}]}, "buckets"),
        ({"networks": ["10.20.0.1/16"]}, "networks[0]"),
        ({"networks": ["10.20.0.0:x"]}, "networks[0]"),
        ({"networks": ["10.20.0.1:70000"]}, "networks[0]"),
        ({"http": ["https://x"]}, "http[0]"),
        ({"limits": {"bytes": "much"}}, "limits.bytes"),
        ({"cache": {"age": "old"}}, "cache.age"),
    ],
)
def test_mistakes_are_told_with_their_place(document: object, path: str):
    with pytest.raises(DocumentError) as told:
        parse(document)
    assert [problem.path for problem in told.value.problems] == [path]
