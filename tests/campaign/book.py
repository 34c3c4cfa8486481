"""What the commands of the campaign's jobs themselves wrote, and how it is waited for."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PATIENCE_S = 300.0


@dataclass(frozen=True)
class Line:
    """Such as "begin ATTEMPT 7 MARK" or "end ATTEMPT 7 CODE MILLISECONDS", of job 7."""

    word: str
    attempt: str
    number: int
    rest: str


@dataclass
class Book:
    """What the commands themselves wrote. One short write each, to the end of the file: none is lost."""

    path: Path

    def lines(self) -> list[Line]:
        rows = [line.split(" ", 3) for line in self.path.read_text().splitlines()]
        return [Line(word, attempt, int(number), rest) for word, attempt, number, rest in rows]

    def begun(self) -> Counter[str]:
        return Counter(line.attempt for line in self.lines() if line.word == "begin")

    def numbers(self, word: str) -> set[int]:
        """Of the jobs that have begun, or ended."""
        return {line.number for line in self.lines() if line.word == word}

    def marks(self) -> dict[str, str]:
        """Of what has begun: by what its engine's accounts know it, by attempt."""
        return {line.attempt: line.rest for line in self.lines() if line.word == "begin"}

    def jobs(self) -> dict[str, int]:
        """Their numbers, by attempt."""
        return {line.attempt: line.number for line in self.lines()}

    def ended(self) -> dict[str, tuple[int, int]]:
        """Their exit codes, and when they said so (ms), by attempt."""
        said = {line.attempt: line.rest.split() for line in self.lines() if line.word == "end"}
        return {attempt: (int(code), int(at)) for attempt, (code, at) in said.items()}


def until(happened: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
    """Asks again and again: for what tells nobody when it happens."""
    end = time.monotonic() + patience_s
    while not happened():
        assert time.monotonic() < end, f"{what} did not come within {patience_s:g} s"
        time.sleep(0.1)
