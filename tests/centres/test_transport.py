"""The way to the server: what each answer means, and that uploads go on where they broke off."""

import hashlib
import http.server
import json
import threading
from collections.abc import Callable
from dataclasses import replace

import httpx2
import pytest

from baygrid.centres.agent import Agent
from baygrid.centres.transport import CHUNK, HttpTransport
from baygrid.ports.messages import Desired, Refused, Renewed, Report, ReportAnswer, Unreachable
from baygrid.ports.wire import decode, to_json
from tests.centres.fakes import FakeCentre, FakeKey, MemoryJournal
from tests.centres.site import order, sha256, stop_of

REPORT = Agent("hq", FakeCentre(), MemoryJournal(), FakeKey(), 1_000).report(1_000)
NOTHING = Desired(7, (), ())


class Script:
    """A server made of one function; what it was asked is kept."""

    def __init__(self, answer) -> None:
        self.asked: list[httpx2.Request] = []
        self._answer = answer

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        request.read()
        self.asked.append(request)
        answer = self._answer(request) if callable(self._answer) else self._answer
        if isinstance(answer, Exception):
            raise answer
        return answer


def connect(answer, **options):
    script = Script(answer)
    transport = HttpTransport("http://server/", "s3cret", inner=httpx2.MockTransport(script), **options)
    return transport, script


def test_a_report_is_posted_and_answered():
    answer = ReportAnswer(3, ("att-1",), (("att-1", 0),), "digest")
    transport, script = connect(httpx2.Response(200, json=to_json(answer)))
    assert transport.report(REPORT) == answer
    request = script.asked[0]
    assert (request.method, request.url.path) == ("POST", "/v1/agent/report")
    assert request.headers["authorization"] == "Bearer s3cret"
    assert decode(Report, request.content) == REPORT


def test_desired_is_asked_with_where_we_stand_and_waits_longer_than_the_server():
    desired = Desired(9, (order(),), (stop_of(order(number=2)),))
    transport, script = connect(httpx2.Response(200, json=to_json(desired)))
    assert transport.desired(5, 7, 30) == desired
    request = script.asked[0]
    assert dict(request.url.params) == {"incarnation": "5", "after": "7", "wait": "30"}
    assert request.extensions["timeout"]["read"] > 30


def test_no_content_is_nothing_new():
    transport, _ = connect(httpx2.Response(204))
    assert transport.desired(5, 7, 30) == NOTHING


def test_a_log_is_put_with_its_token_and_offset():
    transport, script = connect(httpx2.Response(200, json={"size": 12}))
    assert transport.append_log("att-1", "token", 7, b"hello") == 12
    request = script.asked[0]
    assert (request.method, request.url.path, request.content) == ("PUT", "/v1/agent/logs/att-1", b"hello")
    assert request.url.params["offset"] == "7"
    assert request.headers["baygrid-attempt-token"] == "token"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_be_better_later_is_unreachable(status):
    transport, _ = connect(httpx2.Response(status, text="<html>a proxy says no</html>"))
    with pytest.raises(Unreachable, match=str(status)):
        transport.report(REPORT)


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 409, 413, 422])
def test_what_will_not_be_better_is_refused_with_the_servers_words(status):
    problem = {"type": "about:blank", "title": "No", "detail": "because of the moon"}
    transport, _ = connect(httpx2.Response(status, json=problem))
    with pytest.raises(Refused) as caught:
        transport.report(REPORT)
    assert (caught.value.status, caught.value.detail) == (status, "because of the moon")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"gen": "x"}'])
def test_an_answer_that_is_no_message_is_unreachable(body):
    transport, _ = connect(lambda request: httpx2.Response(200, content=body))
    with pytest.raises(Unreachable):
        transport.report(REPORT)
    with pytest.raises(Unreachable):
        transport.append_log("a", "t", 0, b"x")


@pytest.mark.parametrize("error", [httpx2.ConnectError, httpx2.ReadTimeout, httpx2.RemoteProtocolError])
def test_a_broken_line_is_unreachable(error):
    transport, _ = connect(error("gone"))
    for call in (
        lambda: transport.report(REPORT),
        lambda: transport.desired(1, 0, 1),
        lambda: transport.append_log("a", "t", 0, b"x"),
        lambda: list(transport.fetch_blob("0" * 64)),
    ):
        with pytest.raises(Unreachable):
            call()


def test_failpoints_stand_around_every_request():
    names: list[str] = []
    transport, _ = connect(httpx2.Response(204), failpoint=names.append)
    transport.desired(1, 7, 1)
    assert names == [
        "transport.send.before",
        "transport.send.after",
        "transport.receive.before",
        "transport.receive.after",
    ]


def test_a_failpoint_may_raise_what_it_likes():
    def crash(name):
        if name == "transport.receive.before":
            raise KeyboardInterrupt

    transport, script = connect(httpx2.Response(204), failpoint=crash)
    with pytest.raises(KeyboardInterrupt):
        transport.desired(1, 7, 1)
    assert [request.method for request in script.asked] == ["GET"], "the server has seen it"


class BlobServer:
    """The server's side of resumable uploads. `breaks_after`: it drops the line after so many parts."""

    def __init__(self, breaks_after: int = 1_000) -> None:
        self.parts: dict[str, bytearray] = {}
        self.whole: dict[str, bytes] = {}
        self.received = 0
        self.breaks_after = breaks_after
        self.meddle: Callable[[], None] | None = None

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        digest = request.url.path.rpartition("/")[2]
        if request.method == "HEAD":
            if digest in self.whole:
                return httpx2.Response(200, headers={"Content-Length": str(len(self.whole[digest]))})
            return httpx2.Response(404, headers={"Upload-Offset": str(len(self.parts.get(digest, b"")))})
        if request.method == "GET":
            if digest not in self.whole:
                return httpx2.Response(404, json={"detail": "no such blob"})
            return httpx2.Response(200, content=self.whole[digest])
        if self.meddle is not None:
            meddle, self.meddle = self.meddle, None
            meddle()
        if self.breaks_after == 0:
            raise httpx2.ReadError("the line broke")
        self.breaks_after -= 1
        self.received += len(request.content)
        held = self.parts.setdefault(digest, bytearray())
        start, total = 0, len(request.content)
        if "content-range" in request.headers:
            span, _, whole = request.headers["content-range"].removeprefix("bytes ").partition("/")
            start, total = int(span.partition("-")[0]), int(whole)
        if start > len(held):
            return httpx2.Response(422, json={"detail": "leaves a gap"})
        held[start:] = request.content
        if len(held) < total:
            return httpx2.Response(200, json={"size": len(held)})
        if hashlib.sha256(held).hexdigest() != digest:
            del self.parts[digest]
            return httpx2.Response(422, json={"detail": "another hash"})
        self.whole[digest] = bytes(self.parts.pop(digest))
        return httpx2.Response(201, json={"size": total})


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, 2 * CHUNK + 5])
def test_a_blob_goes_there_and_comes_back(tmp_path, size):
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    (tmp_path / "blob").write_bytes(data)
    server = BlobServer()
    transport, _ = connect(server)
    transport.put_blob(sha256(data), tmp_path / "blob")
    assert server.whole == {sha256(data): data}
    assert b"".join(transport.fetch_blob(sha256(data))) == data
    transport.put_blob(sha256(data), tmp_path / "blob")
    assert server.received == size, "what the server has is not sent again"


def test_an_upload_goes_on_where_it_broke_off(tmp_path):
    data = b"a" * CHUNK + b"b" * CHUNK + b"c"
    (tmp_path / "blob").write_bytes(data)
    server = BlobServer(breaks_after=1)
    transport, _ = connect(server)
    with pytest.raises(Unreachable):
        transport.put_blob(sha256(data), tmp_path / "blob")
    server.breaks_after = 1_000
    transport.put_blob(sha256(data), tmp_path / "blob")
    assert server.whole == {sha256(data): data}
    assert server.received == len(data)


def test_an_upload_that_somebody_else_finished_is_finished(tmp_path):
    data = b"a" * CHUNK + b"b" * CHUNK
    (tmp_path / "blob").write_bytes(data)
    server = BlobServer(breaks_after=1)
    transport, _ = connect(server)
    with pytest.raises(Unreachable):
        transport.put_blob(sha256(data), tmp_path / "blob")
    server.breaks_after = 1_000

    def another_finishes():
        server.whole[sha256(data)] = data
        server.parts.clear()

    server.meddle = another_finishes
    transport.put_blob(sha256(data), tmp_path / "blob")


def test_content_with_another_hash_is_refused_in_the_end(tmp_path):
    (tmp_path / "blob").write_bytes(b"changed meanwhile")
    transport, _ = connect(BlobServer())
    with pytest.raises(Refused, match="another hash"):
        transport.put_blob(sha256(b"as it was"), tmp_path / "blob")


def test_a_blob_that_is_not_there_is_refused():
    transport, _ = connect(BlobServer())
    with pytest.raises(Refused, match="no such blob"):
        list(transport.fetch_blob("0" * 64))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        body = json.dumps(to_json(ReportAnswer(1, (), (), "d"))).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *arguments):
        pass


def test_a_refusal_of_the_credential_before_is_no_refusal_of_the_agent():
    def renewed_meanwhile(request: httpx2.Request) -> httpx2.Response:
        transport.use("next")
        return httpx2.Response(401, json={"detail": "was taken back", "code": "unauthorized"})

    transport, _ = connect(renewed_meanwhile)
    with pytest.raises(Renewed):
        transport.report(REPORT)
    with pytest.raises(Refused):
        transport.report(REPORT)


def test_it_works_over_a_real_socket_from_several_threads():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        transport = HttpTransport(f"http://127.0.0.1:{server.server_port}", "t")
        answers = []

        def work(first):
            for seq in range(first, first + 10):
                answers.append(transport.report(replace(REPORT, seq=seq)))  # noqa: PERF401

        threads = [threading.Thread(target=work, args=(n * 10,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        transport.close()
        server.shutdown()
    assert answers == [ReportAnswer(1, (), (), "d")] * 40
