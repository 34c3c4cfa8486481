"""Requests to an API server, and what its answers mean: known, refused for good, or nothing known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2
import orjson

from baygrid.centres.engine import EngineSilent
from baygrid.centres.kubernetes.access import Access

PAGE = 500  # what kubectl asks for at once
_GONE = 410
_NOT_ANSWERS = frozenset(
    {401, 408, 429}
)  # a token that ran out, or too much at once: not about what was asked


class Rejected(Exception):
    """The server understood and says no. `reason` is its word: NotFound, AlreadyExists, Forbidden,
    Invalid."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message or reason)
        self.status = status
        self.reason = reason
        self.message = message


class Client:
    """One server, one connection kept. Every method raises EngineSilent or Rejected."""

    def __init__(
        self, access: Access, timeout_s: float = 30.0, transport: httpx2.BaseTransport | None = None
    ) -> None:
        self._access = access
        self._extensions = {"sni_hostname": access.server_name} if access.server_name else {}
        verify = access.tls() if transport is None else True
        self._http = httpx2.Client(
            base_url=access.server, verify=verify, timeout=timeout_s, transport=transport, trust_env=False
        )

    def get(self, path: str, **params: Any) -> Any:
        return self._ask("GET", path, params)

    def listed(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """All items, page by page, of one moment: the pages carry the first one's resourceVersion. When that
        has grown too old on the way (410), from the start again."""
        found: list[dict[str, Any]] = []
        token = ""
        while True:
            try:
                page = self.get(path, limit=PAGE, **params, **({"continue": token} if token else {}))
            except Rejected as rejected:
                if rejected.status != _GONE or not token:
                    raise
                found, token = [], ""
                continue
            found += page.get("items") or ()
            token = (page.get("metadata") or {}).get("continue") or ""
            if not token:
                return found

    def create(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._ask("POST", path, {}, body, "application/json")

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """As RFC 7386 merges."""
        return self._ask("PATCH", path, {}, body, "application/merge-patch+json")

    def delete(self, path: str, body: Mapping[str, Any], **params: Any) -> Any:
        """`body`: DeleteOptions; on a collection `params` select what of it."""
        return self._ask("DELETE", path, params, body, "application/json")

    def close(self) -> None:
        self._http.close()

    def _ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any],
        body: Mapping[str, Any] | None = None,
        kind: str | None = None,
    ) -> Any:
        try:
            headers = {"Accept": "application/json", **self._access.authorization()}
            if kind is not None:
                headers["Content-Type"] = kind
            answer = self._http.request(
                method,
                path,
                params=dict(params),
                content=None if body is None else orjson.dumps(body),
                headers=headers,
                extensions=self._extensions,
            )
            said = orjson.loads(answer.content) if answer.content else {}
        except (httpx2.HTTPError, OSError, orjson.JSONDecodeError) as error:
            raise EngineSilent(f"{method} {path}: {str(error) or type(error).__name__}") from None
        if answer.is_success:
            return said
        said = said if isinstance(said, dict) else {}
        message, reason = str(said.get("message") or ""), str(said.get("reason") or answer.reason_phrase)
        if answer.status_code in _NOT_ANSWERS or answer.status_code >= 500 or answer.is_redirect:
            raise EngineSilent(f"{method} {path}: {answer.status_code} {message or reason}")
        raise Rejected(answer.status_code, reason, message)
