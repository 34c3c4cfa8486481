"""Commands of the catalogue: tables that projects offer, what their columns are in law, what is wanted."""

import uuid
from typing import Annotated, Any

import typer

from baygrid.cli.errors import CliError
from baygrid.cli.options import Owner
from baygrid.cli.session import Session, command, group
from baygrid.cli.shapes import local

Ref = Annotated[str, typer.Argument(metavar="[PROJECT/]TABLE")]


def register(app: typer.Typer) -> None:
    help = "List and search the tables that projects offer; say what is wanted."
    nouns = group(app, "tables", tables, help)
    command(nouns, "wanted")(wanted)
    verbs = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    app.add_typer(verbs, name="table", help="Add a table to the catalogue; label, show and sample it.")
    command(verbs, "add")(add)
    command(verbs, "show")(show)
    command(verbs, "labels")(labels)
    command(verbs, "profile")(profile)
    command(verbs, "sample")(sample)


def tables(
    session: Session,
    context: typer.Context,
    search: Annotated[
        str | None, typer.Option("--search", "-s", help="Words of titles, columns, places and labels.")
    ] = None,
    project: Annotated[str | None, typer.Option("--project", "-p", help="Only its own.")] = None,
) -> None:
    if context.invoked_subcommand:
        return
    words = None if search is None else " ".join(search.split())
    found = session.client.items("/v1/tables", search=words, project=project)
    session.out.show(
        found,
        ("table", "place", "format", "columns", "labelled", "open", "title"),
        [
            [
                it["ref"],
                it["place"],
                it["format"],
                len(it["columns"]),
                sum(column["labels"] is not None for column in it["columns"]),
                "to everybody" if it["open"] else "",
                it["title"],
            ]
            for it in found
        ],
        right=("columns", "labelled"),
        none="there is none: say what you look for with `baygrid tables wanted TEXT`",
    )


def wanted(
    session: Session,
    text: Annotated[
        str | None, typer.Argument(metavar="TEXT", help="What you look for; else what others do is shown.")
    ] = None,
    project: Owner = None,
) -> None:
    """Say which data you look for and do not find; or show what is wanted, and how often."""
    if text is not None:
        body = {"text": text, "project": project or session.own_project()}
        made = session.client.post("/v1/tables/wanted", body, key=str(uuid.uuid4()))
        session.out.answer(made, f"noted; {_asked(made)}: {made['text']}")
        return
    found = session.client.items("/v1/tables/wanted")
    session.out.show(
        found,
        ("wanted", "times", "projects", "last"),
        [[it["text"], it["times"], it["projects"], local(it["last_at"])] for it in found],
        right=("times", "projects"),
        none="nothing is wanted that is not there",
    )


def _asked(wish: dict[str, Any]) -> str:
    times = "once" if wish["times"] == 1 else f"{wish['times']} times"
    return f"asked for {times}, by {wish['projects']} project{'s' * (wish['projects'] > 1)}"


def add(
    session: Session,
    file: Annotated[
        str | None,
        typer.Argument(metavar="[FILE]", help="name, title, format, uri, ... (YAML) instead of options."),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="In the catalogue.")] = None,
    title: Annotated[str | None, typer.Option("--title", help="What it is, for people.")] = None,
    format: Annotated[str | None, typer.Option("--format", help="parquet, delta, csv or postgresql.")] = None,
    uri: Annotated[
        str | None,
        typer.Option("--uri", metavar="URI", help="dataset:NAME, s3://, file:/// or postgresql://."),
    ] = None,
    table: Annotated[
        str | None, typer.Option("--table", metavar="SCHEMA.NAME", help="Of PostgreSQL.")
    ] = None,
    place: Annotated[
        str | None, typer.Option("--place", help="Where it lies, for example CN-QH; else the dataset's.")
    ] = None,
    secret: Annotated[
        str | None, typer.Option("--secret", metavar="NAME", help="A secret of the project's that it needs.")
    ] = None,
    open: Annotated[
        bool, typer.Option("--open", help="Whoever asks may have it, if the law lets it.")
    ] = False,
    project: Owner = None,
) -> None:
    """Add a table to the catalogue, or its next version. Its columns are looked up where it lies."""
    given = {
        "name": name,
        "title": title,
        "format": format,
        "uri": uri,
        "table": table,
        "place": place,
        "secret": secret,
        "open": open or None,
    }
    given = {key: value for key, value in given.items() if value is not None}
    made = _added(session, file, given, project or session.own_project())
    confirmed = sum(column["labels"] is not None for column in made["columns"])
    session.out.answer(
        made,
        f"{made['ref']}, version {made['version']}: {len(made['columns'])} columns, {confirmed} of them"
        f" labelled; `baygrid table labels {made['ref']} --propose` looks at the others",
    )


def _added(session: Session, file: str | None, given: dict[str, Any], project: str) -> Any:
    from baygrid.client.yamlfile import document_of, located, text_of

    if file is None:
        missing = [name for name in ("name", "title", "format", "uri") if name not in given]
        if missing:
            cure = f"say --{missing[0]}, or name a file that has all of it"
            raise CliError(f"the table's {missing[0]} is missing", code="bad-call", cure=cure)
        return session.client.post("/v1/tables", {"project": project, **given}, key=str(uuid.uuid4()))
    name, _, text = text_of(file, "description of a table")
    document, lines = document_of(name, text)
    if not isinstance(document, dict):
        raise CliError(
            f"{name} is no mapping", code="invalid", cure="write `name: NAME`, `title: ...` and so on"
        )
    try:
        body = {"project": project, **document, **given}
        return session.client.post("/v1/tables", body, key=str(uuid.uuid4()))
    except CliError as error:
        raise located(name, error, lines) from None


def _path(session: Session, ref: str) -> str:
    project, _, name = ref.rpartition("/")
    return f"/v1/tables/{project or session.own_project()}/{name}"


def show(session: Session, ref: Ref) -> None:
    """Show a table with its columns and what they are in law."""
    found = session.client.get(_path(session, ref))
    if session.json:
        session.out.json(found)
        return
    out = session.out
    out.line(f"{found['ref']}, version {found['version']} of {local(found['made_at'])}: {found['title']}")
    for what in ("place", "format", "uri", "table", "secret", "confirmed_by"):
        if found[what]:
            out.line(f"  {what.replace('_', ' ')}: {found[what]}")
    out.table(
        ("column", "type", "labels"),
        [[it["name"], it["type"], _words(it["labels"], "nobody has said")] for it in found["columns"]],
    )


def labels(
    session: Session,
    ref: Ref,
    propose: Annotated[
        bool, typer.Option("--propose", help="Show what each column may be, and why.")
    ] = False,
    confirm: Annotated[
        str | None,
        typer.Option(
            "--confirm",
            metavar="FILE|COLUMN=LABEL,...",
            help="What columns are: plain, personal or sensitive; ordinary, notified, published or core;"
            " domestic or overseas; subject. Joined by +; * stands for all columns.",
        ),
    ] = None,
    by: Annotated[str | None, typer.Option("--by", metavar="PERSON", help="Who answers for it.")] = None,
) -> None:
    """Show what a table's columns are in law; propose it by what their values look like; or confirm it.

    Example: baygrid table labels clinic/patients --by "Chan Tai Man"
    --confirm "*=ordinary+domestic+plain,name=personal+subject,diagnosis=sensitive" """
    if confirm is None:
        _shown(session, _path(session, ref), propose=propose)
        return
    if not by:
        raise CliError("nobody answers for these labels", code="bad-call", cure="say --by PERSON")
    path = _path(session, ref)
    columns = [it["name"] for it in session.client.get(path)["columns"]]
    body = {"labels": _said(confirm, columns), "by": by}
    made = session.client.post(f"{path}/labels", body, key=str(uuid.uuid4()))
    confirmed = sum(column["labels"] is not None for column in made["columns"])
    session.out.answer(
        made,
        f"{made['ref']}: {confirmed} of {len(made['columns'])} columns are labelled; {by} answers for it",
    )


def _said(text: str, columns: list[str]) -> dict[str, Any]:
    """The labels by column, as the server takes them: of words on the command line, else of a file."""
    from baygrid.core.data import labelling
    from baygrid.core.reading import Wrong

    try:
        said = labelling.parse(text) if "=" in text else labelling.read(_document(text))
        found = labelling.labels(said, columns)
    except Wrong as wrong:
        raise CliError(
            f"--confirm {wrong}", code="invalid", cure="see `baygrid table labels --help` for an example"
        ) from None
    return {name: it.to_json() for name, it in found.items()}


def _document(file: str) -> object:
    from baygrid.client.yamlfile import document_of, text_of

    name, _, text = text_of(file, "file of labels")
    return document_of(name, text)[0]


def _shown(session: Session, path: str, *, propose: bool) -> None:
    if not propose:
        found = session.client.get(path)["columns"]
        rows = [[it["name"], it["type"], _words(it["labels"], "nobody has said")] for it in found]
        session.out.show(found, ("column", "type", "labels"), rows, none="it has no columns")
        return
    found = session.client.get(f"{path}/proposals")["items"]
    session.out.show(
        found,
        ("column", "proposed", "why", "confirmed"),
        [
            [it["column"], _words(it["proposed"], "nothing"), it["why"], _words(it["confirmed"], "")]
            for it in found
        ],
        none="it has no columns",
    )
    session.out.note("a proposal counts for nothing: confirm with --confirm ... --by PERSON")


def _words(labels: dict[str, Any] | None, none: str) -> str:
    from baygrid.core.data.labelling import told
    from baygrid.core.data.labels import Labels

    return none if labels is None else " ".join(told(Labels.of_json(labels))) or "unknown"


def profile(session: Session, ref: Ref) -> None:
    """Show how many rows, nulls and values a table's columns have; values of harmless columns only."""
    found = session.client.get(f"{_path(session, ref)}/profile")
    columns = found["columns"]
    figures = list(dict.fromkeys(what for each in columns.values() for what in each))
    if session.json:
        session.out.json(found)
        return
    session.out.table(
        ("column", *figures),
        [
            [name, *("" if each.get(what) is None else each[what] for what in figures)]
            for name, each in columns.items()
        ],
        right=[what for what in figures if what in ("rows", "nulls", "distinct")],
    )
    _withheld(session, found["withheld"])


def sample(
    session: Session,
    ref: Ref,
    rows: Annotated[int, typer.Option("--rows", "-n", min=1, max=100, help="How many at most.")] = 10,
) -> None:
    """Show a few rows of a table: of columns that a person has said to be harmless."""
    found = session.client.get(f"{_path(session, ref)}/sample", rows=str(rows))
    if session.json:
        session.out.json(found)
        return
    if found["columns"]:
        session.out.table(
            found["columns"], [["" if value is None else value for value in row] for row in found["rows"]]
        )
    _withheld(session, found["withheld"])


def _withheld(session: Session, columns: list[str]) -> None:
    if columns:
        session.out.note(f"not shown: {', '.join(columns)} (nobody has said that they are harmless)")
