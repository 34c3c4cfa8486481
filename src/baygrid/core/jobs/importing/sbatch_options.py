"""The options of #SBATCH lines, as sbatch reads them. https://slurm.schedmd.com/sbatch.html"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from baygrid.core.jobs.importing.draft import Draft, Unreadable

_SHORT: Final = {
    "A": "account", "a": "array", "b": "begin", "C": "constraint", "c": "cpus-per-task", "d": "dependency",
    "D": "chdir", "e": "error", "F": "nodefile", "G": "gpus", "H": "hold", "i": "input", "J": "job-name",
    "k": "no-kill", "L": "licenses", "M": "clusters", "m": "distribution", "N": "nodes", "n": "ntasks",
    "O": "overcommit", "o": "output", "p": "partition", "q": "qos", "Q": "quiet", "S": "core-spec",
    "s": "oversubscribe", "t": "time", "v": "verbose", "W": "wait", "w": "nodelist", "x": "exclude",
}  # fmt: skip
_ALIASES: Final = {"tasks-per-node": "ntasks-per-node", "workdir": "chdir"}
_FLAGS: Final = frozenset(
    {
        "contiguous", "exclusive", "get-user-env", "hold", "ignore-pbs", "nice", "no-kill", "no-requeue",
        "overcommit", "oversubscribe", "parsable", "propagate", "quiet", "reboot", "requeue", "spread-job",
        "test-only", "use-min-nodes", "verbose", "wait",
    }
)  # fmt: skip
"""They take no value, or one only behind an equals sign."""
_WORD: Final = re.compile(r"""(?:"[^"]*"|'[^']*'|[^\s"'#])(?:"[^"]*"|'[^']*'|[^\s"'])*""")
_LINE: Final = re.compile(r"#SBATCH(?=\s|$)(.*)")


@dataclass(frozen=True, slots=True)
class Option:
    """`name` is the long one without its dashes; a flag has the value "". `line`: where it stands."""

    name: str
    value: str
    line: int


def options(text: str, draft: Draft) -> Iterator[Option]:
    """Those that sbatch would take: none below the first command. Raises Unreadable for a hetjob."""
    over = False
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"#SBATCH\s+(hetjob|packjob)\b", line):
            raise Unreadable(f"line {number}: is several jobs in one (hetjob): write a job file for each")
        match = _LINE.match(line)
        if match is None:
            over = over or bool(line.strip() and not line.lstrip().startswith("#"))
        elif over:
            draft.leave(line.strip(), "sbatch does not read what stands below the first command", number)
        else:
            yield from _options(match[1], number, draft)


def _options(text: str, line: int, draft: Draft) -> Iterator[Option]:
    words = list(_WORD.finditer(re.split(r"\s#", text)[0]))
    at = 0
    while at < len(words):
        word = words[at][0]
        at += 1
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            name = _ALIASES.get(name, name)
        elif len(word) > 1 and word[0] == "-" and word[1] in _SHORT:
            name, value = _SHORT[word[1]], word[2:].removeprefix("=")
            equals = "=" if value else ""
        else:
            draft.leave(word, "is no option of sbatch", line)
            continue
        if not equals and name not in _FLAGS and at < len(words):
            value = words[at][0]
            at += 1
        yield Option(name, re.sub(r"[\"']", "", value), line)


def commands(text: str) -> str:
    """The script without its options; the program that runs it stays in the first line."""
    return "".join(line for line in text.splitlines(keepends=True) if not re.match(r"#SBATCH(\s|$)", line))
