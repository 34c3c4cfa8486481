"""Datasets and URIs of inputs: one normal form each, and nothing that two programs may read differently."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.jobs.addresses import Address, DatasetRef, address, dataset, is_address, nowhere
from baygrid.core.reading import Wrong

SHA = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("written", "meant", "normal"),
    [
        ("https://example.org", Address("https", "example.org", 443, "/"), "https://example.org/"),
        ("HTTPS://EXAMPLE.org:443/A?b=c", Address("https", "example.org", 443, "/A", "?b=c"), "https://example.org/A?b=c"),
        ("https://example.org.:8443/a", Address("https", "example.org", 8443, "/a"), "https://example.org:8443/a"),
        ("http://192.0.2.1/a%20b", Address("http", "192.0.2.1", 80, "/a%20b"), "http://192.0.2.1/a%20b"),
        ("https://[2001:DB8::1]:80/", Address("https", "2001:db8::1", 80, "/"), "https://[2001:db8::1]:80/"),
        ("s3://photos/2026/", Address("s3", "photos", 0, "/2026/"), "s3://photos/2026/"),
        ("file:///data/x/", Address("file", "", 0, "/data/x"), "file:///data/x"),
        (f"s3://photos/a.tar#sha256={SHA}", Address("s3", "photos", 0, "/a.tar", "", SHA), f"s3://photos/a.tar#sha256={SHA}"),
    ],
)  # fmt: skip
def test_one_normal_form(written: str, meant: Address, normal: str):
    assert address(written) == meant
    assert str(meant) == normal
    assert address(normal) == meant
    assert is_address(written)


REFUSED = [
    "https://",
    "https:///x",
    "https://user@example.org/",
    "https://example.org@127.0.0.1/",
    "ftp://example.org/",
    "https://example.org:0/",
    "https://example.org:65536/",
    "https://example.org:/",
    "https://example.org:8a/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f.0.0.1/",
    "https://0x7f000001/",
    "https://017700000001/",
    "https://0177.0.0.1/",
    "https://127.0.0.1./../",
    "https://1.2.3.4.5/",
    "https://256.0.0.1/",
    "https://a.0x1/",
    "https://[fe80::1%25eth0]/",
    "https://[fe80::1%eth0]/",
    "https://[127.0.0.1]/",
    "https://[::1/",
    "https://::1/",
    "https://exa mple.org/",
    "https://example.org\\@evil/",
    "https://ex\u00e4mple.org/",
    "https://-a.org/",
    "https://a..b/",
    "https://a.org/..",
    "https://a.org/%2e%2E/x",
    "https://a.org/%zz",
    "https://a.org/#part",
    "https://a.org/#sha256=abc",
    "https://a.org/a\nb",
    "gopher://a",
    "s3://b",
    "s3://Bucket/x",
    "s3://bkt//x",
    "s3://bkt/x?versionId=1",
    "file://host/x",
    "file:///",
    "file:////x",
    "file:///a/../b",
    "file:///a%2fb",
]


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_refused(text: str):
    with pytest.raises(Wrong):
        address(text)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_taken_in_its_usual_spelling(ip: ipaddress.IPv4Address):
    assert address(f"https://{ip}/").host == str(ip)


@given(st.text(max_size=60))
def test_whatever_comes_is_parsed_or_wrong(text: str):
    for parse in (address, dataset):
        for prefix in ("", "https://", "s3://", "dataset:"):
            try:
                meant = parse(prefix + text)
            except Wrong:
                continue
            assert parse(str(meant)) == meant


def test_datasets():
    assert dataset("dataset:photos") == DatasetRef("photos")
    assert dataset("dataset:team-a/photos@12") == DatasetRef("photos", "team-a", 12)
    assert str(DatasetRef("photos", "team-a", 12)) == "dataset:team-a/photos@12"
    for text in ("", "/x", "a/b/c", "x@", "x@0", "x@01", "x@1e3", "x@-1", "@1", "x y"):
        with pytest.raises(Wrong):
            dataset(f"dataset:{text}")


def test_a_signature_is_not_shown():
    assert address("https://a.org/x?X-Amz-Signature=abc").shown == "https://a.org/x?..."


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("169.254.169.254", "link-local"),
        ("169.254.169.254.", "link-local"),
        ("[fe80::1]", "link-local"),
        ("[::ffff:169.254.169.254]:8080", "link-local"),
        ("[fd00:ec2::254]", "a cloud's metadata"),
        ("100.100.100.200", "a cloud's metadata"),
        ("0.0.0.0", "unspecified"),
        ("[::]", "unspecified"),
        ("239.1.2.3", "multicast"),
        ("10.0.0.1", None),
        ("127.0.0.1:8443", None),
        ("8.8.8.8", None),
        ("metadata.example.org", None),
    ],
)
def test_hosts_where_nothing_can_be(host: str, why: str | None):
    assert nowhere(address(f"https://{host}/x")) == why


def test_a_bucket_is_no_host():
    assert nowhere(address("s3://169.254.169.254/x")) is None
