"""What is said when something cannot be done: one sentence, what is wrong where, the cure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Flaw:
    """One mistake in a document: where, what, and the line of the file where that is known."""

    path: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        where = ", ".join(part for part in (f"line {self.line}" if self.line else "", self.path) if part)
        return f"{where}: {self.message}" if where else self.message

    def to_json(self) -> dict[str, Any]:
        known = {"path": self.path, "message": self.message}
        return known | ({"line": self.line} if self.line else {})


class BaygridError(Exception):
    """What cannot be done, in the words of the server or of this client: a problem (RFC 9457). `code` is
    stable, `flaws` are the mistakes of a document, `cure` says what helps, `exit_code` is that of a command
    that it ends."""

    def __init__(
        self,
        detail: str,
        *,
        code: str = "failed",
        title: str = "",
        status: int | None = None,
        flaws: Sequence[Flaw] = (),
        cure: str = "",
        exit_code: int = 1,
    ) -> None:
        super().__init__(detail)
        self.detail, self.code, self.title, self.status = detail, code, title, status
        self.flaws, self.cure, self.exit_code = tuple(flaws), cure, exit_code

    def to_json(self) -> dict[str, Any]:
        """A problem document; members that are not known are left out."""
        members = {
            "type": f"urn:baygrid:problem:{self.code}",
            "title": self.title or self.detail,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "problems": [flaw.to_json() for flaw in self.flaws],
            "cure": self.cure,
        }
        return {key: value for key, value in members.items() if value}

    def lines(self) -> list[str]:
        """The text for a person. The detail of a document with several flaws would only repeat the first."""
        said = [f"error: {self.detail}"]
        if self.flaws:
            said = [f"error: {self.title or self.detail}", *(f"  {flaw}" for flaw in self.flaws)]
        return [*said, *([f"cure: {self.cure}"] if self.cure else [])]


class JobFailed(BaygridError):
    """Whoever waited for a job or an array wanted it to succeed. `job` is that, as it ended."""

    def __init__(self, detail: str, job: Any) -> None:
        super().__init__(detail, code="job-failed", cure="look at its log and what it left behind")
        self.job = job


class NotYet(BaygridError, TimeoutError):
    """The time to wait is over, and the job is not: it goes on."""

    def __init__(self, job: str, seconds: float) -> None:
        super().__init__(
            f"{job} has not ended after {seconds:g} s", code="not-yet", cure="it goes on: wait for it again"
        )


class Unreachable(BaygridError):
    """No server answers at the address."""

    def __init__(self, server: str, why: str) -> None:
        super().__init__(
            f"no Baygrid server answers at {server} ({why})",
            code="unreachable",
            title="The server cannot be reached",
            cure="start one with `baygrid serve`, or name yours: `baygrid login --server URL --token TOKEN`",
        )
