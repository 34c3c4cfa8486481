"""Which addresses, hosts, buckets and folders a centre fetches from: decisions on values."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.jobs.addresses import address
from baygrid.staging.guard import NotAllowed, bucket_of, check_web, folder_of, refused, special
from baygrid.staging.rules import Bucket, Folder, Own, Rules

V4 = st.ip_addresses(v=4)
ANY = st.one_of(V4, st.ip_addresses(v=6))


NEVER = """
169.254.169.254 fd00:ec2::254 127.0.0.1 127.255.255.254 ::1 10.1.2.3 172.31.255.255 192.168.0.1
100.64.0.1 100.127.255.254 224.0.0.1 239.255.255.255 ff02::1 0.0.0.0 0.1.2.3 :: ::ffff:8.8.8.8
::ffff:127.0.0.1 ::8.8.8.8 64:ff9b::808:808 2002:808:808::1 2001:0:4136:e378:8000:63bf:3fff:fdd2
fe80::1 fe80::1%eth0 2606:4700::1%eth0 fc00::1 fd12::1 fec0::1 192.0.2.1 198.18.0.1 203.0.113.9
240.0.0.1 255.255.255.255 2001:db8::1 100.100.100.200 192.0.0.192 2606:4700::5efe:a00:1 4000::1 1::1
"""


@pytest.mark.parametrize("text", NEVER.split())
def test_what_is_never_asked(text: str):
    ip = ipaddress.ip_address(text)
    assert special(ip) is not None
    assert refused(Rules(), ip, 443) is not None


@pytest.mark.parametrize(
    "text", ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00::1"]
)
def test_the_internet_at_large(text: str):
    assert special(ipaddress.ip_address(text)) is None


@given(ANY)
def test_no_stricter_list_calls_an_address_the_internets_that_the_library_does_not(ip):
    """A second opinion: whatever we ask is global to the standard library, too."""
    if special(ip) is None:
        assert ip.is_global
        assert not any((ip.is_private, ip.is_multicast, ip.is_loopback, ip.is_link_local, ip.is_reserved))


@given(V4, st.sampled_from(["::ffff:{}", "::{}", "64:ff9b::{}", "::ffff:0:{}", "64:ff9b:1::{}"]))
def test_an_ipv4_address_in_an_ipv6_one_is_refused_whatever_it_is(ip, form: str):
    assert special(ipaddress.ip_address(form.format(ip))) is not None


@given(V4, st.integers(0, 2**80 - 1))
def test_6to4_is_refused_whatever_it_carries(ip, rest: int):
    assert special(ipaddress.IPv6Address((0x2002 << 112) | (int(ip) << 80) | rest)) is not None


@given(ANY, st.integers(1, 65535), st.integers(1, 65535))
def test_an_own_network_is_asked_at_its_port_only(ip, port: int, other: int):
    own = Rules(own=(Own(ipaddress.ip_network(ip), port),))
    assert refused(own, ip, port) is None
    assert (refused(own, ip, other) is None) == (port == other or special(ip) is None)
    assert refused(Rules(own=(Own(ipaddress.ip_network(ip)),)), ip, other) is None


def test_an_own_network_does_not_open_its_disguises():
    own = Rules(own=(Own(ipaddress.ip_network("127.0.0.0/8")),))
    assert refused(own, ipaddress.ip_address("::ffff:127.0.0.1"), 443) is not None


def test_http_and_where_a_server_may_lead():
    rules = Rules(http=("mirror.example", "other.example:8080"))
    secure = address("https://a.example/")
    for text in (
        "https://b.example/",
        "http://mirror.example/",
        "http://mirror.example:81/",
        "http://other.example:8080/",
    ):
        check_web(rules, address(text))
    check_web(rules, address("https://b.example/"), secure)
    check_web(rules, address("https://b.example/"), address("http://mirror.example/"))
    for text in ("http://a.example/", "http://other.example/", "http://mirror.example.evil/"):
        with pytest.raises(NotAllowed, match="not taken from"):
            check_web(rules, address(text))
    with pytest.raises(NotAllowed, match="from https: to http:"):
        check_web(rules, address("http://mirror.example/"), secure)
    for text in ("file:///etc/passwd", "s3://bucket/key"):
        with pytest.raises(NotAllowed, match="not followed"):
            check_web(rules, address(text), secure)


def test_buckets_and_folders_are_those_of_the_list_for_the_project():
    rules = Rules(
        buckets=(Bucket("open"), Bucket("own", projects=("team-a",))),
        folders=(Folder("/data"), Folder("/data/own", ("team-a",)), Folder("/secret", ("team-b",))),
    )
    assert bucket_of(rules, address("s3://own/k"), "team-a").name == "own"
    for uri, project in (("s3://own/k", "team-b"), ("s3://other/k", "team-a")):
        with pytest.raises(NotAllowed):
            bucket_of(rules, address(uri), project)
    assert folder_of(rules, address("file:///data/own/x"), "team-a") == (rules.folders[1], "x")
    assert folder_of(rules, address("file:///data/x/y"), "team-b") == (rules.folders[0], "x/y")
    assert folder_of(rules, address("file:///data"), "team-b") == (rules.folders[0], "")
    for uri, project in (
        ("file:///secret/x", "team-a"),
        ("file:///database/x", "team-a"),
        ("file:///etc/x", "team-b"),
    ):
        with pytest.raises(NotAllowed):
            folder_of(rules, address(uri), project)
