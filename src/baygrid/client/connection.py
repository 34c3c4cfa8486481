"""One server: addresses, retries of what may be retried, problems turned into errors.

Nothing is ever done twice by a retry: only reads, deletions and the submission of jobs (which carries an
Idempotency-Key) are repeated after the connection broke; everything else only when it was never made.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final, cast

import httpx2

from baygrid import __version__
from baygrid.client.errors import BaygridError, Flaw, Unreachable
from baygrid.client.wire import FINAL_EVENTS, FINAL_STATES, Array, Event, Explanation, Job, Submitted

FIRST: Final = (0.1, 0.3)
"""Pauses before the server has answered once: who forgot to start it should hear so at once."""
PATIENT: Final = (0.1, 0.3, 1.0, 2.0, 4.0, 8.0)
"""Pauses after it has: a restart takes some seconds."""
LONGEST_PAUSE: Final = 8.0
_SILENCE: Final = 75.0
"""Seconds without a byte, heartbeats too, after which a stream is taken as broken."""
_READ: Final = 30.0
_TIMEOUT: Final = httpx2.Timeout(_READ, connect=5.0)
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_REPEATABLE = frozenset({"GET", "HEAD", "DELETE"})

Params = Mapping[str, str | int | bool | None]
Lost = Callable[[bool], None]


class Connection:
    """One server, one token. `pause` and `transport` are for tests."""

    def __init__(
        self,
        server: str,
        token: str | None,
        *,
        pause: Callable[[float], None] = time.sleep,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self.server = server
        self._pause = pause
        self._answered = False
        headers = {"User-Agent": f"baygrid/{__version__}"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        # Reading the system's certificates takes as long as the rest of a command: not where there is no TLS.
        self._http = httpx2.Client(
            base_url=server,
            headers=headers,
            timeout=_TIMEOUT,
            verify=server.startswith("https:"),
            transport=transport,
        )

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, **params: str | int | bool | None) -> Any:
        return self.send("GET", path, params=params).json()

    def post(self, path: str, body: object = None, *, key: str | None = None) -> Any:
        """`key` is the Idempotency-Key; with one the request may be repeated."""
        return self.send("POST", path, json=body, headers={"Idempotency-Key": key} if key else None).json()

    def delete(self, path: str) -> None:
        self.send("DELETE", path)

    def items(self, path: str, limit: int | None = None, **params: str | int | bool | None) -> list[Any]:
        """The items of a list, page by page, at most `limit` of them."""
        found: list[Any] = []
        cursor: str | None = None
        while limit is None or len(found) < limit:
            left = 500 if limit is None else min(500, limit - len(found))
            page = self.get(path, limit=left, cursor=cursor, **params)
            found += page["items"]
            cursor = page.get("next")
            if not cursor:
                break
        return found

    def own_project(self) -> str:
        """The one project that this token can see, for who named none."""
        names = [str(project["name"]) for project in self.items("/v1/projects")]
        if len(names) == 1:
            return names[0]
        raise BaygridError(
            "no project is named" if names else "there is no project that this token may use",
            code="no-project",
            cure=f"name a project: there are {', '.join(names)}" if names else "ask your operator for one",
        )

    def submit(
        self,
        documents: list[dict[str, Any]],
        key: str | None = None,
        notice: Callable[[str], None] = lambda _: None,
    ) -> list[Submitted]:
        """One job as it is, several as one batch: all or none. Without a key of the caller's one is made, so
        that a repetition after a broken connection never makes a second job. `notice` is told what people
        should know of their budget."""
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        body = documents[0] if len(documents) == 1 else {"jobs": documents}
        answer = self.send("POST", "/v1/jobs", json=body, headers=headers)
        if told := answer.headers.get("baygrid-notice"):
            notice(told)
        made = answer.json()
        return [cast("Submitted", made)] if len(documents) == 1 else cast("list[Submitted]", made["items"])

    def job(self, job: str) -> Job:
        return cast("Job", self.get(f"/v1/jobs/{job}"))

    def array(self, array: str) -> Array:
        return cast("Array", self.get(f"/v1/arrays/{array}"))

    def explain_job(self, job: str) -> Explanation:
        return cast("Explanation", self.get(f"/v1/jobs/{job}/explain"))

    def explain_document(self, document: dict[str, Any]) -> Explanation:
        # A question changes nothing, so it may be asked again.
        return cast(
            "Explanation", self.send("POST", "/v1/placements/explain", json=document, again=True).json()
        )

    def events(self, job: str, after: str | None = None, lost: Lost = lambda _: None) -> Iterator[Event]:
        """What happens to a job, from its beginning (or `after` a cursor) to its end, whatever breaks on the
        way. `lost` is told when the server does not answer, and when it does again."""
        failures = 0
        while True:
            headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": after} if after else {})
            heard = False
            try:
                with self.stream(f"/v1/jobs/{job}/events", {"follow": True}, headers=headers) as response:
                    if failures:
                        lost(False)
                    for sent in httpx2.EventSource(response):
                        heard, failures = True, 0
                        after = sent.id or after
                        event = cast("Event", sent.json())
                        yield event
                        if event["kind"] in FINAL_EVENTS:
                            return
                if not heard and self.job(job)["state"] in FINAL_STATES:
                    return  # there was nothing after `after`
            except httpx2.TransportError:
                pass
            except BaygridError as error:
                if not _passing(error):
                    raise
                lost(True)
            self._pause(min(LONGEST_PAUSE, 0.1 * 2**failures))
            failures += 1

    def log(
        self, job: str, *, attempt: str | None = None, offset: int = 0, follow: bool = False
    ) -> Iterator[bytes]:
        """The bytes of a log; followed to its end whatever breaks on the way."""
        failures = 0
        while True:
            params = {"attempt": attempt, "offset": offset, "follow": follow or None}
            try:
                with self.stream(f"/v1/jobs/{job}/logs", params) as response:
                    for data in response.iter_raw():
                        offset += len(data)
                        failures = 0
                        yield data
                if not follow or self._log_is_whole(job, attempt, offset):
                    return
            except httpx2.TransportError as broken:
                if not follow and failures >= len(PATIENT):
                    raise Unreachable(self.server, _why(broken)) from broken
            except BaygridError as error:
                if not (follow and _passing(error)):
                    raise
            self._pause(min(LONGEST_PAUSE, 0.1 * 2**failures))
            failures += 1

    def _log_is_whole(self, job: str, attempt: str | None, offset: int) -> bool:
        """Whether a followed log ended because it is over, not because the server was stopped."""
        try:
            with self.stream(f"/v1/jobs/{job}/logs", {"attempt": attempt, "offset": offset}) as response:
                whole = response.headers.get("Log-Complete") == "true"
                return whole and response.headers.get("Log-Size") == str(offset)
        except BaygridError as error:
            if error.status in (404, 409):  # it ended before it ran
                return True
            raise

    @contextmanager
    def stream(
        self,
        path: str,
        params: Params | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        json: object = None,
        patience_s: float = _SILENCE,
    ) -> Iterator[httpx2.Response]:
        """A GET, or a POST of the question in `json`, whose body is read as it comes. A break in the body is
        the caller's (`TransportError`)."""
        request = self._http.build_request(
            "GET" if json is None else "POST",
            path,
            params=_known(params),
            json=json,
            headers={"Accept-Encoding": "identity", **(headers or {})},
            timeout=httpx2.Timeout(30.0, connect=5.0, read=patience_s),
        )
        response = self._answer(request, again=True, stream=True)
        try:
            yield response
        finally:
            response.close()

    def pour(self, path: str, chunks: Iterator[bytes]) -> None:
        """A PUT whose body comes bit by bit, for as long as it takes; that it broke is seen elsewhere."""
        with suppress(httpx2.TransportError):
            self._http.put(path, content=chunks, timeout=httpx2.Timeout(None, connect=5.0))

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        again: bool = False,
        accept: tuple[int, ...] = (),
        patience_s: float = _READ,
    ) -> httpx2.Response:
        """One request. `again`: it may be repeated; `accept`: statuses that are answers, not problems;
        `patience_s`: how long the server may say nothing."""
        again = again or method in _REPEATABLE or "Idempotency-Key" in (headers or {})
        request = self._http.build_request(
            method,
            path,
            params=_known(params),
            json=json,
            content=content,
            headers=dict(headers or {}),
            timeout=httpx2.Timeout(_READ, connect=5.0, read=patience_s),
        )
        return self._answer(request, again=again, accept=accept)

    def _answer(
        self, request: httpx2.Request, *, again: bool, stream: bool = False, accept: tuple[int, ...] = ()
    ) -> httpx2.Response:
        tried = 0
        while True:
            pauses = PATIENT if self._answered else FIRST
            try:
                response = self._http.send(request, stream=stream)
            except httpx2.TransportError as broken:
                never_made = isinstance(broken, _NOT_SENT)
                if tried >= len(pauses) or not (again or never_made):
                    if never_made or again:
                        raise Unreachable(self.server, _why(broken)) from broken
                    raise BaygridError(
                        f"the connection to {self.server} broke before the answer: it may be done or not",
                        code="answer-lost",
                        cure="look first, then repeat it",
                    ) from broken
                self._pause(pauses[tried])
            else:
                self._answered = True
                if response.is_success or response.status_code in accept:
                    return response
                if not (again and response.status_code == 503 and tried < len(pauses)):
                    response.read()
                    response.close()
                    raise problem(response)
                response.close()
                self._pause(_retry_after(response) or pauses[tried])
            tried += 1


def problem(response: httpx2.Response) -> BaygridError:
    """What the server said, or what can be said of an answer that is not one of ours."""
    try:
        document = response.json()
        detail = str(document["detail"])
    except (ValueError, KeyError, TypeError):
        return BaygridError(
            f"the server answered {response.status_code} {response.reason_phrase} to "
            f"{response.request.method} {response.request.url.path}",
            code="unexpected-answer",
            status=response.status_code,
            cure="is this the address of a Baygrid server? Name another with --server",
        )
    code = str(document.get("code", "failed"))
    cures = {"unauthorized": "log in with `baygrid login --server URL --token TOKEN`"}
    return BaygridError(
        detail,
        code=code,
        title=str(document.get("title", "")),
        status=response.status_code,
        flaws=[Flaw(str(p.get("path", "")), str(p.get("message", ""))) for p in document.get("problems", ())],
        cure=str(document.get("cure") or cures.get(code, "")),
    )


def _passing(error: BaygridError) -> bool:
    """Whether this may be over in a moment: no answer, or a server that is just starting."""
    return error.code == "unreachable" or (error.status or 0) >= 500


def _known(params: Params | None) -> dict[str, str | int]:
    """Without those that are None; truth values as JSON writes them."""
    given = {key: value for key, value in (params or {}).items() if value is not None}
    return {key: str(value).lower() if isinstance(value, bool) else value for key, value in given.items()}


def _retry_after(response: httpx2.Response) -> float | None:
    text = response.headers.get("Retry-After", "")
    return min(float(text), LONGEST_PAUSE) if text.isdecimal() else None


def _why(broken: Exception) -> str:
    text = str(broken) or type(broken).__name__
    return "connection refused" if "refused" in text.lower() else text
