"""Commands of the letter: begin an issue, check it, build it, publish it, send it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from baygrid.cli.counting import counting
from baygrid.cli.days import law_day
from baygrid.cli.errors import CliError, Flaw
from baygrid.cli.mail import mail_server
from baygrid.cli.session import Session, command

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from baygrid.letter.checking import Finding
    from baygrid.letter.issue import Issue
    from baygrid.letter.layout import ZoneDay
    from baygrid.letter.sending import Sent

    Count = Callable[[ZoneDay], Sequence[dict[str, Any]]]

ISSUES = Path("letters")

Named = Annotated[str, typer.Argument(metavar="ISSUE", help="An issue's folder, or its number in ./letters.")]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the files go.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    app.add_typer(group, name="letter", help="The letter: issues in four languages from one bundle of data.")
    command(group, "new")(new)
    command(group, "check")(check)
    command(group, "build")(build)
    command(group, "publish")(publish)
    command(group, "send")(send)


def new(
    session: Session,
    number: Annotated[int, typer.Argument(metavar="NUMBER", min=1, max=999)],
    registry: Annotated[
        Path | None, typer.Option("--registry", metavar="DIR", help="A registry in files; else the server's.")
    ] = None,
    zone: Annotated[
        list[str] | None, typer.Option("--zone", metavar="ZONE", help="Of a new issue; may be repeated.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="The day of a new issue's figures.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="DATE", help="Of the last issue; else that before it.")
    ] = None,
    on: Annotated[str | None, typer.Option("--on", metavar="DATE", help="The day; else today.")] = None,
) -> None:
    """Begin an issue in ./letters with its data frozen; of one that is not published yet, freeze the data
    anew."""
    from baygrid.letter import freezing, publishing
    from baygrid.letter.reading import Unreadable

    folder, day = ISSUES / f"{number:03}", law_day(on, "--on")
    begun = (folder / "issue.yaml").exists()
    if begun and publishing.published(folder) is not None:
        raise CliError(
            f"issue {number} is published", code="published", cure="correct it by corrections.yaml"
        )
    if begun and (zone or as_of or since):
        raise CliError(
            f"issue {number} has begun: --zone, --as-of and --since are of a new one",
            code="bad-settings",
            cure=f"write them into {folder / 'issue.yaml'}",
        )
    try:
        with _counting(session, registry, day) as count:
            if begun:
                made = freezing.freeze(folder, day, count, lambda: _own(session))
            else:
                last, counted = _since(since, number), law_day(as_of, "--as-of")
                with _all_or_nothing(folder) as place:
                    freezing.begin(place, number, day, last, counted, zone or ["qianhai"])
                    made = freezing.freeze(place, day, count, lambda: _own(session))
    except Unreadable as error:
        raise CliError(str(error), code="invalid") from None
    figures = sum(map(len, made.figures.values()))
    session.out.answer(
        {"folder": str(folder), "frozen": str(day), "figures": figures, "changes": len(made.changes)},
        f"{folder}: {figures} figures and {len(made.changes)} changes of law are frozen",
    )


@contextmanager
def _all_or_nothing(folder: Path) -> "Iterator[Path]":
    """Where a folder is made that is there only once it is whole."""
    from tempfile import TemporaryDirectory

    if folder.exists():
        raise CliError(
            f"{folder} is there already, and is no issue", code="not-empty", cure="move it out of the way"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as made:
        place = Path(made, folder.name)
        yield place
        place.rename(folder)


@contextmanager
def _counting(session: Session, registry: Path | None, day: date) -> "Iterator[Count]":
    """What counts the figures of a zone: over files, else by the server, which does not know what will be
    known on a day to come."""
    if registry is None:
        known = str(min(day, law_day(None)))
        yield lambda it: session.client.get(
            "/v1/indicators", zone=it.zone, as_of=str(it.as_of), known_by=known
        )["items"]
        return
    with counting(registry) as (indicators, read):
        yield lambda it: [found.to_json() for found in indicators.figures(read, it.zone, it.as_of, day)]


def _own(session: Session) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = session.client.get("/v1/bottlenecks")["items"]
    return found


def _since(told: str | None, number: int) -> date:
    """The day of the last issue before this one."""
    if told is not None:
        return law_day(told, "--since")
    before = sorted(ISSUES.glob("[0-9][0-9][0-9]/issue.yaml"))
    earlier = [it for it in before if int(it.parent.name) < number]
    if not earlier:
        raise CliError(
            "there is no issue before this one",
            code="bad-settings",
            cure="say --since DATE",
        )
    return _read(str(earlier[-1].parent)).layout.date


def check(session: Session, issue: Named) -> None:
    """List everything that keeps an issue from being published: stale translations, numbers typed by hand,
    figures that may not be cited, links to nothing. Ends with 1 if there is anything."""
    from baygrid.letter.checking import check as findings

    found = findings(_read(issue))
    if session.json:
        session.out.json([{"path": it.path, "message": it.message} for it in found])
        raise typer.Exit(1 if found else 0)
    if found:
        raise _wrong(issue, found)
    session.out.line(f"issue {issue}: nothing is wrong")


def build(session: Session, issue: Named, out: Out) -> None:
    """Build an issue: web page, PDF and feed in each language, and the page of all issues. The same issue
    gives the same bytes."""
    found = _fit(issue)
    names = _build(found, out)
    session.out.answer({"out": str(out), "files": names}, f"{len(names)} files, {out / 'index.html'} first")


def publish(
    session: Session,
    issue: Named,
    out: Out,
    on: Annotated[str | None, typer.Option("--on", metavar="DATE", help="The day; else today.")] = None,
) -> None:
    """Check and build an issue, then note what it is: from now on it is corrected, not altered."""
    from baygrid.letter import publishing

    found = _fit(issue)
    day = law_day(on, "--on")
    names = _build(found, out)
    known = publishing.published(found.folder)
    if known is None:
        publishing.note(found.folder, day)
    day = day if known is None else known.on
    session.out.answer(
        {"out": str(out), "files": names, "published": str(day)},
        f"issue {found.layout.number} is published since {day}: {len(names)} files in {out}",
    )


def send(
    session: Session,
    issue: Named,
    recipients: Annotated[
        Path, typer.Option("--recipients", metavar="FILE", help="CSV: email, language; name, unsubscribe.")
    ],
    server: Annotated[str, typer.Option("--smtp", metavar="HOST:PORT", help="The mail server.")],
    tls: Annotated[
        str, typer.Option("--tls", help="starttls, tls (from the first byte) or none.")
    ] = "starttls",
    ca: Annotated[
        Path | None, typer.Option("--ca", metavar="FILE", help="Whom to trust, else as this machine does.")
    ] = None,
    user: Annotated[str, typer.Option("--user", help="The password is in BAYGRID_SMTP_PASSWORD.")] = "",
    journal: Annotated[
        Path | None, typer.Option("--journal", metavar="FILE", help="Else sent.jsonl beside the issue.")
    ] = None,
    again: Annotated[
        list[str] | None,
        typer.Option("--again", metavar="EMAIL", help="Send to one that was refused or in doubt once more."),
    ] = None,
) -> None:
    """Mail a published issue, one message to each recipient in their language. A call that was interrupted is
    made again: who has the issue does not get it twice."""
    from datetime import datetime

    from baygrid.core.days import REGION
    from baygrid.letter import recipients as lists
    from baygrid.letter import sending
    from baygrid.letter.mail import composer
    from baygrid.letter.reading import Unreadable
    from baygrid.letter.smtp import Smtp
    from baygrid.ports.mailer import Unreachable

    found = _fit(issue)
    _must_be_published(found)
    try:
        to = lists.read(recipients)
    except Unreadable as error:
        raise CliError(str(error), code="invalid") from None
    settings = mail_server(server, tls, ca, user)
    once_more = frozenset(it.lower() for it in again or ())
    if strange := once_more - {it.email.lower() for it in to}:
        raise CliError(f"--again {sorted(strange)[0]} is none of the recipients", code="bad-settings")
    try:
        with sending.journal(journal or found.folder / "sent.jsonl") as known, Smtp(settings) as mailer:
            done = sending.send(to, composer(found, datetime.now(REGION)), mailer, known, once_more)
    except (sending.Busy, Unreachable) as error:
        raise CliError(str(error), code="not-sent", cure="then make the same call again") from None
    _tell(session, done)


def _tell(session: Session, done: "Sent") -> None:
    document = {
        "sent": done.sent,
        "sent_before": done.before,
        "refused": dict(done.refused),
        "try_again": dict(done.later),
        "in_doubt": done.in_doubt,
    }
    told = [f"{len(done.sent)} sent", f"{len(done.before)} had it before"]
    for email, why in (*done.refused, *done.later):
        session.out.note(f"{email}: {why}")
    for email in done.in_doubt:
        session.out.note(f"{email}: it may have been sent when the connection or the command ended")
    session.out.answer(document, ", ".join(told))
    if done.refused or done.later or done.in_doubt:
        raise CliError(
            f"not all is sent: {len(done.refused)} refused, {len(done.later)} not taken now,"
            f" {len(done.in_doubt)} in doubt",
            code="not-all-sent",
            cure="make the same call again for those not taken now; name the others by --again EMAIL",
        )


def _must_be_published(issue: "Issue") -> None:
    from baygrid.letter import publishing

    if publishing.published(issue.folder) is None:
        raise CliError(
            f"issue {issue.layout.number} is not published",
            code="unpublished",
            cure="run `baygrid letter publish` first: what is mailed stays as it is",
        )


def _build(issue: "Issue", out: Path) -> list[str]:
    from baygrid.letter import building, publishing
    from baygrid.papers.pdf import NoFonts

    try:
        files = building.build(issue, publishing.others(issue))
    except NoFonts as error:
        raise CliError(str(error), code="no-fonts") from None
    building.write(files, out)
    return sorted(files)


def _read(named: str) -> "Issue":
    from baygrid.letter.issue import read
    from baygrid.letter.reading import Unreadable

    folder = ISSUES / f"{int(named):03}" if named.isdecimal() else Path(named)
    try:
        return read(folder)
    except Unreadable as error:
        raise CliError(str(error), code="invalid") from None


def _fit(named: str) -> "Issue":
    """An issue in which nothing is wrong."""
    from baygrid.letter.checking import check as findings

    issue = _read(named)
    if found := findings(issue):
        raise _wrong(named, found)
    return issue


def _wrong(named: str, found: list["Finding"]) -> CliError:
    return CliError(
        f"issue {named} is not fit to be published: {found[0]}",
        code="unfit",
        title=f"issue {named} is not fit to be published",
        flaws=[Flaw(it.path, it.message) for it in found],
    )
