"""Tasks alike as one array of Slurm's: which they are, the script of the array, and who is who in it.

An array has one name, so a small file for each says whose its elements are. It is written before the array
is submitted: an agent that restarts, or whose answer was lost, finds every task again.
"""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import orjson

from baygrid.centres.engine import NAME, Sight, Task

MARK = "array-"


def alike(tasks: Iterable[Task], most: int) -> list[list[Task]]:
    """Those for which one sbatch can say everything, at most so many together."""
    groups: dict[tuple[object, ...], list[Task]] = {}
    for task in tasks:
        order = task.order
        key = (
            task.account,
            task.limit_s,
            order.project,
            order.partition,
            order.count,
            order.cpus,
            order.memory_mib,
            order.accelerator,
            order.accelerators,
        )
        groups.setdefault(key, []).append(task)
    return [group[at : at + most] for group in groups.values() for at in range(0, len(group), most)]


def script(tasks: Sequence[Task]) -> str:
    """An element becomes its task."""
    cases = [
        f"{number}) exec /bin/sh {shlex.quote(str(task.script))} ;;" for number, task in enumerate(tasks)
    ]
    return "\n".join(["#!/bin/sh", 'case "$SLURM_ARRAY_TASK_ID" in', *cases, "esac", "exit 74", ""])


class Arrays:
    """`directory` is the agent's alone. Reads each file once."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._elements: dict[str, tuple[str, ...]] = {}  # of an array, by its name
        self._of: dict[str, set[str]] = {}  # arrays of a task, by its name
        for path in directory.iterdir():
            if path.name.startswith(NAME + MARK):
                self._take(path.name, tuple(_read(path)))

    def write(self, tasks: Sequence[Task]) -> tuple[str, Path]:
        """The name of the array and the file of its script. The same tasks make the same array."""
        names = [task.name for task in tasks]
        name = f"{NAME}{MARK}{hashlib.sha256('/'.join(names).encode()).hexdigest()[:24]}"
        path = self._directory / f"script-{name}"
        path.write_text(script(tasks))
        folders = {task.name: str(task.folder) for task in tasks}
        new = self._directory / f".{name}"
        with new.open("wb") as file:
            file.write(orjson.dumps(folders))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._directory / name)
        self._take(name, tuple(folders))
        return name, path

    def own(self, sights: Iterable[Sight]) -> list[Sight]:
        """Under their tasks' names; what is not ours is left out."""
        found = []
        for sight in sights:
            elements = self._elements.get(sight.name)
            if elements is not None:
                _, _, number = sight.id.rpartition("_")
                if number.isdigit() and int(number) < len(elements):
                    found.append(replace(sight, name=elements[int(number)]))
            elif sight.name.startswith(NAME):
                found.append(sight)
        return found

    def names(self, tasks: Iterable[str]) -> set[str]:
        """Under which names at Slurm these tasks may be."""
        found = set()
        for task in tasks:
            found |= {task, *self._of.get(task, ())}
        return found

    def tidy(self) -> None:
        """Forgets arrays of which no task has a folder any more."""
        for name in list(self._elements):
            path = self._directory / name
            if not any(os.path.lexists(folder) for folder in _read(path).values()):
                for task in self._elements.pop(name):
                    self._of.get(task, set()).discard(name)
                    if not self._of.get(task):
                        self._of.pop(task, None)
                path.unlink(missing_ok=True)
                (self._directory / f"script-{name}").unlink(missing_ok=True)

    def _take(self, name: str, elements: tuple[str, ...]) -> None:
        self._elements[name] = elements
        for task in elements:
            self._of.setdefault(task, set()).add(name)


def _read(path: Path) -> Mapping[str, str]:
    """Folder by task. Empty where a power cut has emptied it."""
    try:
        found = orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
