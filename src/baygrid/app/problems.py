"""What can be wrong with a request, as exceptions that the API renders as RFC 9457 problems.

The message is one sentence for a person, with the cure. `code` is stable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class Problem(Exception):
    """A request that changed nothing."""

    status: ClassVar[int]
    code: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra: Mapping[str, Any] = extra


class Invalid(Problem):
    status, code, title = 422, "invalid", "The request is not valid"

    @classmethod
    def at(cls, path: str, message: str) -> Invalid:
        return cls.many([(path, message)])

    @classmethod
    def many(cls, problems: Sequence[tuple[str, str]]) -> Invalid:
        """(path, message) each; the detail says the first."""
        path, message = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return cls(
            f"{path}: {message}{more}" if path else message + more,
            problems=[{"path": p, "message": m} for p, m in problems],
        )


class Malformed(Problem):
    status, code, title = 400, "malformed", "The request cannot be read"


class Unauthorized(Problem):
    status, code, title = 401, "unauthorized", "No valid token"


class UnknownToken(Unauthorized):
    """No token at all, or none that is in force."""


class Forbidden(Problem):
    status, code, title = 403, "forbidden", "This token may not do this"


class NotFound(Problem):
    """Also the answer for what belongs to another project: it must not show that it exists."""

    status, code, title = 404, "not-found", "Not found"


class WrongState(Problem):
    """The thing is not in a state in which this is possible."""

    status, code, title = 409, "conflict", "Not possible now"


class NotEnoughMoney(Problem):
    status, code, title = 402, "not-enough-money", "The project cannot cover this job"


class Impossible(Problem):
    status, code, title = 422, "impossible", "No centre of the region can ever run this job"


class IdempotencyMismatch(Problem):
    status, code, title = 422, "idempotency-mismatch", "This Idempotency-Key was used for another request"


class TooLarge(Problem):
    status, code, title = 413, "too-large", "The request is too large"


class VersionMismatch(Problem):
    status, code, title = 426, "version", "Agent and server are too far apart"


class SlowDown(Problem):
    """Too many guesses; the extra member `seconds` says how long to wait."""

    status, code, title = 429, "slow-down", "Too many tries"


class NotYet(Problem):
    """A device gets no token, or none yet; the extra member `error` is that of RFC 8628."""

    status, code, title = 400, "device", "No token for this device"

    def __init__(self, error: str, detail: str) -> None:
        super().__init__(detail, error=error)
