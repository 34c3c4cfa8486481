"""Commands inside sentences: they are not run, but the command and its options are there."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from baygrid.cli.entry import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS: Any = typer.main.get_command(app)


def wrong(line: str) -> str | None:
    """What of `baygrid ...` there is not."""
    words, command = line.partition(" -- ")[0].split()[1:], COMMANDS
    while words and hasattr(command, "commands") and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    if command is COMMANDS:
        return f"no command {words[0]}"
    if hasattr(command, "commands") and words and re.fullmatch(r"[a-z][a-z-]*", words[0]):
        return f"no command {command.name} {words[0]}"
    known = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    options = [word.partition("=")[0] for word in words if word.startswith("--")]
    return next((f"{command.name} has no option {option}" for option in options if option not in known), None)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_command_in_a_sentence_is_there(page):
    sentences = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    lines = re.findall(r"`(baygrid [a-z][^`]*)`", sentences)
    assert [told for line in lines if (told := wrong(line))] == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("baygrid run FILE --json", None),
        ("baygrid rum FILE", "no command rum"),
        ("baygrid law decid FILE", "no command law decid"),
        ("baygrid run --quickly", "run has no option --quickly"),
    ],
)
def test_what_is_not_there_is_told(line, told):
    assert wrong(line) == told
