"""What goes out to an address that somebody named, on real connections: where it may go, and what it is told
when it does not arrive. Each of these fails where its guard is taken out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from baygrid.ports.notices import NotDelivered
from baygrid.staging.posting import WebCourier
from baygrid.staging.rules import Rules
from tests.staging.site import HOST, Names, Served, Site, authority, loopback, serving

METADATA = "169.254.169.254"
BODY = b'{"type":"job-succeeded"}'


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with serving(tmp_path) as running:
        running.things["/hook"] = Served(b"", status=204)
        yield running


def post(tmp_path: Path, target: str, resolve: Names | None = None, **rules) -> None:
    trusted = tmp_path / "ca.pem"
    trusted.write_bytes(authority()[0])
    courier = WebCourier(Rules(ca=str(trusted), **rules), time.monotonic, resolve or Names())
    courier.post(target, {"webhook-id": "notice-1"}, BODY)


def refused(tmp_path: Path, target: str, resolve: Names | None = None, **rules) -> NotDelivered:
    with pytest.raises(NotDelivered) as told:
        post(tmp_path, target, resolve, **rules)
    return told.value


def test_it_arrives(tmp_path: Path, site: Site):
    post(tmp_path, site.uri("/hook?key=1"), own=loopback(site.port))
    assert site.posted == [BODY]
    path, headers = site.asked[0]
    assert (path, headers["webhook-id"], headers["host"]) == (
        "/hook?key=1",
        "notice-1",
        f"{HOST}:{site.port}",
    )
    assert not {"authorization", "cookie"} & headers.keys()


def test_loopback_is_refused(tmp_path: Path, site: Site):
    assert "loopback" in str(refused(tmp_path, site.uri("/hook")))
    assert "loopback" in str(refused(tmp_path, site.uri("/hook", "127.0.0.1")))
    assert "loopback" in str(refused(tmp_path, f"https://[::1]:{site.port}/hook"))
    assert site.asked == []


@pytest.mark.parametrize(
    ("ip", "why"), [(METADATA, "link-local"), ("10.0.0.5", "private"), ("100.100.100.200", "metadata"),
                    ("::ffff:127.0.0.1", "disguise"), ("0.0.0.0", "unspecified")],
)  # fmt: skip
def test_a_name_that_leads_inside_is_refused(tmp_path: Path, site: Site, ip: str, why: str):
    names = Names(hooks_example=[ip])
    assert why in str(refused(tmp_path, f"https://hooks.example:{site.port}/hook", names))


def test_dns_rebinding(tmp_path: Path, site: Site):
    """The name means a good address once and the metadata server then: each delivery judges the very address
    that it connects to."""
    names = Names(hooks_example=["127.0.0.1", METADATA])
    target = f"https://hooks.example:{site.port}/hook"
    told = refused(tmp_path, target, names, own=loopback(site.port))
    assert "certificate" in str(told)  # it got as far as the first address
    assert "link-local" in str(refused(tmp_path, target, names, own=loopback(site.port)))
    assert site.asked == []


def test_a_redirect_is_not_followed(tmp_path: Path, site: Site):
    for status in (301, 302, 303, 307, 308):
        site.things["/hook"] = Served(b"", status=status, location=site.uri("/inside"))
        site.things["/inside"] = Served(b"")
        told = refused(tmp_path, site.uri("/hook"), own=loopback(site.port))
        assert str(told) == f"{HOST} answered {status}"
    assert {path for path, _ in site.asked} == {"/hook"}


def test_other_schemes(tmp_path: Path, site: Site):
    for target in ("file:///etc/passwd", "s3://bucket/key", "ftp://example.org/x", "gopher://example.org/"):
        refused(tmp_path, target, own=loopback(site.port))


def test_http_only_where_the_operator_lists_it(tmp_path: Path):
    with serving(tmp_path, tls=False) as plain:
        plain.things["/hook"] = Served(b"")
        assert "use https:" in str(refused(tmp_path, plain.uri("/hook"), own=loopback(plain.port)))
        assert plain.asked == []
        post(tmp_path, plain.uri("/hook"), own=loopback(plain.port), http=(HOST,))
        assert plain.posted == [BODY]


def test_what_the_answer_says(tmp_path: Path, site: Site):
    site.things["/hook"] = Served(b"", status=503)
    told = refused(tmp_path, site.uri("/hook"), own=loopback(site.port))
    assert (str(told), told.never) == (f"{HOST} answered 503", False)
    site.things["/hook"] = Served(b"", status=410)
    assert refused(tmp_path, site.uri("/hook"), own=loopback(site.port)).never


def test_nobody_there(tmp_path: Path):
    with serving(tmp_path) as gone:
        target = gone.uri("/hook")
    assert "cannot be reached" in str(refused(tmp_path, target, own=loopback(gone.port)))


def test_a_server_that_dawdles(tmp_path: Path, site: Site):
    """Its answer never comes: by a clock that runs ahead no time is spent."""
    ticks = iter(range(0, 10_000, 30))
    trusted = tmp_path / "ca.pem"
    trusted.write_bytes(authority()[0])
    rules = Rules(ca=str(trusted), own=loopback(site.port))
    courier = WebCourier(rules, lambda: float(next(ticks)), Names())
    with pytest.raises(NotDelivered, match=r"slow|longer"):
        courier.post(site.uri("/hook"), {}, BODY)
