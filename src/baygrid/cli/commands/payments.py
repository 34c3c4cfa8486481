"""Commands of payments, and of the rates that papers are made with."""

from typing import Annotated, Any

import typer

from baygrid.cli.errors import CliError
from baygrid.cli.options import Number
from baygrid.cli.session import Session, command, group
from baygrid.cli.shapes import local, money

Amount = Annotated[
    list[str], typer.Argument(metavar="AMOUNT CURRENCY", help="For example 500 CNY.", show_default=False)
]
Reference = Annotated[
    str, typer.Option("--reference", help="The bank's, say: told again, it is not booked again.")
]
Since = Annotated[
    str, typer.Option("--from", metavar="DATE", help="The first day of a month, such as 2026-11-01.")
]
Source = Annotated[str, typer.Option("--source", help="The law, notice or contract that it is from.")]
Share = Annotated[str, typer.Argument(metavar="RATE", help="For example 6%.")]


def register(app: typer.Typer) -> None:
    nouns = group(app, "payments", payments, "List payments; book one (operators).")
    command(nouns, "add")(add)
    command(nouns, "settlement")(pay_settlement)
    command(nouns, "claim")(pay_claim)
    nouns = group(app, "tax", taxes, "List the taxes of invoices; set one (operators).")
    command(nouns, "set")(set_tax)
    nouns = group(app, "fee", fees, "List what the platform keeps of what centres earn; set it (operators).")
    command(nouns, "set")(set_fee)
    nouns = group(app, "exchange-rates", exchange_rates, "List exchange rates; add one (operators).")
    command(nouns, "add")(add_exchange_rate)


def payments(
    session: Session,
    context: typer.Context,
    project: Annotated[
        str | None, typer.Option("--project", "-p", help="Else the token's own; of all.")
    ] = None,
) -> None:
    if context.invoked_subcommand:
        return
    found = session.client.items("/v1/payments", project=project)
    session.out.show(
        found,
        ("at", "of", "reference", "pays", "amount"),
        [
            [local(it["at"]), it["subject"], it["reference"], it["number"] or "ahead", money(it["amount"])]
            for it in found
        ],
        right=("amount",),
        none="no payments yet",
    )


def add(
    session: Session,
    project: Annotated[str, typer.Argument(metavar="PROJECT")],
    amount: Amount,
    reference: Reference,
    invoice: Annotated[
        str | None, typer.Option("--invoice", metavar="NUMBER", help="That it pays; else it is paid ahead.")
    ] = None,
) -> None:
    """Book that a project paid: an invoice, or ahead, and then it may spend so much more."""
    if invoice is None:
        _pay(session, f"/v1/projects/{project}/payments", amount, reference)
        return
    of = session.client.get(f"/v1/invoices/{invoice}")["subject"]
    if of != project:
        raise CliError(
            f"invoice {invoice} is of {of}, not of {project}",
            code="another-projects",
            cure=f"see `baygrid invoices --project {project}`",
        )
    _pay(session, f"/v1/invoices/{invoice}/payments", amount, reference)


def pay_settlement(session: Session, number: Number, amount: Amount, reference: Reference) -> None:
    """Book that the platform paid a settlement, or part of it."""
    _pay(session, f"/v1/settlements/{number}/payments", amount, reference)


def pay_claim(session: Session, number: Number, amount: Amount, reference: Reference) -> None:
    """Book that the payer of a pool paid a claim, or part of it."""
    _pay(session, f"/v1/claims/{number}/payments", amount, reference)


def _pay(session: Session, path: str, amount: list[str], reference: str) -> None:
    # Repeating it is harmless: a reference is booked once.
    body = {"amount": " ".join(amount), "reference": reference}
    made = session.client.send("POST", path, json=body, again=True).json()
    what = f"of {made['number']}" if made["number"] else "ahead"
    session.out.answer(made, f"{money(made['amount'])} {what} by {made['subject']}: {made['reference']}")


def taxes(session: Session, context: typer.Context) -> None:
    if not context.invoked_subcommand:
        _rates(session, "taxes", "no tax is configured: invoices have none")


def set_tax(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help="As invoices call it, such as VAT.")],
    rate: Share,
    since: Since,
    source: Source,
) -> None:
    """Set the tax of invoices from a month on."""
    _set(session, "taxes", name, rate, since, source)


def fees(session: Session, context: typer.Context) -> None:
    if not context.invoked_subcommand:
        _rates(session, "fees", "no fee is configured: centres are paid all that they earn")


def set_fee(session: Session, rate: Share, since: Since, source: Source) -> None:
    """Set what the platform keeps of what centres earn, from a month on."""
    _set(session, "fees", "platform fee", rate, since, source)


def _rates(session: Session, path: str, none: str) -> None:
    found = session.client.get(f"/v1/{path}")["items"]
    parts = ("since", "name", "rate", "source")
    session.out.show(found, parts, [[it[part] for part in parts] for it in found], right=("rate",), none=none)


def _set(session: Session, path: str, name: str, rate: str, since: str, source: str) -> None:
    body = {"name": name, "rate": rate, "since": since, "source": source}
    made: dict[str, Any] = session.client.post(f"/v1/{path}", body)
    session.out.answer(made, f"{made['name']}: {made['rate']} from {made['since']} on")


def exchange_rates(session: Session, context: typer.Context) -> None:
    if context.invoked_subcommand:
        return
    found = session.client.get("/v1/exchange-rates")["items"]
    parts = ("on", "base", "quote", "rate", "source")
    session.out.show(
        found,
        parts,
        [[it[part] for part in parts] for it in found],
        right=("rate",),
        none="no exchange rates: invoices tell their total in one currency",
    )


def add_exchange_rate(
    session: Session,
    base: Annotated[str, typer.Argument(metavar="BASE", help="For example CNY.")],
    quote: Annotated[str, typer.Argument(metavar="QUOTE", help="For example HKD.")],
    rate: Annotated[str, typer.Argument(metavar="RATE", help="How many QUOTE one BASE is.")],
    on: Annotated[str, typer.Option("--on", metavar="DATE", help="For example 2026-11-30.")],
    source: Annotated[str, typer.Option("--source", help="Whose rate it is.")],
) -> None:
    """Add the exchange rate of a day."""
    body = {"base": base, "quote": quote, "rate": rate, "on": on, "source": source}
    made = session.client.post("/v1/exchange-rates", body)
    session.out.answer(made, f"1 {base} is {made['rate']} {quote} on {made['on']}")
