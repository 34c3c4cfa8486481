"""A YAML file of the user's: its document, and the line of every field, so that mistakes say where."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from baygrid.client.errors import BaygridError, Flaw
from baygrid.ports import written
from baygrid.ports.written import BadYaml, line_of

__all__ = ["MOST_BYTES", "document_of", "line_of", "located", "mistakes", "reading", "text_of"]

MOST_BYTES: Final = 1024 * 1024
"""The server takes no larger document."""


@contextmanager
def reading(file: str, what: str) -> Iterator[None]:
    """What may go wrong while a file of the user's is read in the block, as one clear error each."""
    try:
        yield
    except FileNotFoundError:
        raise BaygridError(f"there is no {what} {file}", code="no-file", cure="check the path") from None
    except UnicodeDecodeError:
        raise BaygridError(f"{file} is not UTF-8 text", code="invalid", cure="save it as UTF-8") from None
    except OSError as error:
        raise BaygridError(f"{file} cannot be read: {error.strerror}", code="no-file") from None


def text_of(file: str, what: str) -> tuple[str, Path, str]:
    """The file's name, its folder and its text ("-" is stdin). `what`: of a file that is not there."""
    if file == "-":
        text = sys.stdin.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise _too_large("stdin")
        return "stdin", Path.cwd(), text
    path = Path(file)
    with reading(file, what):
        size = path.stat().st_size
        text = path.read_text(encoding="utf-8") if size <= MOST_BYTES else ""
    if size > MOST_BYTES:
        raise _too_large(file)
    return path.name, path.parent, text


def _too_large(name: str) -> BaygridError:
    cure = "keep the data of a job in its workdir or an input"
    return BaygridError(f"{name} is larger than 1 MiB", code="too-large", cure=cure)


def document_of(name: str, text: str) -> tuple[object, dict[str, int]]:
    """The document, and the line of every path in it."""
    try:
        return written.document_of(text)
    except BadYaml as error:
        raise mistakes(name, [Flaw(it.path, it.message, it.line) for it in error.faults]) from None


def located(name: str, error: BaygridError, lines: Mapping[str, int]) -> BaygridError:
    """What the server found wrong with a document, with the lines in which it stands."""
    if not error.flaws:
        return error
    return mistakes(name, [Flaw(f.path, f.message, line_of(f.path, f.message, lines)) for f in error.flaws])


def mistakes(name: str, flaws: Sequence[Flaw]) -> BaygridError:
    return BaygridError(f"{name}: {flaws[0]}", code="invalid", title=f"{name} has mistakes", flaws=flaws)
