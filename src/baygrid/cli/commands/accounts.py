"""Commands of accounts: what projects may spend, and how they ask for it."""

from typing import Annotated, Any

import typer

from baygrid.cli.options import OwnProject
from baygrid.cli.session import Session, command, group
from baygrid.cli.shapes import count, local, money, time_of

Project = Annotated[
    str | None, typer.Option("--project", "-p", help="Else the token's own; of an operator all.")
]
Application = Annotated[str, typer.Argument(metavar="APPLICATION")]
Reason = Annotated[str, typer.Option("--reason", "-m", help="It is kept, and the team reads it.")]


def register(app: typer.Typer) -> None:
    command(app, "allocations")(allocations)
    applications_ = group(app, "applications", applications, "Ask for an allocation; review, decide.")
    command(applications_, "create")(create)
    command(applications_, "show")(show)
    command(applications_, "review")(review)
    command(applications_, "approve")(approve)
    command(applications_, "refuse")(refuse)
    command(applications_, "withdraw")(withdraw)
    budgets_ = group(app, "budgets", budgets, "Show monthly budgets and how projects stand; set them.")
    command(budgets_, "set")(budgets_set)
    command(budgets_, "remove")(budgets_remove)
    command(app, "forecast")(forecast)


def allocations(session: Session, project: Project = None) -> None:
    """Show what projects may spend: from when until when, what for, and what is left of it."""
    found = session.client.items("/v1/allocations", project=project)
    amounts = ("amount", "used", "left", "returned")
    session.out.show(
        found,
        ("allocation", "project", "from", "until", "state", *amounts, "source", "purpose"),
        [
            [
                it["id"],
                it["project"],
                local(it["from"]),
                local(it["to"]) or "no end",
                _state(it),
                *(money(it[amount]) for amount in amounts),
                it["source"],
                it["purpose"],
            ]
            for it in found
        ],
        right=amounts,
        none="no allocations yet: ask with `baygrid applications create`",
    )


def _state(allocation: dict[str, Any]) -> str:
    days = allocation["warned_days"]
    return (
        f"ends in {days} days or less" if days and allocation["state"] == "in force" else allocation["state"]
    )


def applications(session: Session, context: typer.Context, project: Project = None) -> None:
    if context.invoked_subcommand:
        return
    found = session.client.items("/v1/applications", project=project)
    amounts = ("amount", "recommended", "approved")
    session.out.show(
        found,
        ("application", "project", "state", *amounts, "from", "until", "purpose"),
        [
            [it["id"], it["project"], it["state"], *(money(it[amount]) for amount in amounts),
             local(it["from"]), local(it["to"]), it["purpose"]]
            for it in found
        ],
        right=amounts,
        none="no applications yet: ask with `baygrid applications create`",
    )  # fmt: skip


def create(
    session: Session,
    amount: Annotated[str, typer.Option("--amount", metavar="AMOUNT", help='For example "5000 CNY".')],
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="Until before this time.")],
    purpose: Annotated[str, typer.Option("--purpose", help="What it is for, in a sentence.")],
    start: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Else now.")] = None,
    project: OwnProject = None,
    renews: Annotated[
        str | None, typer.Option("--renews", metavar="ALLOCATION", help="Which this one is to follow.")
    ] = None,
) -> None:
    """Ask for an allocation. An operator reviews it, another decides."""
    body = {
        "project": project or session.own_project(),
        "amount": amount,
        "from": time_of(start),
        "to": time_of(end),
        "purpose": purpose,
        "renews": renews,
    }
    made = session.client.post("/v1/applications", {key: value for key, value in body.items() if value})
    session.out.answer(made, f"{made['id']} asks for {money(made['amount'])}; an operator will review it")


def show(session: Session, id: Application) -> None:
    """Show an application and everything that was done with it."""
    found = session.client.get(f"/v1/applications/{id}")
    if session.json:
        session.out.json(found)
        return
    out = session.out
    out.line(f"{found['id']} of {found['project']} is {found['state']}: {found['purpose']}")
    asked = f"{money(found['amount'])} from {local(found['from'])} until before {local(found['to'])}"
    out.line(f"{asked}, to follow {found['renews']}" if found["renews"] else asked)
    if found["allocation"]:
        out.line(f"{money(found['approved'])} as {found['allocation']}")
    out.table(
        ("at", "step", "by", "amount", "words"),
        [[local(it["at"]), it["step"], it["by"], money(it["amount"]), it["words"]] for it in found["steps"]],
        right=("amount",),
    )


def review(
    session: Session,
    id: Application,
    recommend: Annotated[str, typer.Option("--recommend", metavar="AMOUNT", help='"0 CNY": to refuse it.')],
    note: Annotated[str, typer.Option("--note", "-m", help="It is kept, and the team reads it.")],
) -> None:
    """Review an application: recommend an amount (operators). Who reviews may not decide."""
    made = session.client.post(f"/v1/applications/{id}/review", {"amount": recommend, "note": note})
    session.out.answer(made, f"{id} is reviewed: {money(made['recommended'])} recommended")


def approve(
    session: Session,
    id: Application,
    reason: Reason,
    amount: Annotated[
        str | None, typer.Option("--amount", metavar="AMOUNT", help="Else what was recommended.")
    ] = None,
) -> None:
    """Approve an application: it becomes an allocation (operators; another than who reviewed it)."""
    body = {"reason": reason} | ({"amount": amount} if amount else {})
    made = session.client.post(f"/v1/applications/{id}/approve", body)
    session.out.answer(made, f"{id} is approved: {money(made['approved'])} as {made['allocation']}")


def refuse(session: Session, id: Application, reason: Reason) -> None:
    """Refuse an application (operators; another than who reviewed it)."""
    made = session.client.post(f"/v1/applications/{id}/refuse", {"reason": reason})
    session.out.answer(made, f"{id} is refused")


def withdraw(
    session: Session,
    id: Application,
    reason: Annotated[str, typer.Option("--reason", "-m", help="It is kept.")] = "",
) -> None:
    """Take an application back before anybody has decided on it."""
    made = session.client.post(f"/v1/applications/{id}/withdraw", {"reason": reason})
    session.out.answer(made, f"{id} is withdrawn")


def budgets(session: Session, context: typer.Context, project: Project = None) -> None:
    if context.invoked_subcommand:
        return
    found = session.client.get("/v1/budgets", project=project)["items"]
    session.out.show(
        found,
        ("project", "month", "budget", "charged", "held", "used", "alerts", "at the limit"),
        [
            [it["project"], it["month"], *(money(it[amount]) for amount in ("budget", "charged", "held")),
             f"{it['percent']}%", _alerts(it), "jobs wait" if it["hard"] else "it is told"]
            for it in found
        ],
        right=("budget", "charged", "held", "used"),
        none="no budgets yet: an operator sets one with `baygrid budgets set PROJECT AMOUNT`",
    )  # fmt: skip


def _alerts(budget: dict[str, Any]) -> str:
    alerts = ", ".join(f"{percent}%" for percent in budget["alerts"])
    return f"{alerts}; told: {budget['alerted']}%" if budget["alerted"] else alerts


def budgets_set(
    session: Session,
    project: Annotated[str, typer.Argument(metavar="PROJECT")],
    amount: Annotated[list[str], typer.Argument(metavar="AMOUNT", help="For a month, such as 2000 CNY.")],
    alert: Annotated[
        str, typer.Option("--alert", metavar="PERCENTAGES", help="Told once a month each.")
    ] = "80,100",
    hard: Annotated[
        bool, typer.Option("--hard", help="Jobs wait that would bring the month above it.")
    ] = False,
) -> None:
    """Set what a project may cost in a month, from this month on (operators)."""
    body = {"amount": " ".join(amount), "hard": hard, "alerts": _percentages(alert)}
    made = session.client.send("PUT", f"/v1/projects/{project}/budget", json=body).json()
    used = f"{money(made['charged'])} charged in {made['month']}"
    session.out.answer(made, f"{project} has a budget of {money(made['budget'])} a month: {used}")


def _percentages(text: str) -> list[int]:
    try:
        return [int(part) for part in text.replace("%", "").split(",") if part.strip()]
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no list of percentages: write for example 50,80,100", param_hint="--alert"
        ) from None


def budgets_remove(session: Session, project: Annotated[str, typer.Argument(metavar="PROJECT")]) -> None:
    """Take a project's budget away (operators)."""
    session.client.delete(f"/v1/projects/{project}/budget")
    session.out.answer({"project": project, "budget": None}, f"{project} has no budget any more")


def forecast(
    session: Session,
    project: Annotated[str | None, typer.Argument(metavar="PROJECT", help="Else the token's own.")] = None,
) -> None:
    """Tell what this month will have cost when it ends, with the figures that this rests on."""
    found = session.client.get(f"/v1/projects/{project or session.own_project()}/forecast")
    if session.json:
        session.out.json(found)
        return
    runs = count(found["attempts"], "attempt")
    session.out.table(
        (f"{found['project']}, {found['month']}", "amount", "rests on"),
        [
            ["expected at the end", money(found["expected"]), "the mean of the last 7 days goes on"],
            [
                "at most by what runs now",
                money(found["at_most"]),
                "charged, and the holds of what runs and is committed",
            ],
            ["charged so far", money(found["charged"]), ""],
            ["running, so far", money(found["running"]), runs],
            ["running, may still cost", money(found["still"]), "the rest of their holds"],
            ["committed", money(found["committed"]), "paid by the end of the month, used or not"],
            ["charged in the last 7 days", money(found["last_7_days"]), ""],
            ["committed for longer", money(found["committed_later"]), "in none of these"],
            ["held for jobs that wait", money(found["waiting"]), "in none of these"],
        ],
        right=("amount",),
    )
    budget = found["budget"]
    if budget is not None:
        over = found["expected"]["minor"] - budget["minor"]
        said = "more than is expected" if over <= 0 else "less than is expected"
        session.out.line(f"the budget of {money(budget)} is {said}")
