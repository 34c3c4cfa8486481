"""The way to the server over HTTP. Every request may be repeated, and whoever asked knows when; only an
upload that the server refuses, as when another sends the same, goes on here, from what it has by then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx2

from baygrid.ports.basics import Failpoint, no_failpoint
from baygrid.ports.messages import Desired, Refused, Renewed, Report, ReportAnswer, Secrets, Unreachable
from baygrid.ports.tunnels import Tunnel, Wanted
from baygrid.ports.wire import decode, encode

CHUNK = 4 << 20
CONNECT_S = 10.0
ANSWER_S = 30.0
KEEP_ALIVE_S = 30.0
"""Longer than between two heartbeats, shorter than the server keeps a connection that is idle."""
UPLOAD_ROUNDS = 3
_OPEN = httpx2.Timeout(None, connect=CONNECT_S)
"""Of a tunnel, which may be silent for long: the server ends it."""

M = TypeVar("M")


class HttpTransport:
    """`ports.centre.Transport`. Safe for several threads. `inner` replaces the network in tests."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        failpoint: Failpoint = no_failpoint,
        verify: bool | str = True,
        inner: httpx2.BaseTransport | None = None,
    ) -> None:
        self._failpoint = failpoint
        self._token = token
        self._client = httpx2.Client(
            base_url=url.rstrip("/"),
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx2.Timeout(ANSWER_S, connect=CONNECT_S),
            limits=httpx2.Limits(
                max_connections=256, max_keepalive_connections=16, keepalive_expiry=KEEP_ALIVE_S
            ),
            # Reading the system's certificates takes longer than all else here: not where there is no TLS.
            verify=verify if url.startswith("https:") else False,
            transport=inner,
            follow_redirects=False,
        )

    def close(self) -> None:
        self._client.close()

    def use(self, token: str) -> None:
        """From now on another credential."""
        self._token = token
        self._client.headers["Authorization"] = f"Bearer {token}"

    def joining(self) -> dict[str, Any]:
        """What the join token is for that is used just now."""
        return _document(self._send("GET", "/v1/agent/join"))

    def join(self, document: dict[str, Any]) -> dict[str, Any]:
        return _document(self._send("POST", "/v1/agent/join", json=document))

    def renew(self, credential: str) -> None:
        """`credential`: the SHA-256 of the agent's next secret."""
        self._send("POST", "/v1/agent/credential", json={"credential": credential})

    def report(self, report: Report) -> ReportAnswer:
        answer = self._send(
            "POST",
            "/v1/agent/report",
            content=encode(report),
            headers={"Content-Type": "application/json"},
        )
        return _read(ReportAnswer, answer)

    def desired(self, incarnation: int, after: int, wait_s: float) -> Desired:
        answer = self._send(
            "GET",
            "/v1/agent/desired",
            params={"incarnation": incarnation, "after": after, "wait": wait_s},
            timeout=httpx2.Timeout(ANSWER_S, connect=CONNECT_S, read=wait_s + ANSWER_S),
        )
        if answer.status_code == 204:
            return Desired(after, (), ())
        return _read(Desired, answer)

    def append_log(self, attempt: str, token: str, offset: int, data: bytes) -> int:
        answer = self._send(
            "PUT",
            f"/v1/agent/logs/{attempt}",
            params={"offset": offset},
            content=data,
            headers={"Baygrid-Attempt-Token": token, "Content-Type": "application/octet-stream"},
        )
        try:
            size = answer.json()["size"]
        except (ValueError, KeyError, TypeError):
            size = None
        if type(size) is not int:
            raise Unreachable("the answer to a stretch of log cannot be read")
        return size

    def secrets(self, attempt: str, token: str) -> Mapping[str, str]:
        answer = self._send("POST", f"/v1/agent/secrets/{attempt}", headers={"Baygrid-Attempt-Token": token})
        return _read(Secrets, answer).values

    def wanted(self, wait_s: float) -> tuple[Tunnel, ...]:
        answer = self._send(
            "GET",
            "/v1/agent/tunnels",
            params={"wait": wait_s},
            timeout=httpx2.Timeout(ANSWER_S, connect=CONNECT_S, read=wait_s + ANSWER_S),
        )
        return _read(Wanted, answer).tunnels

    def read(self, id: str) -> Iterator[bytes]:
        with self._sent("GET", f"/v1/agent/tunnels/{id}/in", timeout=_OPEN) as answer:
            if answer.status_code != 200:
                answer.read()
                _check(answer)
            yield from answer.iter_raw()

    def write(self, id: str, chunks: Iterator[bytes]) -> None:
        self._send("PUT", f"/v1/agent/tunnels/{id}/out", content=chunks, timeout=_OPEN)

    def put_blob(self, sha256: str, path: Path) -> None:
        """Goes on where an earlier try broke off; nothing is sent that the server has.

        Somebody else may upload the same content at the same time: when that is done, ours no longer fits.
        """
        refusal: Refused | None = None
        for _ in range(UPLOAD_ROUNDS):
            offset = self._uploaded(sha256)
            if offset is None:
                return
            try:
                self._upload(sha256, path, offset)
            except Refused as error:
                refusal = error
        if refusal is not None:
            raise refusal
        if self._uploaded(sha256) is not None:
            raise Unreachable("the server does not have the whole upload yet")

    def fetch_blob(self, sha256: str) -> Iterator[bytes]:
        """Raises Unreachable where the stream breaks off. Whoever keeps it checks the hash."""
        with self._sent("GET", f"/v1/blobs/{sha256}") as answer:
            if answer.status_code != 200:
                answer.read()
                _check(answer)
            yield from answer.iter_bytes(1 << 20)

    def piece(self, size: int, timeout_s: float) -> Iterator[bytes]:
        """Bytes that mean nothing, to measure the link by. No failpoint: nothing depends on them."""
        limit = httpx2.Timeout(timeout_s)
        with self._opened("GET", "/v1/agent/exchange", params={"bytes": size}, timeout=limit) as answer:
            if answer.status_code != 200:
                answer.read()
                _check(answer)
            yield from answer.iter_raw()

    def _upload(self, sha256: str, path: Path, offset: int) -> None:
        total = path.stat().st_size
        with path.open("rb") as file:
            file.seek(min(offset, total))
            while True:
                start = file.tell()
                part = file.read(CHUNK)
                headers = {"Content-Type": "application/octet-stream"}
                if part:
                    headers["Content-Range"] = f"bytes {start}-{start + len(part) - 1}/{total}"
                self._send("PUT", f"/v1/blobs/{sha256}", content=part, headers=headers)
                if start + len(part) >= total:
                    return

    def _uploaded(self, sha256: str) -> int | None:
        """How much of a blob the server has; None when it is whole."""
        answer = self._send("HEAD", f"/v1/blobs/{sha256}", absent=True)
        if answer.status_code != 404:
            return None
        try:
            return max(0, int(answer.headers.get("Upload-Offset", "0")))
        except ValueError:
            return 0

    def _send(self, method: str, path: str, *, absent: bool = False, **request: Any) -> httpx2.Response:
        token = self._token
        with self._sent(method, path, **request) as answer:
            answer.read()
        if answer.status_code == 401 and token != self._token:
            raise Renewed("it was sent with the credential before the present one")
        if not (absent and answer.status_code == 404):
            _check(answer)
        return answer

    @contextmanager
    def _sent(self, method: str, path: str, **request: Any) -> Iterator[httpx2.Response]:
        """One request; its answer's head has come, its body has not."""
        self._failpoint("transport.send.before")
        with self._opened(method, path, **request) as answer:
            self._failpoint("transport.send.after")
            self._failpoint("transport.receive.before")
            yield answer
        self._failpoint("transport.receive.after")

    @contextmanager
    def _opened(self, method: str, path: str, **request: Any) -> Iterator[httpx2.Response]:
        try:
            with self._client.stream(method, path, **request) as answer:
                yield answer
        except (httpx2.HTTPError, httpx2.StreamError) as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from None
        except RuntimeError as error:
            if self._client.is_closed:
                raise Unreachable("the agent is stopping") from None
            raise error


def _check(answer: httpx2.Response) -> None:
    """What the server may answer better later is Unreachable, the rest Refused."""
    status = answer.status_code
    if status < 300:
        return
    if status in (408, 425, 429) or status >= 500:
        raise Unreachable(f"the server answered {status}")
    try:
        problem = answer.json()
        detail, code = (
            str(problem.get("detail") or problem.get("title") or ""),
            str(problem.get("code") or ""),
        )
    except (ValueError, AttributeError):
        detail, code = answer.text[:200], ""
    raise Refused(status, detail[:500], code)


def _document(answer: httpx2.Response) -> dict[str, Any]:
    try:
        document = answer.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise Unreachable("the answer cannot be read")
    return document


def _read(cls: type[M], answer: httpx2.Response) -> M:
    """An answer that is no message is a proxy's error page, or a fault that a later version of the server
    mends."""
    try:
        return decode(cls, answer.content)
    except ValueError as error:
        raise Unreachable(f"the answer cannot be read: {error}") from None
