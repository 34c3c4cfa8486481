"""Commands of public support that reaches the bill: pools of money, and vouchers that draw on them."""

import uuid
from typing import Annotated, Any

import typer

from baygrid.cli.errors import CliError
from baygrid.cli.options import OwnProject
from baygrid.cli.session import Session, command, group
from baygrid.cli.shapes import local, money

Amount = Annotated[str, typer.Argument(metavar="AMOUNT", help='With its currency, such as "5000 CNY".')]


def register(app: typer.Typer) -> None:
    pools_ = group(app, "pools", pools, "Show what payers gave for vouchers, and what is left (operators).")
    command(pools_, "create")(create)
    command(pools_, "add")(add)
    vouchers_ = group(app, "vouchers", vouchers, "Show the vouchers that pay a share of a project's costs.")
    command(vouchers_, "issue")(issue)
    command(vouchers_, "show")(show)
    command(vouchers_, "revoke")(revoke)


def pools(session: Session, context: typer.Context) -> None:
    if context.invoked_subcommand:
        return
    found = session.client.get("/v1/pools")["items"]
    session.out.show(
        found,
        ("pool", "payer", "rulebook", "clause", "amount", "paid", "left"),
        [[it["name"], it["payer"], it["rulebook"], it["clause"], *map(money, _amounts(it))] for it in found],
        right=("amount", "paid", "left"),
        none="no pools yet: an operator makes one with `baygrid pools create`",
    )


def _amounts(pool: dict[str, Any]) -> list[Any]:
    return [pool["amount"], pool["paid"], pool["left"]]


def create(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    amount: Amount,
    payer: Annotated[str, typer.Option("--payer", help="Who gives the money.")],
    rulebook: Annotated[str, typer.Option("--rulebook", help="As `baygrid measures list` has it.")],
    clause: Annotated[str, typer.Option("--clause", help="Under which it is given.")],
) -> None:
    """Make a pool: money that one payer gives under one clause."""
    body = {"name": name, "payer": payer, "rulebook": rulebook, "clause": clause, "amount": amount}
    made = session.client.post("/v1/pools", body)
    session.out.answer(made, f"pool {name}: {money(made['left'])} for {clause} of {rulebook}")


def add(session: Session, name: Annotated[str, typer.Argument(metavar="NAME")], amount: Amount) -> None:
    """Add to a pool; a negative amount (after --) takes from what is left of it."""
    made = session.client.post(f"/v1/pools/{name}/changes", {"amount": amount}, key=str(uuid.uuid4()))
    session.out.answer(made, f"pool {name}: {money(made['left'])} is left of {money(made['amount'])}")


def vouchers(
    session: Session,
    context: typer.Context,
    project: OwnProject = None,
) -> None:
    if context.invoked_subcommand:
        return
    found = session.client.get("/v1/vouchers", project=project)["items"]
    session.out.show(
        found,
        ("voucher", "organisation", "project", "clause", "rate", "cap", "paid", "until"),
        [
            [
                it["id"],
                it["organisation"],
                it["project"] or "all",
                it["clause"],
                f"{float(it['rate']):.4g}",
                money(it["cap"]),
                money(it["paid"]),
                local(it["until"]),
            ]
            for it in found
        ],
        right=("rate", "cap", "paid"),
        none="no vouchers",
    )


def issue(
    session: Session,
    facts: Annotated[str, typer.Argument(metavar="FACTS", help="Of the applicant (YAML); - is stdin.")],
    organisation: Annotated[str, typer.Option("--organisation", "-o", help="To whom.")],
    pool: Annotated[str, typer.Option("--pool", help="Which pays, and so under which clause.")],
    project: Annotated[str | None, typer.Option("--project", "-p", help="Else for all of its.")] = None,
    cap: Annotated[str | None, typer.Option("--cap", help="Else all that the clause may give.")] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="Its last day; else the clause's.")
    ] = None,
) -> None:
    """Issue a voucher, if the clause of the pool finds the applicant eligible by these facts."""
    from baygrid.client.yamlfile import document_of, located, text_of

    name, _, text = text_of(facts, "file of facts")
    document, lines = document_of(name, text)
    body = {"organisation": organisation, "project": project, "pool": pool, "facts": document}
    more = {key: value for key, value in (("cap", cap), ("until", until)) if value is not None}
    try:
        made = session.client.post("/v1/vouchers", {**body, **more})
    except CliError as error:
        raise located(name, error, {f"facts.{path}": line for path, line in lines.items()}) from None
    share = f"{float(made['rate']):.4g} of costs until before {local(made['until'])}"
    session.out.answer(made, f"{made['id']}: {share}, {money(made['cap'])} at most")


def show(session: Session, id: Annotated[str, typer.Argument(metavar="VOUCHER")]) -> None:
    """Show a voucher with what its clause found of the applicant, step by step."""
    found = session.client.get(f"/v1/vouchers/{id}")
    if session.json:
        session.out.json(found)
        return
    out = session.out
    out.line(f"{found['id']} for {found['organisation']}, {found['project'] or 'all projects'}")
    out.line(f"{found['clause']} of {found['rulebook']}: {found['reference']}")
    share = f"{found['rate']} of {money(found['supported'])}"
    out.line(f"paid {money(found['paid'])} of {money(found['cap'])}: {share}")
    out.line(f"from {local(found['from'])} until before {local(found['until'])}, out of pool {found['pool']}")
    out.table(
        ("step", "value", "by"),
        [[it["says"], it["value"], it["reference"]] for it in found["finding"]["trace"]],
    )
    for reason in found["finding"]["reasons"]:
        out.line(reason)


def revoke(session: Session, id: Annotated[str, typer.Argument(metavar="VOUCHER")]) -> None:
    """Take a voucher back: from now on it pays nothing more; what it paid stays paid."""
    made = session.client.post(f"/v1/vouchers/{id}/revoke", {})
    session.out.answer(made, f"{id} is revoked; it paid {money(made['paid'])}")
