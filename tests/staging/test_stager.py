"""The cache between jobs and the world: resumed, begun anew, shared, checked, thrown out; and files and
folders of the centre itself."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from baygrid.core.jobs.addresses import address
from baygrid.ports.centre import StagingFailed
from baygrid.ports.messages import Source
from baygrid.staging.cache import Cache
from baygrid.staging.errors import Failed, Stopped
from baygrid.staging.rules import Folder
from tests.staging.site import Listening, Served, Site, loopback, serving, stager

CONTENT = os.urandom(3_000_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with serving(tmp_path) as running:
        running.things["/x"] = Served(CONTENT)
        yield running


def fetch(tmp_path: Path, made, uri: str, name: str = "into", sha256=None, project="demo", listening=None):
    listening = listening or Listening()
    made.place(Source(uri, project, sha256), tmp_path / name, listening)
    return listening


def ranges(site: Site) -> list[str | None]:
    return [headers.get("range") for _, headers in site.asked]


# Interrupted


def test_a_broken_download_goes_on_where_it_stopped(tmp_path: Path, site: Site):
    thing = site.things["/x"]
    thing.breaks, thing.break_after = 3, 700_000
    heard = fetch(tmp_path, stager(tmp_path, own=loopback(site.port)), site.uri("/x"), sha256=DIGEST)
    assert (tmp_path / "into/x").read_bytes() == CONTENT
    assert len(site.asked) == 4
    starts = [int(text.removeprefix("bytes=")[:-1]) for text in ranges(site) if text]
    assert starts == sorted(starts)
    assert starts[0] > 0  # the last stretch before a cut may be lost on its way
    assert all(headers["if-range"] == '"one"' for _, headers in site.asked[1:])
    assert "goes on at" in heard.notes[0]


def test_what_comes_over_the_link_is_told_what_is_here_is_not(tmp_path: Path, site: Site):
    made = stager(tmp_path, own=loopback(site.port))
    first = fetch(tmp_path, made, site.uri("/x"), sha256=DIGEST)
    second = fetch(tmp_path, made, site.uri("/x"), "again", DIGEST)
    assert (first.fetched, second.fetched) == ([len(CONTENT)], [])


def test_a_new_process_goes_on_where_the_last_one_stopped(tmp_path: Path, site: Site):
    """A job was cancelled in the middle; another wants the same."""
    with pytest.raises(Stopped):
        fetch(tmp_path, stager(tmp_path, own=loopback(site.port)), site.uri("/x"),
              listening=Listening(stop_at=1_000_000))  # fmt: skip
    fetch(tmp_path, stager(tmp_path, own=loopback(site.port)), site.uri("/x"), "again", DIGEST)
    assert (tmp_path / "again/x").read_bytes() == CONTENT
    assert (ranges(site)[0], int((ranges(site)[1] or "")[6:-1]) >= 1_000_000) == (None, True)


def test_content_that_changes_in_the_middle_is_begun_anew_and_that_is_said(tmp_path: Path, site: Site):
    thing = site.things["/x"]
    thing.breaks, thing.break_after = 1, 900_000
    new = os.urandom(2_000_000)

    def change(handler) -> None:
        if len(site.asked) == 2:
            thing.content, thing.etag = new, '"two"'

    thing.before = change
    heard = fetch(tmp_path, stager(tmp_path, own=loopback(site.port)), site.uri("/x"))
    assert (tmp_path / "into/x").read_bytes() == new
    assert "it changed meanwhile: begun anew" in heard.notes
    assert heard.heard[-1] == (len(new), len(new))


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_without_a_strong_validator_it_begins_anew(tmp_path: Path, site: Site, etag: str | None):
    thing = site.things["/x"]
    thing.breaks, thing.break_after, thing.etag = 1, 900_000, etag
    fetch(tmp_path, stager(tmp_path, own=loopback(site.port)), site.uri("/x"), sha256=DIGEST)
    assert ranges(site) == [None, None]
    assert (tmp_path / "into/x").read_bytes() == CONTENT


def test_a_server_without_ranges_sends_it_all_again(tmp_path: Path, site: Site):
    thing = site.things["/x"]
    thing.breaks, thing.break_after, thing.ranges = 1, 900_000, False
    fetch(tmp_path, stager(tmp_path, own=loopback(site.port)), site.uri("/x"), sha256=DIGEST)
    assert (tmp_path / "into/x").read_bytes() == CONTENT


def test_what_was_put_together_wrongly_comes_once_more(tmp_path: Path, site: Site):
    """A server keeps its ETag although the content is another: only the checksum finds out."""
    thing = site.things["/x"]
    thing.breaks, thing.break_after = 1, 900_000
    wrong, right = thing.content[::-1], thing.content
    thing.content = wrong

    def mend(handler) -> None:
        if len(site.asked) == 2:
            thing.content = right

    thing.before = mend
    heard = fetch(tmp_path, stager(tmp_path, own=loopback(site.port)), site.uri("/x"), sha256=DIGEST)
    assert (tmp_path / "into/x").read_bytes() == right
    assert "it comes once more" in heard.notes[-1]


def test_a_connection_that_always_breaks_is_given_up(tmp_path: Path, site: Site):
    site.things["/x"].breaks = 100
    with pytest.raises(StagingFailed, match="5 times in a row"):
        fetch(tmp_path, stager(tmp_path, own=loopback(site.port)), site.uri("/x"))
    assert len(site.asked) == 5


def test_a_server_that_is_busy_is_asked_again(tmp_path: Path, site: Site):
    def busy(handler) -> bool:
        if len(site.asked) < 3:
            handler.send_error(503)
            return True
        return False

    site.things["/x"].before = busy
    fetch(tmp_path, stager(tmp_path, own=loopback(site.port)), site.uri("/x"), sha256=DIGEST)
    assert len(site.asked) == 3


# Once for all


def test_one_download_for_all_that_want_the_same(tmp_path: Path, site: Site):
    made = stager(tmp_path, own=loopback(site.port))
    all_wait = threading.Event()
    site.things["/x"].before = lambda handler: all_wait.wait(20) and None
    heard = [Listening() for _ in range(8)]
    threads = [
        threading.Thread(target=fetch, args=(tmp_path, made, site.uri("/x"), f"job-{n}", DIGEST, "demo", one))
        for n, one in enumerate(heard)
    ]
    for thread in threads:
        thread.start()
    while sum(bool(one.heard) for one in heard) < 7:  # those that wait are told how far the other is
        all_wait.wait(0.01)
    all_wait.set()
    for thread in threads:
        thread.join()
    assert len(site.asked) == 1
    assert all((tmp_path / f"job-{n}/x").read_bytes() == CONTENT for n in range(8))
    assert all(one.heard[-1] == (len(CONTENT), len(CONTENT)) for one in heard)


def test_who_waits_takes_over_when_the_first_is_cancelled(tmp_path: Path, site: Site):
    made = stager(tmp_path, own=loopback(site.port))
    waits = threading.Event()
    second = Listening()

    class First(Listening):
        def wanted(self) -> bool:
            return not (self.heard and waits.wait(20))

    def go() -> None:
        with pytest.raises(Stopped):
            fetch(tmp_path, made, site.uri("/x"), "first", listening=First())

    thread = threading.Thread(target=go)
    thread.start()
    while not site.asked:
        waits.wait(0.01)
    second.told = lambda done, total, note: waits.set()  # type: ignore[method-assign]
    fetch(tmp_path, made, site.uri("/x"), "second", DIGEST, listening=second)
    thread.join()
    assert (tmp_path / "second/x").read_bytes() == CONTENT
    assert ranges(site)[-1] is not None


def test_with_a_checksum_nobody_is_asked_again(tmp_path: Path, site: Site):
    made = stager(tmp_path, own=loopback(site.port))
    for n in range(3):
        fetch(tmp_path, made, site.uri("/x"), f"job-{n}", DIGEST)
    assert len(site.asked) == 1


def test_without_one_it_is_asked_whether_it_is_still_the_same(tmp_path: Path, site: Site):
    made = stager(tmp_path, own=loopback(site.port))
    fetch(tmp_path, made, site.uri("/x"), "one")
    fetch(tmp_path, made, site.uri("/x"), "two")
    assert [headers.get("if-none-match") for _, headers in site.asked] == [None, '"one"']
    site.things["/x"] = Served(b"new", '"two"')
    fetch(tmp_path, made, site.uri("/x"), "three")
    assert [(tmp_path / name / "x").read_bytes() for name in ("one", "two", "three")] == [
        CONTENT,
        CONTENT,
        b"new",
    ]


def test_content_is_not_had_by_its_checksum_alone(tmp_path: Path, site: Site):
    """Somebody who knows a digest names an address of his own with it: he gets what is there, or nothing."""
    made = stager(tmp_path, own=loopback(site.port))
    fetch(tmp_path, made, site.uri("/x"), "one", DIGEST)
    site.things["/mine"] = Served(b"mine")
    with pytest.raises(StagingFailed, match="not " + DIGEST):
        fetch(tmp_path, made, site.uri("/mine"), "two", DIGEST)


def test_a_job_cannot_change_what_the_next_one_reads(tmp_path: Path, site: Site):
    made = stager(tmp_path, own=loopback(site.port))
    fetch(tmp_path, made, site.uri("/x"), "one", DIGEST)
    (tmp_path / "one/x").chmod(0o644)
    (tmp_path / "one/x").write_bytes(b"poison")
    fetch(tmp_path, made, site.uri("/x"), "two", DIGEST)
    assert (tmp_path / "two/x").read_bytes() == CONTENT


# The cache's size and age


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def keep(cache: Cache, number: int, size: int = 100) -> str:
    """Puts content in as a download does; its digest."""
    at = address(f"https://data.example/{number}")
    cache.make_room(size)
    partial = cache.partial(at)
    partial.begin('"x"')
    partial.write(iter([bytes([number]) * size]), lambda _: None)
    return cache.keep(at, partial).sha256


def held(cache: Cache, number: int) -> bool:
    return cache.known(address(f"https://data.example/{number}")) is not None


def test_what_was_not_used_for_the_longest_time_goes_first(tmp_path: Path):
    clock = Clock()
    cache = Cache(tmp_path, 300, 1000.0, clock)
    digests = []
    for number in range(3):
        digests.append(keep(cache, number))
        clock.now += 1
    with cache.used(digests[0]):
        pass
    keep(cache, 3)
    assert [held(cache, n) for n in range(4)] == [True, False, True, True]
    again = Cache(tmp_path, 300, 1000.0, clock)  # a new agent counts what is there
    keep(again, 4)
    assert [held(again, n) for n in range(5)] == [True, False, False, True, True]


def test_what_somebody_uses_stays(tmp_path: Path):
    cache = Cache(tmp_path, 200, 1000.0, Clock())
    first = keep(cache, 0)
    with cache.used(first) as path:
        for number in range(1, 4):
            keep(cache, number)
        assert path.read_bytes() == bytes(100)
    keep(cache, 4)
    keep(cache, 5)
    with pytest.raises(KeyError), cache.used(first):
        pass


def test_what_is_too_old_goes_although_there_is_room(tmp_path: Path):
    clock = Clock()
    cache = Cache(tmp_path, 10_000, 1000.0, clock)
    keep(cache, 0)
    half = cache.partial(address("https://data.example/half"))
    half.begin('"x"')
    half.write(iter([b"half"]), lambda _: None)
    for path in tmp_path.rglob("*"):
        os.utime(path, (clock.now, clock.now))
    clock.now += 1001
    keep(cache, 1)
    assert [held(cache, n) for n in range(2)] == [False, True]
    assert not list((tmp_path / "partial").iterdir())


def test_more_than_the_cache_can_ever_hold(tmp_path: Path):
    with pytest.raises(Failed, match="more than this centre's cache holds"):
        Cache(tmp_path, 300, 1000.0, Clock()).make_room(301)


def test_a_half_of_before_a_power_cut_is_not_trusted(tmp_path: Path):
    at = address("https://data.example/x")
    half = Cache(tmp_path, 300, 1000.0, Clock(), epoch="boot-1").partial(at)
    half.begin('"x"')
    half.write(iter([b"half"]), lambda _: None)
    assert Cache(tmp_path, 300, 1000.0, Clock(), epoch="boot-1").partial(at).size == 4
    assert Cache(tmp_path, 300, 1000.0, Clock(), epoch="boot-2").partial(at).size == 0


# At the centre itself


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "photos"
    (folder / "inner").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "inner/b.txt").write_text("b")
    return folder


def local(tmp_path: Path, *projects: str):
    return stager(tmp_path, folders=(Folder(str(tmp_path / "data"), projects),))


def test_a_folder_with_the_digest_of_its_listing(tmp_path: Path, data: Path):
    files = {"a.txt": b"a", "inner/b.txt": b"b"}
    lines = "".join(f"{hashlib.sha256(text).hexdigest()}  {path}\n" for path, text in files.items())
    digest = hashlib.sha256(lines.encode()).hexdigest()
    heard = fetch(tmp_path, local(tmp_path), f"file://{data}", sha256=digest)
    found = sorted(
        path.relative_to(tmp_path / "into").as_posix() for path in (tmp_path / "into").rglob("*.txt")
    )
    assert found == ["a.txt", "inner/b.txt"]
    assert heard.heard[-1] == (2, 2)
    (data / "a.txt").write_text("c")
    with pytest.raises(StagingFailed, match=f"not {digest}"):
        fetch(tmp_path, local(tmp_path), f"file://{data}", "again", digest)


def test_a_file(tmp_path: Path, data: Path):
    fetch(tmp_path, local(tmp_path), f"file://{data}/a.txt", sha256=hashlib.sha256(b"a").hexdigest())
    assert (tmp_path / "into/a.txt").read_text() == "a"
    assert (tmp_path / "into/a.txt").stat().st_mode & 0o777 == 0o444


def test_only_below_what_the_operator_lists_and_for_whom(tmp_path: Path, data: Path):
    (tmp_path / "secret").write_text("s")
    for made, uri in (
        (local(tmp_path), f"file://{tmp_path}/secret"),
        (local(tmp_path, "team-a"), f"file://{data}/a.txt"),
        (stager(tmp_path), f"file://{data}/a.txt"),
    ):
        with pytest.raises(StagingFailed, match="this centre reads nothing below"):
            fetch(tmp_path, made, uri)
        (tmp_path / "into").rmdir()
    fetch(tmp_path, local(tmp_path, "team-a"), f"file://{data}/a.txt", project="team-a")


def test_links_lead_nowhere(tmp_path: Path, data: Path):
    (tmp_path / "secret").write_text("s")
    (data / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(StagingFailed, match="links are not followed"):
        fetch(tmp_path, local(tmp_path), f"file://{data}")
    with pytest.raises(StagingFailed, match="a link, which is not followed"):
        fetch(tmp_path, local(tmp_path), f"file://{data}/link", "two")
    (tmp_path / "data/way").symlink_to(data)
    with pytest.raises(StagingFailed, match="a link, which is not followed"):
        fetch(tmp_path, local(tmp_path), f"file://{tmp_path}/data/way/a.txt", "three")


def test_a_pipe_is_no_file(tmp_path: Path, data: Path):
    os.mkfifo(data / "pipe")
    with pytest.raises(StagingFailed, match="neither a file nor a folder"):
        fetch(tmp_path, local(tmp_path), f"file://{data}/pipe")


def test_what_is_not_there(tmp_path: Path, data: Path):
    with pytest.raises(StagingFailed, match="No such file"):
        fetch(tmp_path, local(tmp_path), f"file://{data}/absent")
