"""A job file in the making: what is carried over, what is not and why, what is assumed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from baygrid.core.jobs import resources
from baygrid.core.jobs.problems import Problems
from baygrid.core.jobs.spec import JobSpec, parse, to_document
from baygrid.core.reading import MOST_PROBLEMS, DocumentError, Problem
from baygrid.core.reasons import JSON

NO_MODEL: Final = "GPU"
"""Stands where a file asks for accelerators of no model: no centre has it, so the job waits for its owner."""
TIME: Final = "24h"
SHELL: Final = "#!/bin/bash\n"
"""Their commands are bash's; ours are sh's unless they say otherwise."""
_SECRET: Final = re.compile(r"(?i)token|secret|passw|credential|(^|_)key($|_)|api_?key")
_SHEBANG: Final = re.compile(r"#![^\n]*(\n|$)")
_SHELLS: Final = re.compile(r"#!.*\b(ba|da|k|z)?sh\b")


class Unreadable(ValueError):
    """The file cannot be read as that; the message says why and what helps."""


@dataclass(frozen=True, slots=True)
class Note:
    """`where` in the old file, and one sentence; `line`: of that file, where it is known."""

    where: str
    why: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """`document` is a job file without its project. `left` was not carried over; `assumed` stands in the
    document though the old file does not say so."""

    document: Mapping[str, JSON]
    left: tuple[Note, ...]
    assumed: tuple[Note, ...]


class Draft:
    """Collects. Fields are written in the order of `_ORDER`, whatever order they come in."""

    def __init__(self) -> None:
        self.document: dict[str, Any] = {}
        self._left: list[Note] = []
        self._assumed: list[Note] = []

    def put(self, name: str, value: Any) -> None:
        """A field such as "time" or "budget.spot"."""
        outer, dot, inner = name.partition(".")
        if dot:
            self.document.setdefault(outer, {})[inner] = value
        else:
            self.document[name] = value

    def leave(self, where: str, why: str, line: int | None = None) -> None:
        self._left.append(Note(where, why, line))

    def assume(self, where: str, why: str, line: int | None = None) -> None:
        self._assumed.append(Note(where, why, line))

    def name(self, wanted: object, otherwise: str) -> None:
        """The nearest name that is one here."""
        text = "" if wanted is None else str(wanted)
        named = _tidy(text) or _tidy(otherwise) or "imported"
        if named != text:
            self.assume(
                "name",
                f"{named}: a name has only a to z, A to Z, 0 to 9, '-', '_' and '.'" if text else named,
            )
        self.put("name", named)

    def time(self, source: str) -> None:
        """Where the old file has no limit."""
        self.put("time", TIME)
        self.assume(
            "time", f"{TIME}: {source} sets no limit; write how long it may run, what is held rests on it"
        )

    def accelerators(self, wanted: object, where: str, line: int | None = None) -> None:
        """As the field `resources.accelerators` has them; what that refuses becomes NO_MODEL."""
        found = Problems()
        resources.resources({"accelerators": wanted}, "", found)
        if not found.count:
            self.put("resources.accelerators", wanted)
            return
        self.no_model(1, where, f"{found.first().message}", line)

    def no_model(self, count: int, where: str, why: str, line: int | None = None) -> None:
        self.put("resources.accelerators", f"{NO_MODEL}:{count}")
        cure = f"put a model such as H100 for {NO_MODEL} (`baygrid offers`): as it is, no centre can run it"
        self.leave(where, f"{why}; {cure}", line)

    def secret(self, name: str, why: str) -> None:
        """Values of secrets are never written into a job file."""
        self.document.setdefault("secrets", []).append(name)
        self.assume(f"secrets: {name}", f"{why}; store it with `baygrid secrets set {name}`")

    def unset(self, name: str, where: str, source: str) -> None:
        """A variable whose value comes from whoever starts the job."""
        if _SECRET.search(name):
            self.secret(name, f"{source} takes its value from your shell, and by its name it is a secret")
        else:
            self.leave(where, f"{source} takes its value from your shell: write it under envs")

    def finish(self) -> Imported:
        """What the job file's own parser refuses is left, in its words; of `run` it raises Unreadable."""
        for _ in range(MOST_PROBLEMS * 10):
            problem = _first(self.document)
            if problem is None:
                break
            if problem.path in ("name", "run", "time"):
                raise Unreadable(f"{problem.path} {problem.message}")
            self.leave(problem.path or "the file", problem.message)
            _remove(self.document, problem.path)
        order = list(to_document(JobSpec(name="x", project="x", run="x", time=1)))
        ordered = sorted(self.document, key=lambda name: order.index(name) if name in order else len(order))
        return Imported(
            {name: self.document[name] for name in ordered}, tuple(self._left), tuple(self._assumed)
        )


class Fields:
    """A mapping of the old file whose fields are taken one by one; whatever is left over is told."""

    def __init__(self, values: Mapping[object, object], path: str, draft: Draft) -> None:
        self._values = {str(key): value for key, value in values.items()}
        self._path, self._draft = path, draft

    def take(self, key: str) -> Any:
        """Its value; None where it is not given, or empty."""
        return self._values.pop(key, None)

    def at(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key

    def rest(self, why: Mapping[str, str]) -> None:
        """`why` not, by field. What is null or false asks for nothing."""
        for key, value in self._values.items():
            if value not in (None, False):
                self._draft.leave(self.at(key), why.get(key, "there is no such field here"))


def variables(draft: Draft, script: str, where: str, prefix: str, known: Mapping[str, str]) -> str:
    """The script with lines that set those of the old system's variables that it uses and that have a meaning
    here; the others are left."""
    used = dict.fromkeys(re.findall(rf"\b{prefix}[A-Z0-9_]+", script))
    shell = not script.startswith("#!") or _SHELLS.match(script) is not None
    lines = []
    for name in used:
        if shell and name in known:
            lines.append(f'export {name}="{known[name]}"\n')
        else:
            cure = f"use {known[name]}" if name in known else "it has no value here"
            draft.leave(where, f"{name}: {cure}")
    if not lines:
        return script
    draft.assume(where, f"begins by setting {', '.join(name for name in used if name in known)}")
    head = _SHEBANG.match(script)
    first = head[0].removesuffix("\n") + "\n" if head else ""
    return first + "".join(lines) + script[len(first) :]


def places(draft: Draft, mounts: Iterable[tuple[str, str, str]]) -> None:
    """Inputs, of (where in the old file, the path there, the place). A job finds them under other paths."""
    taken: dict[str, str] = draft.document.setdefault("inputs", {})
    for where, path, place in mounts:
        stem = _tidy(path.strip("/~.").rpartition("/")[2]) or "input"
        name = next(it for it in (stem, *(f"{stem}-{n}" for n in range(2, 1000))) if it not in taken)
        taken[name] = place
        draft.leave(
            where, f"the job finds it at $BAYGRID_INPUTS/{name}, not at {path}: say so in its commands"
        )
    if not taken:
        del draft.document["inputs"]


def least(value: object) -> str:
    """Of a range such as 8.., 8..16 or 8+ its lower end."""
    return str(value).strip().removesuffix("+").partition("..")[0].strip()


def _first(document: Mapping[str, Any]) -> Problem | None:
    try:
        parse({**document, "project": "some"})
    except DocumentError as error:
        return error.problems[0]
    return None


def _remove(document: dict[str, Any], path: str) -> None:
    """That field, or the whole of the outer one it cannot be told from."""
    outer, _, inner = re.sub(r"\[.*", "", path).partition(".")
    value = document.get(outer)
    if isinstance(value, dict) and inner in value and len(value) > 1:
        del value[inner]
    else:
        document.pop(outer, None)


def _tidy(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)[:63].strip("-._")
