"""Commands of money: bills that anybody can recompute, and the ledger."""

import csv
from fractions import Fraction
from typing import Annotated, Any

import typer

from baygrid.cli import completing
from baygrid.cli.commands import bundles
from baygrid.cli.errors import CliError
from baygrid.cli.options import End, OwnProject, Start
from baygrid.cli.session import Session, WithArgument, command, group
from baygrid.cli.shapes import local, money, time_of

FORMATS = ("table", "json", "csv", "beancount")


def register(app: typer.Typer) -> None:
    bills = group(app, "bill", bill, "Show what was charged for what, line by line.", WithArgument)
    bundles.register(bills)
    command(app, "ledger")(ledger)


def bill(
    session: Session,
    context: typer.Context,
    job: Annotated[
        str | None, typer.Argument(metavar="JOB", help="One job's bill.", autocompletion=completing.jobs)
    ] = None,
    project: OwnProject = None,
    start: Start = None,
    end: End = None,
    recompute: Annotated[
        bool,
        typer.Option("--recompute", help="Compute it anew from the signed usage; exit code 1 if it differs."),
    ] = False,
    format: Annotated[str, typer.Option("--format", "-f", help="table, json, csv or beancount.")] = "table",
) -> None:
    if context.invoked_subcommand:
        return
    form = "json" if session.json else format
    if form not in FORMATS:
        raise typer.BadParameter(f"{format!r} is not one of {', '.join(FORMATS)}", param_hint="--format")
    if form == "beancount" and (job or start or end or recompute):
        raise typer.BadParameter("beancount is always a project's whole ledger", param_hint="--format")
    if job is not None and (project or start or end):
        raise typer.BadParameter("a job's bill has no project and no time", param_hint="JOB")
    path = f"/v1/jobs/{job}/bill" if job else f"/v1/projects/{project or session.own_project()}/bill"
    if form == "beancount":
        session.out.out.write(session.client.send("GET", path, params={"format": "beancount"}).text)
        return
    found = session.client.get(
        path, recompute=recompute or None, **{"from": time_of(start), "to": time_of(end)}
    )
    _show(session, found, form)
    if recompute:
        _judge(session, found["recomputed"])


def _show(session: Session, bill: dict[str, Any], form: str) -> None:
    out = session.out
    if form == "json":
        out.json(bill)
    elif form == "csv":
        _csv(session, bill["lines"])
    elif form == "table":
        columns = ["job", "name", "centre", "item", "quantity", "unit", "rate", "amount"]
        columns += ["trade"] if any(line["trade"] for line in bill["lines"]) else []
        shown = [
            {**line, "quantity": _decimal(line["quantity"], 6), "amount": money(line["amount"])}
            for line in bill["lines"]
        ]
        rows = [[line.get(column) for column in columns] for line in shown]
        if rows:
            out.table(columns, rows, right=("quantity", "rate", "amount"))
        for other in bill["others"]:
            out.line(f"{other['what']}, at {other['centre']}: {money(other['amount'])}")
        for share in bill["shares"]:
            out.line(
                f"voucher {share['voucher']} pays {money(share['paid'])} of {money(share['base'])}"
                f" of job {share['job']}, out of pool {share['pool']}"
            )
        for it in bill["not_charged"]:
            out.line(
                f"attempt {it['attempt']} of job {it['job']} at {it['centre']} is not charged: {it['why']}"
            )
        out.line(f"{bill['project']}: {money(bill['total'])}")
        if bill["overrun"]["minor"]:
            out.line(f"above the holds, borne by the platform: {money(bill['overrun'])}")


def _csv(session: Session, lines: list[dict[str, Any]]) -> None:
    fields = [
        "job",
        "name",
        "attempt",
        "n",
        "centre",
        "item",
        "quantity",
        "unit",
        "rate",
        "amount",
        "currency",
        "from",
        "to",
        "trade",
    ]
    writer = csv.DictWriter(session.out.out, fields, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for line in lines:
        amount, _, currency = money(line["amount"]).partition(" ")
        quantity = _decimal(line["quantity"], 15)
        writer.writerow({**line, "quantity": quantity, "amount": amount, "currency": currency})


def _decimal(exact: str, digits: int) -> str:
    """A quantity, which is an exact fraction, to so many digits for people and spreadsheets."""
    return f"{float(Fraction(exact)):.{digits}g}"


def _judge(session: Session, recomputed: dict[str, Any]) -> None:
    differences = recomputed["differences"]
    if not differences:
        session.out.note(f"recomputed {recomputed['lines']} lines from the signed usage: no difference")
        return
    raise CliError(
        f"recomputing {recomputed['lines']} lines found {len(differences)} differences; "
        f"the first: {_said(differences[0])}",
        code="bill-differs",
        cure="send this to the platform's operator",
    )


def _said(difference: object) -> str:
    if isinstance(difference, dict):
        return ", ".join(
            f"{key} {value.get('text', value) if isinstance(value, dict) else value}"
            for key, value in difference.items()
        )
    return str(difference)


def ledger(
    session: Session,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1)] = 50,
    everything: Annotated[bool, typer.Option("--all", help="Without a limit.")] = False,
    balances: Annotated[bool, typer.Option("--balances", help="Each account's balance instead.")] = False,
    beancount: Annotated[bool, typer.Option("--beancount", help="The whole, as Beancount text.")] = False,
) -> None:
    """Show the ledger: every transaction with its postings, or the balances."""
    if beancount:
        text = session.client.send("GET", "/v1/ledger", params={"format": "beancount"}).text
        session.out.out.write(text)
        return
    if balances:
        accounts = session.client.get("/v1/ledger/balances")["items"]
        session.out.show(
            accounts,
            ("account", "balance"),
            [[account["account"], money(account["balance"])] for account in accounts],
            right=("balance",),
            none="the ledger is empty",
        )
        return
    found = session.client.items("/v1/ledger", None if everything else limit)
    rows = []
    for transaction in found:
        head = [local(transaction["at"]), transaction["narration"]]
        for posting in transaction["postings"]:
            rows.append([*head, posting["account"], money(posting["amount"])])
            head = [" ", " "]
    session.out.show(
        found, ("at", "narration", "account", "amount"), rows, right=("amount",), none="the ledger is empty"
    )
    if not everything and len(found) == limit:
        session.out.note(f"these are the oldest {limit}: --all shows every transaction")
