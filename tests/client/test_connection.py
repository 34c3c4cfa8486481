"""The client repeats what may be repeated, never what may not, and turns every answer into words."""

import json

import httpx2
import pytest

from baygrid.cli.errors import CliError, Unreachable
from baygrid.client.connection import FIRST, PATIENT, Connection

PROBLEM = {"content-type": "application/problem+json"}


class Server:
    """Answers from a script: each entry is a response, an exception, or a function of the request."""

    def __init__(self, *script):
        self.script = list(script)
        self.requests: list[httpx2.Request] = []
        self.pauses: list[float] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, Exception):
            raise answer
        return answer(request) if callable(answer) else answer

    def client(self) -> Connection:
        return Connection("http://test", "t", pause=self.pauses.append, transport=httpx2.MockTransport(self))


def ok(document, status=200, **headers):
    return httpx2.Response(status, json=document, headers=headers)


REFUSED = httpx2.ConnectError("Connection refused")
BROKEN = httpx2.ReadError("gone")


def test_the_token_goes_along():
    server = Server(ok({"role": "team"}))
    assert server.client().get("/v1/me") == {"role": "team"}
    assert server.requests[0].headers["Authorization"] == "Bearer t"


def test_a_read_is_repeated():
    server = Server(BROKEN, ok({"a": 1}))
    assert server.client().get("/v1/me") == {"a": 1}
    assert server.pauses == [FIRST[0]]


def test_who_forgot_to_start_a_server_hears_so_soon():
    server = Server(REFUSED)
    with pytest.raises(Unreachable, match="connection refused") as error:
        server.client().get("/v1/me")
    assert "baygrid serve" in error.value.cure
    assert sum(server.pauses) < 1


def test_a_server_that_answered_once_is_given_time_to_restart():
    server = Server(ok({}), REFUSED)
    client = server.client()
    client.get("/v1/me")
    with pytest.raises(Unreachable):
        client.get("/v1/me")
    assert server.pauses == list(PATIENT)


def test_a_post_that_may_have_arrived_is_not_repeated():
    server = Server(BROKEN, ok({}))
    with pytest.raises(CliError, match="may be done or not"):
        server.client().post("/v1/projects/p/grants", {"amount": "1 CNY"})
    assert len(server.requests) == 1


def test_a_post_that_was_never_made_is_repeated():
    server = Server(REFUSED, ok({"name": "p"}, 201))
    assert server.client().post("/v1/projects", {}) == {"name": "p"}


def test_a_job_is_submitted_with_one_key_however_often_it_is_sent():
    server = Server(BROKEN, httpx2.Response(503, headers={"Retry-After": "3"}), ok({"id": "job-1"}, 201))
    assert server.client().submit([{"name": "a"}]) == [{"id": "job-1"}]
    keys = {request.headers["Idempotency-Key"] for request in server.requests}
    assert len(server.requests) == 3
    assert len(keys) == 1
    assert server.pauses[1] == 3.0
    assert {request.content for request in server.requests} == {b'{"name":"a"}'}


def test_two_submissions_have_two_keys_unless_the_caller_says_one():
    server = Server(ok({"id": "job-1"}, 201))
    client = server.client()
    client.submit([{}])
    client.submit([{}])
    client.submit([{}], "mine")
    keys = [request.headers["Idempotency-Key"] for request in server.requests]
    assert keys[0] != keys[1]
    assert keys[2] == "mine"


def test_several_jobs_are_one_batch():
    server = Server(ok({"items": [{"id": "1"}, {"id": "2"}]}, 201))
    assert [job["id"] for job in server.client().submit([{"name": "a"}, {"name": "b"}])] == ["1", "2"]
    assert json.loads(server.requests[0].content) == {"jobs": [{"name": "a"}, {"name": "b"}]}


def test_pages_are_followed_and_a_limit_is_kept():
    pages = [ok({"items": [1, 2], "next": "c"}), ok({"items": [3, 4], "next": None})]
    assert Server(*pages).client().items("/v1/jobs", state=None) == [1, 2, 3, 4]
    server = Server(ok({"items": [1, 2], "next": "c"}), ok({"items": [3], "next": "d"}))
    assert server.client().items("/v1/jobs", 3, state="FAILED") == [1, 2, 3]
    assert dict(server.requests[1].url.params) == {"limit": "1", "cursor": "c", "state": "FAILED"}


def test_a_problem_becomes_an_error_with_all_that_it_says():
    document = {
        "title": "Invalid",
        "detail": "x",
        "code": "invalid",
        "problems": [{"path": "time", "message": "no"}],
    }
    with pytest.raises(CliError) as error:
        Server(httpx2.Response(422, json=document, headers=PROBLEM)).client().post("/v1/jobs", {})
    assert error.value.status == 422
    assert error.value.lines() == ["error: Invalid", "  time: no"]
    assert error.value.to_json() == {
        "type": "urn:baygrid:problem:invalid", "title": "Invalid", "status": 422, "detail": "x",
        "code": "invalid", "problems": [{"path": "time", "message": "no"}],
    }  # fmt: skip


def test_an_answer_of_something_else_is_named_as_such():
    with pytest.raises(CliError, match="answered 502") as error:
        Server(httpx2.Response(502, text="<html>")).client().get("/v1/me")
    assert "--server" in error.value.cure


def test_without_a_valid_token_the_cure_is_to_log_in():
    answer = httpx2.Response(401, json={"detail": "no", "code": "unauthorized"}, headers=PROBLEM)
    with pytest.raises(CliError) as error:
        Server(answer).client().get("/v1/me")
    assert "baygrid login" in error.value.cure


def event(cursor: str, kind: str) -> str:
    document: dict = {"cursor": cursor, "at": "2026-11-22T00:00:00.000Z", "kind": kind, "attempt": None}
    return f"id: {cursor}\nevent: {kind}\ndata: {json.dumps(document)}\n\n"


class Cut(httpx2.SyncByteStream):
    """A body that breaks off."""

    def __init__(self, *chunks: str) -> None:
        self._chunks = chunks

    def __iter__(self):
        for chunk in self._chunks:
            yield chunk.encode()
        raise httpx2.ReadError("gone")


def sse(*chunks: str, cut: bool = False) -> httpx2.Response:
    headers = {"content-type": "text/event-stream"}
    if cut:
        return httpx2.Response(200, headers=headers, stream=Cut(*chunks))
    return httpx2.Response(200, headers=headers, content="".join(chunks).encode())


def test_events_go_on_where_the_connection_broke():
    half = event("0-3", "attempt-running")
    server = Server(
        sse(":\n\n", event("0-1", "job-submitted"), event("0-2", "job-placed"), half[:20], cut=True),
        REFUSED, REFUSED, REFUSED,
        sse(event("0-3", "attempt-running")),  # a server that is stopped ends the stream
        sse(event("0-4", "job-succeeded"), event("0-5", "never-read")),
    )  # fmt: skip
    told: list[bool] = []
    kinds = [each["kind"] for each in server.client().events("job-1", lost=told.append)]
    assert kinds == ["job-submitted", "job-placed", "attempt-running", "job-succeeded"]
    asked = [request.headers.get("Last-Event-ID") for request in server.requests]
    assert asked[0] is None
    assert asked[1] == "0-2"
    assert asked[-1] == "0-3"
    assert False in told


def test_events_after_the_end_are_none():
    server = Server(sse(), ok({"state": "SUCCEEDED"}))
    assert list(server.client().events("job-1", after="0-9")) == []


def test_a_refusal_is_not_asked_again():
    server = Server(httpx2.Response(404, json={"detail": "no job", "code": "not-found"}, headers=PROBLEM))
    with pytest.raises(CliError, match="no job"):
        list(server.client().events("job-1"))
    assert len(server.requests) == 1


def log(text: str, *, complete: bool = False, size: int = 0, cut: bool = False) -> httpx2.Response:
    headers = {"Log-Complete": str(complete).lower(), "Log-Size": str(size)}
    if cut:
        return httpx2.Response(200, headers=headers, stream=Cut(text))
    return httpx2.Response(200, headers=headers, stream=httpx2.ByteStream(text.encode()))


def test_a_followed_log_loses_nothing_and_repeats_nothing():
    server = Server(
        log("one\ntw", cut=True),
        log("o\n"), log("", size=8),  # the server was stopped, and the log is not over
        log("three"), log("", complete=True, size=13),
    )  # fmt: skip
    assert b"".join(server.client().log("job-1", attempt="att-1", follow=True)) == b"one\ntwo\nthree"
    offsets = [request.url.params["offset"] for request in server.requests]
    assert offsets == ["0", "6", "8", "8", "13"]


def test_a_followed_log_of_a_job_that_never_ran_ends():
    gone = httpx2.Response(409, json={"detail": "was cancelled", "code": "conflict"}, headers=PROBLEM)
    assert list(Server(log(""), gone).client().log("job-1", follow=True)) == []
