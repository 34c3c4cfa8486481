"""Commands of bundles: papers with all that they follow from, had from the server, recomputed without it."""

import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from baygrid.cli.errors import CliError, Flaw
from baygrid.cli.options import End, Number, Output, OwnProject, PlatformKey, Start, platform_key
from baygrid.cli.saving import save
from baygrid.cli.session import Session, command
from baygrid.cli.shapes import time_of

if TYPE_CHECKING:
    from baygrid.core.pricing.recompute.difference import Difference
    from baygrid.core.pricing.recompute.values import Bundle

CHECK = "check it with `baygrid bill verify {}`"


def register(bills: typer.Typer) -> None:
    command(bills, "bundle")(bundle)
    command(bills, "verify")(verify)
    command(bills, "key")(key)


def bundle(
    session: Session,
    project: OwnProject = None,
    start: Start = None,
    end: End = None,
    output: Output = None,
) -> None:
    """Get a project's charges with the signed usage, tariffs and vouchers that they follow from."""
    path = f"/v1/projects/{project or session.own_project()}/bundle"
    params = {"from": time_of(start), "to": time_of(end)}
    save(session, session.client.send("GET", path, params=params).content, output, CHECK)


def of_paper(noun: str) -> Callable[..., None]:
    """The command of a kind of paper."""

    def bundle(session: Session, number: Number, output: Output = None) -> None:
        """Get it with all that it follows from, for `baygrid bill verify`."""
        save(session, session.client.send("GET", f"/v1/{noun}/{number}/bundle").content, output, CHECK)

    return bundle


def of_claim(
    session: Session,
    number: Number,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="A zip.")],
    language: Annotated[
        str, typer.Option("--language", metavar="LANGUAGE", help="Of the table: en, zh-Hans, zh-Hant or ja.")
    ] = "en",
) -> None:
    """Get it as one file for its payer: the claim with all that it follows from, and as a table.

    `baygrid bill verify` takes the file as it is, and its folder."""
    from baygrid.cli.claimfile import BUNDLE, packed

    path = f"/v1/claims/{number}"
    query = {"format": "csv", "language": language}
    table = session.client.send("GET", f"{path}/pages", params=query).content
    bundle = session.client.send("GET", f"{path}/bundle").content
    save(session, packed({BUNDLE: bundle, f"claim-{number}.csv": table}), output, CHECK)


def key(session: Session) -> None:
    """Show the public key by which the platform signs bundles."""
    found = session.client.get("/v1/signing-key")
    session.out.answer(found, found["public_key"])


def verify(
    session: Session,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A bundle, or a claim's zip or folder; - is stdin.")
    ],
    key: PlatformKey = None,
) -> None:
    """Recompute a bundle without a server: every line from signed usage, tariffs and vouchers, every
    signature and every sum. Names the first line that differs; exit code 1."""
    from baygrid.app.signatures import signed_by
    from baygrid.core.pricing.verify import checked, first_difference

    signer = platform_key(key)
    found, text, tables = _read(file)
    difference = first_difference(found, signed_by, signer) or _beside(text, tables)
    told = {**asdict(checked(found)), "public_key": found.signed.public_key}
    if difference is None:
        session.out.answer({"good": True, **told, "difference": None}, _good(told, demanded=key is not None))
        return
    if session.json:
        place = asdict(difference.place)
        session.out.json(
            {
                "good": False,
                **told,
                "difference": {**place, "stands": difference.stands, "right": difference.right},
            }
        )
    raise CliError(
        str(difference),
        code="bundle-differs",
        title="This bundle is not right",
        cure="ask whoever gave it to you for another one; if that has the same, tell the platform's operator",
    )


def _good(told: dict[str, Any], *, demanded: bool) -> str:
    whose = "the platform key that you named" if demanded else f"the platform key {told['public_key']}"
    counts = ", ".join(f"{told[what]} {what}" for what in ("papers", "lines", "records", "shares"))
    return f"every line is right: {counts} checked; signed by {whose}"


def _beside(text: bytes, tables: dict[str, bytes]) -> "Difference | None":
    """The first difference between papers and the tables that lie beside their bundle."""
    if not tables:
        return None
    from baygrid.cli.claimfile import differing
    from baygrid.ports.bundles import load

    return differing(load(text)["papers"], tables)


def _read(file: str) -> "tuple[Bundle, bytes, dict[str, bytes]]":
    """The bundle, its text, and what lies beside it."""
    from baygrid.cli.claimfile import BUNDLE, parts_of
    from baygrid.client.yamlfile import reading
    from baygrid.core.reading import DocumentError
    from baygrid.ports.bundles import Unreadable, load_bundle

    name = "stdin" if file == "-" else Path(file).name
    try:
        if file == "-":
            parts = {BUNDLE: sys.stdin.buffer.read()}
        else:
            with reading(file, "bundle"):
                parts = parts_of(Path(file))
        text = parts.pop(BUNDLE)
        return load_bundle(text), text, parts
    except Unreadable as error:
        raise _refused(name, Flaw("", str(error))) from None
    except DocumentError as error:
        raise _refused(name, *(Flaw(it.path, it.message) for it in error.problems)) from None


def _refused(name: str, *flaws: Flaw) -> CliError:
    return CliError(
        "; ".join(map(str, flaws)),
        code="no-bundle",
        title=f"{name} is no bundle that can be checked",
        flaws=flaws,
        cure="get one with `baygrid bill bundle`, or ask whoever gave it to you for another one",
    )
