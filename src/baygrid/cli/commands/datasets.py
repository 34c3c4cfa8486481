"""Commands of datasets: data under a name, for jobs of a project, its organisation, or everybody."""

import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from baygrid.cli import completing
from baygrid.cli.errors import CliError
from baygrid.cli.options import Owner
from baygrid.cli.session import Session, command, group
from baygrid.cli.shapes import local, size
from baygrid.core.jobs.locations import is_uploaded


def register(app: typer.Typer) -> None:
    nouns = group(
        app, "datasets", datasets, "List datasets that jobs may take as inputs; create and show them."
    )
    command(nouns, "list")(listed)
    command(nouns, "create")(create)
    command(nouns, "show")(show)


def datasets(session: Session, context: typer.Context) -> None:
    if not context.invoked_subcommand:
        listed(session)


def listed(
    session: Session,
    project: Annotated[str | None, typer.Option("--project", "-p", help="Only its own.")] = None,
) -> None:
    """List the newest version of each dataset that you may read."""
    found = session.client.items("/v1/datasets", project=project)
    session.out.show(
        found,
        ("dataset", "jurisdiction", "size", "shared", "made"),
        [[d["ref"], d["jurisdiction"], _size(d), _shared(d), local(d["made_at"])] for d in found],
        right=("size",),
        none="no datasets yet: make one with `baygrid datasets create NAME --from PATH --jurisdiction CN-QH`",
    )


def create(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    jurisdiction: Annotated[
        str, typer.Option("--jurisdiction", "-j", help="Where the data belongs, for example CN-QH or HK.")
    ],
    uri: Annotated[
        str | None, typer.Option("--uri", metavar="URI", help="Where it is: https://, s3:// or file:///.")
    ] = None,
    source: Annotated[
        Path | None, typer.Option("--from", metavar="PATH", help="A file or folder here, to be sent.")
    ] = None,
    sha256: Annotated[
        str | None, typer.Option("--sha256", metavar="HEX", help="Of its content; jobs get nothing else.")
    ] = None,
    bytes: Annotated[int | None, typer.Option("--bytes", min=0, help="How large it is.")] = None,
    shared: Annotated[bool, typer.Option("--shared", help="Other organisations may use it, too.")] = False,
    law: Annotated[
        str,
        typer.Option(
            "--law",
            metavar="NAME=VALUE,...",
            help="What it is in law: personal, sensitive, core, mixed (yes or no), important (no, notified, "
            "published), origin (domestic, overseas), persons (how many). What is left out is not known.",
        ),
    ] = "",
    project: Owner = None,
) -> None:
    """Make the next version of a dataset. Earlier ones stay as they are."""
    if (uri is None) == (source is None):
        raise CliError("say where the data is", code="bad-call", cure="with --uri URI or with --from PATH")
    body: dict[str, Any] = {"name": name, "jurisdiction": jurisdiction, "shared": shared}
    body["project"] = project or session.own_project()
    body["law"] = _law(law)
    body["uri"] = uri if source is None else _sent(session, source)
    optional = {"sha256": sha256, "bytes": bytes}
    made = session.client.post(
        "/v1/datasets", body | {key: value for key, value in optional.items() if value is not None}
    )
    session.out.answer(made, made["ref"])


def _law(said: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in filter(None, (part.strip() for part in said.split(","))):
        name, is_, value = part.partition("=")
        if not is_:
            raise CliError(
                f"--law {part!r} says no value", code="bad-call", cure="write for example personal=no"
            )
        plain = {"yes": True, "no": False} if name != "important" else {}
        found[name] = int(value) if name == "persons" and value.isdecimal() else plain.get(value, value)
    return found


def _in_words(law: dict[str, Any]) -> str:
    """What somebody has said."""
    words = {True: "yes", False: "no"}
    said = {name: value for name, value in law.items() if value not in (None, "unknown")}
    return ", ".join(
        f"{name} {words.get(value, value) if isinstance(value, bool) else value}"
        for name, value in said.items()
    )


def _sent(session: Session, source: Path) -> str:
    from baygrid.cli.running import Told
    from baygrid.client.pack import pack
    from baygrid.client.preparing import send

    if not source.exists():
        raise CliError(f"there is nothing at {source}", code="no-file", cure="correct --from")
    with tempfile.TemporaryDirectory(prefix="baygrid-") as into:
        return send(session.client, str(source), pack(source, Path(into)), Told(session))


def show(
    session: Session,
    name: Annotated[
        str, typer.Argument(metavar="[PROJECT/]NAME[@VERSION]", autocompletion=completing.datasets)
    ],
) -> None:
    """Show a dataset with its versions: where it is, its checksum, what it was made from."""
    project, _, rest = name.removeprefix("dataset:").rpartition("/")
    short, _, version = rest.partition("@")
    found = session.client.items(f"/v1/datasets/{project or session.own_project()}/{short}")
    others = [d["version"] for d in found if version and str(d["version"]) != version]
    found = [d for d in found if d["version"] not in others]
    if not found:
        have = ", ".join(map(str, others))
        raise CliError(
            f"there is no version {version} of {short}", code="not-found", cure=f"there are {have}"
        )
    if session.json:
        session.out.json(found)
        return
    newest = found[0]
    session.out.line(newest["ref"])
    for what, value in (
        ("jurisdiction", newest["jurisdiction"]),
        ("where", "at the server" if is_uploaded(newest["uri"] or "") else newest["uri"]),
        ("sha256", newest["sha256"]),
        ("size", _size(newest)),
        ("shared", _shared(newest)),
        ("in law", _in_words(newest["law"])),
        ("made", f"{local(newest['made_at'])}{_by(newest)}"),
        ("made from", ", ".join(newest["lineage"])),
        ("earlier versions", ", ".join(str(d["version"]) for d in found[1:])),
    ):
        if value:
            session.out.line(f"  {what}: {value}")


def _by(dataset: dict[str, Any]) -> str:
    return f" by {dataset['job']}" if dataset["job"] else ""


def _size(dataset: dict[str, Any]) -> str:
    return "" if dataset["bytes"] is None else size(dataset["bytes"])


def _shared(dataset: dict[str, Any]) -> str:
    return "with everybody" if dataset["shared"] else ""
