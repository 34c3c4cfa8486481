"""Names and reasons that others chose, as they may be shown and used for files of ours."""

from __future__ import annotations


def clean(name: str) -> str:
    """A name as a terminal may show it, and any file of text may hold."""
    if name.isprintable():
        return name
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name)


def words(error: Exception) -> str:
    """What it says, in one line; its kind where it has no words."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def below(name: str) -> str:
    """The name without what leads up, or nowhere."""
    return "/".join(part for part in name.split("/") if part not in ("", ".", "..")) or "file"


class Distinct:
    """`talk.mp3`, then `talk (2).mp3`: no two of the names that it gave are alike."""

    def __init__(self) -> None:
        self._times: dict[str, int] = {}

    def __call__(self, name: str) -> str:
        found = name
        stem, dot, ending = name.rpartition(".")
        if not stem:
            stem, dot, ending = name, "", ""
        while found in self._times:
            self._times[name] += 1
            found = f"{stem} ({self._times[name]}){dot}{ending}"
        self._times[found] = 1
        return found
