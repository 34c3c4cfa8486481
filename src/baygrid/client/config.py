"""Which server, which token: options before environment before the file that `login` and `serve` write."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from baygrid.client.errors import BaygridError

DEFAULT_SERVER: Final = "http://127.0.0.1:8470"


@dataclass(frozen=True, slots=True)
class Config:
    """The file. `by` is "serve" where the embedded server wrote it: only such a file may it replace."""

    server: str
    token: str
    by: str = "login"


@dataclass(frozen=True, slots=True)
class Access:
    """Where a command goes, and with which token."""

    server: str
    token: str | None


def config_path(environ: Mapping[str, str]) -> Path:
    """`~/.config/baygrid/config.json`, or below XDG_CONFIG_HOME."""
    base = environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "baygrid" / "config.json"


def load(path: Path) -> Config | None:
    """None when there is no file."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return Config(str(document["server"]), str(document["token"]), str(document.get("by", "login")))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, OSError) as broken:
        raise BaygridError(
            f"the configuration {path} cannot be read: {broken}",
            code="bad-configuration",
            cure="write it anew with `baygrid login --server URL --token TOKEN`",
        ) from broken


def save(path: Path, config: Config) -> None:
    """Replaces the file at once; only its owner may read it, since the token is in it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    document = {"server": config.server, "token": config.token, "by": config.by}
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".config-")  # 0600 from the first byte on
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=2)
            file.write("\n")
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def access(server: str | None, token: str | None, environ: Mapping[str, str]) -> Access:
    """What the options, the environment and the file say together.

    The file's token goes only to the file's server: another address never gets it.
    """
    if token is not None and not token.strip():
        # Most often a variable that is not set: what is remembered may be somebody's with more rights.
        raise BaygridError(
            "the token is empty", code="bad-token", cure="give --token a token, or leave it out"
        )
    server = server or environ.get("BAYGRID_SERVER") or None
    token = token or environ.get("BAYGRID_TOKEN") or None
    if server and token:
        return Access(_tidy(server), token)
    known = load(config_path(environ))
    if known is None:
        return Access(_tidy(server or DEFAULT_SERVER), token)
    chosen = _tidy(server or known.server)
    if token is None and chosen == _tidy(known.server):
        token = known.token
    return Access(chosen, token)


def _tidy(server: str) -> str:
    server = server.strip().rstrip("/")
    if "://" not in server:
        server = f"http://{server}"
    if not server.startswith(("http://", "https://")):
        raise BaygridError(
            f"{server!r} is no address of a server",
            code="bad-address",
            cure=f"write for example {DEFAULT_SERVER}",
        )
    return server
