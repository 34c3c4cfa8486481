"""The reference pages, from the code: `python scripts/reference.py` writes docs/{job-file,cli,api}.md.

Their tables are the parser's, the command line's and the OpenAPI document's. Only the sentences are in
reference.yaml; a field of the job file that has none there is an error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import typer
import yaml

from baygrid.app.secrets import LEAST
from baygrid.core.jobs import array, checkpoint, fields, locations, resources, retry, spec
from baygrid.core.units import DECIMALS

ROOT: Final = Path(__file__).parents[1]
WORDS: Final[Mapping[str, Any]] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))

LIMITS: Final = {
    "script_kib": fields.MAX_SCRIPT // 1024,
    "env_kib": fields.MAX_VALUE // 1024,
    "most_days": fields.MAX_TIME // 86_400,
    "most_envs": fields.MAX_ENVS,
    "most_secrets": spec.MAX_SECRETS,
    "least_secret": LEAST,
    "most_elements": f"{array.MAX_ELEMENTS:,}",
    "signals": ", ".join(checkpoint.SIGNALS),
    "most_retries": retry.MAX_RETRIES,
    "most_nodes": spec.MAX_NODES,
    "most_locations": locations.MAX_LOCATIONS,
    "most_cpus": f"{resources.MAX_CPUS:,}",
    "most_accelerators": f"{resources.MAX_ACCELERATORS:,}",
    "most_alternatives": resources.MAX_ALTERNATIVES,
    "currencies": ", ".join(DECIMALS),
}


def job_file() -> str:
    """Every field that the parser knows."""
    told: Mapping[str, tuple[str, str]] = WORDS["job-fields"]
    missing = set(spec._FIELDS) - {name.partition(".")[0] for name in told} - {"num_nodes"}
    if missing:
        raise SystemExit(f"reference.yaml says nothing about {sorted(missing)}")
    document = _document({name: example for name, (example, _) in told.items()})
    spec.parse(document)
    rows = [(f"`{name}`", f"`{example}`", means % LIMITS) for name, (example, means) in told.items()]
    return _page(
        "job-file",
        fields=_table(("field", "for example", "meaning"), rows),
        document=yaml.safe_dump(document, sort_keys=False, width=100).strip(),
        places=_table(("place", "what it is"), [(f"`{k}`", v) for k, v in WORDS["places"].items()]),
        variables=_table(("variables", "meaning"), [(f"`{k}`", v) for k, v in WORDS["variables"].items()]),
    )


def _document(examples: Mapping[str, str]) -> dict[str, Any]:
    """The examples as one document."""
    document: dict[str, Any] = {}
    for name, example in examples.items():
        outer, dot, inner = name.partition(".")
        value = yaml.safe_load(example)
        if dot:
            document.setdefault(outer, {})[inner] = value
        else:
            document[outer] = value
    return document


COMMON: Final = frozenset({"_json", "_server", "_token", "help"})


def cli() -> str:
    """Every command with its arguments and options, from the application itself."""
    from baygrid.cli.entry import app

    root: Any = typer.main.get_command(app)
    commands = "\n\n".join(_command(path, command) for path, command in _commands(root, ("baygrid",)))
    return _page("cli", help=root.help, commands=commands)


def _commands(group: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        yield (*path, name), command
        if hasattr(command, "commands"):
            yield from _commands(command, (*path, name))


def _command(path: tuple[str, ...], command: Any) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and p.name not in COMMON]
    usage = " ".join([*path, *map(_metavar, arguments), *(["[OPTIONS]"] if options else [])])
    rows = [(f"`{_metavar(p)}`", _about(p)) for p in arguments if _about(p)]
    rows += [(f"`{_option(p)}`", _about(p)) for p in options]
    told = " ".join((command.help or "").split())
    parts = [f"## {' '.join(path[1:])}", f"`{usage}`", told, _table(("", ""), rows) if rows else ""]
    return "\n\n".join(filter(None, parts))


def _metavar(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _option(parameter: Any) -> str:
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    return names if parameter.is_flag else f"{names} {_metavar(parameter)}"


def _about(parameter: Any) -> str:
    default = parameter.default
    given = not parameter.required and not parameter.is_flag if hasattr(parameter, "is_flag") else False
    shown = given and isinstance(default, str | int) and default != ""
    words = [parameter.help or "", f"Default {default}." if shown else ""]
    needed = parameter.required and parameter.param_type_name == "option"
    return " ".join(filter(None, [*words, "Needed." if needed else ""]))


def api() -> str:
    """Every call, from the OpenAPI document that the server answers with."""
    document = openapi()
    subjects: dict[str, list[tuple[str, ...]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            query = [f"`{p['name']}`" for p in operation.get("parameters", ()) if p["in"] == "query"]
            told = " ".join((operation.get("description") or f"{operation['summary']}.").split())
            subject = (operation.get("tags") or ["other"])[0]
            subjects.setdefault(subject, []).append((f"`{method.upper()} {path}`", told, ", ".join(query)))
    calls = [f"## {name}\n\n{_table(('call', 'what', 'query'), rows)}" for name, rows in subjects.items()]
    shapes = [(f"`{name}`", _shape(s)) for name, s in sorted(document["components"]["schemas"].items())]
    return _page("api", calls="\n\n".join(calls), shapes=_table(("shape", "fields"), shapes))


def openapi() -> Mapping[str, Any]:
    """The document of a server on an empty database in memory."""
    from baygrid.api.app import create_app
    from baygrid.app.catalogue import Catalogue
    from baygrid.app.platform import Platform
    from baygrid.store import open_store
    from baygrid.wiring.ids import RandomIds, wall_clock

    unused: Any = None
    store = open_store("sqlite://")
    try:
        platform = Platform(store, unused, unused, wall_clock, RandomIds(), Catalogue(), ())
        return create_app(platform, role=unused).openapi()
    finally:
        store.close()


def _shape(shape: Mapping[str, Any]) -> str:
    if "enum" in shape:
        return "one of " + ", ".join(f"`{value}`" for value in shape["enum"])
    needed = set(shape.get("required", ()))
    return ", ".join(f"`{name}{'' if name in needed else '?'}`" for name in shape.get("properties", {}))


def _page(name: str, **parts: object) -> str:
    text: str = WORDS[name]
    return text % {**LIMITS, **parts}


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in [list(heads), ["---"] * len(heads), *cells])


PAGES: Final[Mapping[str, Callable[[], str]]] = {"job-file.md": job_file, "cli.md": cli, "api.md": api}


def main() -> None:
    for name, page in PAGES.items():
        (ROOT / "docs" / name).write_text(page(), encoding="utf-8")
        sys.stdout.write(f"docs/{name}\n")


if __name__ == "__main__":
    main()
