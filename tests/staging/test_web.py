"""https for jobs, on real connections: what comes, what is refused where it is about to connect, how slow a
server may be."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from baygrid.ports.centre import StagingFailed
from baygrid.ports.messages import Source
from tests.staging.site import HOST, Listening, Names, Served, Site, loopback, serving, stager

CONTENT = bytes(range(256)) * 8192  # 2 MiB
DIGEST = hashlib.sha256(CONTENT).hexdigest()
METADATA = "169.254.169.254"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with serving(tmp_path) as running:
        running.things["/photos.tar"] = Served(CONTENT)
        yield running


def place(
    tmp_path: Path, site: Site, path: str, *, resolve: Names | None = None, sha256=None, host=HOST, **rules
):
    """Fetches into a new folder; what it heard."""
    listening = Listening()
    rules = {"own": loopback(site.port)} | rules
    made = stager(tmp_path, resolve, **rules)
    made.place(Source(site.uri(path, host), "demo", sha256), tmp_path / "into", listening)
    return listening


def refused(tmp_path: Path, site: Site, path: str, **how) -> str:
    with pytest.raises(StagingFailed) as told:
        place(tmp_path, site, path, **how)
    return str(told.value)


def test_a_file_comes_whole_and_cannot_be_written(tmp_path: Path, site: Site):
    heard = place(tmp_path, site, "/photos.tar", sha256=DIGEST).heard
    (file,) = (tmp_path / "into").iterdir()
    assert (file.name, file.read_bytes() == CONTENT) == ("photos.tar", True)
    assert file.stat().st_mode & 0o777 == 0o444
    assert heard[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in heard] == sorted(done for done, _ in heard)
    assert len(heard) > 3
    assert site.asked[0][1]["host"] == f"{HOST}:{site.port}"
    assert not {"authorization", "cookie", "range"} & site.asked[0][1].keys()


def test_chunks_without_a_length(tmp_path: Path, site: Site):
    site.things["/photos.tar"].chunked = True
    assert place(tmp_path, site, "/photos.tar").heard[-1] == (len(CONTENT), len(CONTENT))
    assert (tmp_path / "into" / "photos.tar").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("path", "name"), [("/", "content"), ("/a%2Fb", "content"), ("/a%20b", "a b"), ("/x/y?sig=secret", "y")]
)
def test_the_name_of_a_file(tmp_path: Path, site: Site, path: str, name: str):
    site.things[path.partition("?")[0]] = Served(b"x")
    place(tmp_path, site, path)
    assert [file.name for file in (tmp_path / "into").iterdir()] == [name]


def test_a_wrong_checksum(tmp_path: Path, site: Site):
    told = refused(tmp_path, site, "/photos.tar", sha256="0" * 64)
    assert f"has the SHA-256 {DIGEST}, not {'0' * 64}" in told
    assert not list((tmp_path / "into").iterdir())
    assert len(site.asked) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 410, 418, 203])
def test_what_is_not_there(tmp_path: Path, site: Site, status: int):
    site.things["/x"] = Served(b"page", status=status)
    told = refused(tmp_path, site, "/x?secret=1")
    assert f"answered {status}" in told
    assert "secret" not in told


def test_too_large_by_its_head_and_by_what_comes(tmp_path: Path, site: Site):
    assert "larger than the 1000000 bytes" in refused(tmp_path, site, "/photos.tar", max_bytes=1_000_000)
    (tmp_path / "into").rmdir()
    site.things["/photos.tar"].chunked = True
    assert "larger than the 1000000 bytes" in refused(tmp_path, site, "/photos.tar", max_bytes=1_000_000)


def test_compressed_content_is_not_taken(tmp_path: Path, site: Site):
    site.things["/x"] = Served(b"zip", headers={"Content-Encoding": "gzip"})
    assert "compressed" in refused(tmp_path, site, "/x")


# Where a connection may be made


def test_loopback_is_refused_unless_the_operator_lists_it(tmp_path: Path, site: Site):
    told = refused(tmp_path, site, "/photos.tar", own=())
    assert told == f"{HOST} leads to an address that is loopback: this centre fetches nothing from there"
    assert site.asked == []


def test_an_address_instead_of_a_name_is_judged_too(tmp_path: Path, site: Site):
    assert "loopback" in refused(tmp_path, site, "/photos.tar", host="127.0.0.1", own=())
    (tmp_path / "into").rmdir()
    place(tmp_path, site, "/photos.tar", host="127.0.0.1")


def test_a_name_that_means_something_else_when_it_is_asked_again(tmp_path: Path, site: Site):
    """DNS rebinding: the first answer is fine, the second is the metadata server. There is one look-up for
    each connection, and the connection goes to what was judged."""
    names = Names()
    names.known[HOST] = ["127.0.0.1", METADATA]
    site.things["/photos.tar"].breaks, site.things["/photos.tar"].break_after = 1, 100_000
    told = refused(tmp_path, site, "/photos.tar", resolve=names)
    assert "leads to an address that is link-local" in told  # the second connection, to go on
    assert names.asked == [HOST, HOST]
    assert len(site.asked) == 1


def test_a_rebound_name_never_reaches_a_listener_that_is_not_listed(tmp_path: Path, site: Site):
    """A real listener stands for a service of the centre's own; not a byte comes to it."""
    with socket.create_server(("127.0.0.1", 0)) as service:
        service.settimeout(0.3)
        port = service.getsockname()[1]
        names = Names()
        names.known[HOST] = ["1.1.1.1", "127.0.0.1"]  # the first for who would check beforehand
        names("data.example", port)
        told = refused(tmp_path, Site(port, "https"), "/x", resolve=names, own=loopback(site.port))
        assert "loopback" in told
        with pytest.raises(TimeoutError):
            service.accept()


def test_of_several_addresses_only_those_are_asked_that_may_be(tmp_path: Path, site: Site):
    class Both(Names):
        def __call__(self, host: str, port: int) -> list[str]:
            return [METADATA, "10.0.0.1", "::ffff:127.0.0.1", "fe80::1%lo", "127.0.0.1"]

    place(tmp_path, site, "/photos.tar", resolve=Both())
    assert len(site.asked) == 1


def test_a_certificate_for_another_name_is_not_trusted(tmp_path: Path, site: Site):
    told = refused(tmp_path, site, "/photos.tar", resolve=Names(other_org=["127.0.0.1"]), host="other.org")
    assert told == "the certificate of other.org is not trusted"
    (tmp_path / "into").rmdir()
    assert "not trusted" in refused(tmp_path, site, "/photos.tar", ca=None)


def test_a_name_that_is_not_there(tmp_path: Path, site: Site):
    assert "cannot be looked up, 5 times" in refused(tmp_path, site, "/x", host="absent.example")


# Redirects


def leads(site: Site, *locations: str, status: int = 302) -> None:
    for number, location in enumerate(locations):
        site.things[f"/{number}"] = Served(b"", status=status, location=location)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(tmp_path: Path, site: Site, status: int):
    leads(site, "/1", "2", site.uri("/3"), site.uri("/4", "cdn.example"), "/photos.tar", status=status)
    place(tmp_path, site, "/0", resolve=Names(cdn_example=["127.0.0.1"]))
    assert (tmp_path / "into" / "0").read_bytes() == CONTENT
    assert len(site.asked) == 6


def test_at_most_five(tmp_path: Path, site: Site):
    leads(site, "/1", "/2", "/3", "/4", "/5", "/photos.tar")
    assert "more than 5 times" in refused(tmp_path, site, "/0")


@pytest.mark.parametrize(
    ("location", "why"),
    [
        (f"https://{METADATA}/latest/meta-data/", "link-local"),
        ("https://[fd00:ec2::254]/latest/", "a cloud's metadata"),
        ("https://meta.example/", "link-local"),
        (f"http://{HOST}/photos.tar", "from https: to http:"),
        (f"http://{METADATA}/", "from https: to http:"),
        ("file:///etc/passwd", "not followed"),
        ("s3://bucket/key", "not followed"),
        ("ftp://data.example/x", "no address"),
        (f"https://user:word@{HOST}/", "no address"),
        ("https://2852039166/latest/", "no address"),
        ("https://0xa9fea9fe/", "no address"),
        ("https://0251.0376.0251.0376/", "no address"),
        ("", "no address"),
    ],
)
def test_each_hop_is_judged_anew(tmp_path: Path, site: Site, location: str, why: str):
    site.things["/0"] = Served(b"", status=302, location=location)
    if not location:
        site.things["/0"].location = None
        site.things["/0"].headers = {"Location": "https://\x7f/"}
    assert why in refused(tmp_path, site, "/0", resolve=Names(meta_example=[METADATA]))
    assert len(site.asked) == 1


def test_http_only_from_where_the_operator_says(tmp_path: Path):
    with serving(tmp_path, tls=False) as plain:
        plain.things["/x"] = Served(CONTENT)
        assert "http: is not taken" in refused(tmp_path, plain, "/x")
        (tmp_path / "into").rmdir()
        place(tmp_path, plain, "/x", http=(f"{HOST}:{plain.port}",))
    assert (tmp_path / "into" / "x").read_bytes() == CONTENT


# Slow servers


@pytest.mark.parametrize("where", ["head", "body", "handshake"])
def test_a_server_that_dawdles_is_given_up(tmp_path: Path, site: Site, where: str):
    stop = threading.Event()

    def drip(handler) -> bool:
        if where == "body":
            handler.send_response(200)
            handler.send_header("Content-Length", "1000000")
            handler.end_headers()
        while not stop.wait(0.05):
            handler.wfile.write(b"X-A: b\r\n" if where == "head" and handler.raw_requestline else b"x")
            handler.wfile.flush()
        return True

    def head(handler) -> bool:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        return drip(handler)

    site.things["/slow"] = Served(b"", before=head if where == "head" else drip)
    began = time.monotonic()
    silent = socket.create_server(("127.0.0.1", 0))
    asked = Site(silent.getsockname()[1], "https") if where == "handshake" else site
    try:
        told = refused(tmp_path, asked, "/slow", head_s=0.4, window_s=0.4, least_rate=10_000.0)
    finally:
        stop.set()
        silent.close()
    assert "5 times in a row" in told
    assert time.monotonic() - began < 60  # bounded, however slow this machine is


def test_all_of_it_has_its_time(tmp_path: Path, site: Site):
    stop = threading.Event()

    def endless(handler) -> bool:
        handler.send_response(200)
        handler.end_headers()
        while not stop.wait(0.01):
            handler.wfile.write(b"x" * 1000)
        return True

    site.things["/endless"] = Served(b"", before=endless)
    try:
        assert "longer than the 1 s" in refused(tmp_path, site, "/endless", max_s=1.0)
    finally:
        stop.set()
