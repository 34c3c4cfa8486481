"""Commands of the audit: what was done, whether it was altered since, evidence of a contract."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from baygrid.cli.errors import CliError
from baygrid.cli.options import Output, PlatformKey, platform_key
from baygrid.cli.saving import save
from baygrid.cli.session import Session, command
from baygrid.cli.shapes import local

if TYPE_CHECKING:
    from baygrid.core.data.chain import Checked, End, Hidden, Link
    from baygrid.core.data.evidence import Difference, Signed


def register(app: typer.Typer) -> None:
    group = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    app.add_typer(group, name="audit", help="What was decided, granted and read; whether it was altered.")
    command(group, "list")(list_)
    command(group, "verify")(verify)
    command(group, "end")(end)
    command(group, "export")(export)


def list_(
    session: Session,
    contract: Annotated[str | None, typer.Option("--contract", help="Only its links.")] = None,
    last: Annotated[int, typer.Option("--last", "-n", min=1, help="How many at most.")] = 50,
) -> None:
    """Show what was done, newest last: an operator all, a project what is about it and its contracts."""
    found = session.client.items("/v1/audit", last, contract=contract)[::-1]
    session.out.show(
        found,
        ("n", "at", "kind", "project", "contract", "what"),
        [
            [
                it["n"],
                local(it["at"]),
                it["kind"],
                it["project"] or "",
                it["contract"] or "",
                _brief(it["data"]),
            ]
            for it in found
        ],
        right=("n",),
        none="nothing was done yet",
    )


def _brief(data: dict[str, Any]) -> str:
    """What fits a line."""
    return ", ".join(
        f"{name} {value}" for name, value in data.items() if isinstance(value, str | int) and value != ""
    )[:120]


def verify(
    session: Session,
    file: Annotated[
        str | None,
        typer.Argument(metavar="[FILE]", help="An exported file; - is stdin. Else the server's chain."),
    ] = None,
    end: Annotated[
        Path | None, typer.Option("--end", metavar="FILE", help="A signed end or file of earlier days.")
    ] = None,
    key: PlatformKey = None,
) -> None:
    """Recompute the chain, from a file without a server, or from the server's pages: every link, in order, to
    its signed end. Names the first link that is wrong and what of it; exit code 1."""
    signer = platform_key(key)
    known = None if end is None else _end(end, signer)
    if file is None:
        found, difference = _of_server(session, known, signer)
    else:
        found, difference = _of_file(file, known, signer)
    told = {
        "first": found.end.n - found.shown - found.hidden + 1,
        "last": found.end.n,
        "hash": found.end.hash,
        "shown": found.shown,
        "hidden": found.hidden,
    }
    if difference is None:
        session.out.answer({"good": True, **told, "difference": None}, _good(told))
        return
    if session.json:
        place = {"link": difference.link, "place": difference.place, "says": difference.says}
        session.out.json({"good": False, **told, "difference": place})
    raise CliError(
        str(difference),
        code="audit-differs",
        title="This audit is not right",
        cure="keep what you have, and ask the platform's operator for the signed ends that others kept",
    )


def _good(told: dict[str, Any]) -> str:
    if told["shown"] + told["hidden"] == 0:
        return "there is no link yet"
    hidden = f", {told['hidden']} of them without their content" if told["hidden"] else ""
    return f"links {told['first']} to {told['last']} are right{hidden}; the last is {told['hash']}"


def _of_server(session: Session, known: "End | None", key: str | None) -> "tuple[Checked, Difference | None]":
    from baygrid.core.data.chain import check
    from baygrid.core.data.evidence import Difference

    now = _ended(session.client.send("GET", "/v1/audit/end").content, "the server's end", key)
    found = check(_pages(session), end=now)
    if found.flaw is None and known is not None:
        found = check(_pages(session), end=known)
    flaw = found.flaw
    if flaw is None:
        return found, None
    return found, Difference(f"link {flaw.n}", f"it is {flaw.what.value}: {flaw.differs}", flaw.n)


def _pages(session: Session) -> "Iterator[Link | Hidden]":
    from baygrid.core.data.evidence import read_link
    from baygrid.core.reading import Wrong

    cursor: str | None = None
    while True:
        page = session.client.get("/v1/audit/chain", limit=500, cursor=cursor)
        try:
            yield from map(read_link, page["items"])
        except Wrong as wrong:
            raise _refused("the server's chain", str(wrong)) from None
        cursor = page["next"]
        if cursor is None:
            return


def _of_file(file: str, known: "End | None", key: str | None) -> "tuple[Checked, Difference | None]":
    from baygrid.app.signatures import signed_by
    from baygrid.core.data.evidence import checked, first_difference, read_evidence

    it = _read(_text(file), Path(file).name, read_evidence)
    return checked(it), first_difference(it, signed_by, key, known)


def _end(file: Path, key: str | None) -> "End":
    return _ended(_text(str(file)), file.name, key)


def _ended(text: bytes, name: str, key: str | None) -> "End":
    """A signed end, or that of evidence. Its signature must hold before anything is held against it."""
    from baygrid.app.signatures import signed_by
    from baygrid.core.data.evidence import read_end, wrong_signature

    it: tuple[End, Signed] = _read(text, name, read_end)
    end, signed = it
    wrong = wrong_signature(signed, signed_by, key)
    if wrong is not None:
        raise _refused(name, str(wrong))
    return end


def _text(file: str) -> bytes:
    from baygrid.client.yamlfile import reading

    if file == "-":
        return sys.stdin.buffer.read()
    with reading(file, "file of the audit"):
        return Path(file).read_bytes()


def _read(text: bytes, name: str, read: Callable[[object], Any]) -> Any:
    from baygrid.core.data.evidence import first_altered_byte
    from baygrid.core.reading import Wrong
    from baygrid.ports.bundles import Unreadable, load

    try:
        document = load(text)
        altered = first_altered_byte(text, document)
        if altered is not None:
            raise _refused(name, f"it is not as it was written, from byte {altered} on")
        return read(document)
    except (Unreadable, Wrong) as error:
        raise _refused(name, str(error)) from None
    except ValueError:  # of text that no UTF-8 has
        raise _refused(name, "it has text that is no Unicode") from None


def _refused(name: str, why: str) -> CliError:
    return CliError(
        why,
        code="no-audit",
        title=f"{name} is nothing of an audit that can be checked",
        cure="get one with `baygrid audit export` or `baygrid audit end`, or ask whoever gave it to you",
    )


def end(session: Session, output: Output = None) -> None:
    """Get the chain's signed end. Kept elsewhere it shows later that nothing before it was changed."""
    data = session.client.send("GET", "/v1/audit/end").content
    save(session, data, output, "hold the chain against it with `baygrid audit verify --end {}`")


def export(
    session: Session,
    contract: Annotated[
        str | None, typer.Argument(metavar="[CONTRACT]", help="Else all links (operators).")
    ] = None,
    after: Annotated[
        int | None, typer.Option("--after", metavar="N", min=0, help="Of all links: those beyond this one.")
    ] = None,
    output: Output = None,
) -> None:
    """Get a contract's evidence for a regulator: what stands in it, its links, others' by their hashes."""
    if contract is not None and after is not None:
        raise CliError("a contract's evidence has no parts", code="bad-call", cure="leave out --after")
    path = "/v1/audit/export" if contract is None else f"/v1/audit/evidence/{contract}"
    data = session.client.send("GET", path, params={"after": after}).content
    save(session, data, output, "check it with `baygrid audit verify {}`")
