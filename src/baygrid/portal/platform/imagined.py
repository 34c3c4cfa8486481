"""What if: the region's own history once more, with another price, one more centre or another policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from starlette.responses import Response

from baygrid.app.access import Action, permit
from baygrid.app.offers import offers
from baygrid.app.problems import Invalid, Problem
from baygrid.app.whatif import Change, GivenUp, apart, whatif
from baygrid.portal import job_form
from baygrid.portal.language import N_
from baygrid.portal.page import page
from baygrid.portal.platform.policy import A_POLICY
from baygrid.portal.routing import Page
from baygrid.portal.visit import Form, Visit
from baygrid.portal.voice import Voice

PATIENCE_MS: Final = 90_000
DAY_MS: Final = 86_400_000
MOST_DAYS: Final = 366
EMPTY: Final = {
    "offer": "", "price": "", "centre": "", "jurisdiction": "CN-QH", "nodes": "1", "cpus": "64",
    "memory": "512GiB", "model": "", "accelerators": "8", "currency": "CNY", "rate": "", "policy": "",
    "days": "30",
}  # fmt: skip
SPANS: Final = {
    "wait_mean_s": N_("Wait, mean"),
    "wait_p50_s": N_("Wait, half of all jobs at most"),
    "wait_p99_s": N_("Wait, 99 of 100 jobs at most"),
}
COUNTS: Final = {
    "started": N_("Jobs that ran"),
    "never": N_("Jobs that never run"),
    "preemptions": N_("Jobs that made way"),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure before and after, as it is shown; `better`: whether the change makes it so, None: cannot be
    said, or nothing changes."""

    title: str
    before: str
    after: str
    better: bool | None = None


def ask(visit: Visit) -> Response:
    return _ask(visit, EMPTY)


def _ask(
    visit: Visit, typed: dict[str, str], problem: Problem | None = None, told: dict[str, Any] | None = None
) -> Response:
    permit(visit.actor, Action.OPERATE)
    return page(
        visit, "platform/whatif.html", problem=problem, typed=typed,
        offers=offers(visit.platform, visit.actor), report=told,
        rows=list(_rows(visit, told)) if told else [],
    )  # fmt: skip


def answer(visit: Visit) -> Response:
    permit(visit.actor, Action.OPERATE)
    typed = {name: visit.form.get(name) for name in EMPTY} | {"policy": visit.form.text("policy")}
    until, clock = visit.now + PATIENCE_MS, visit.platform.clock
    work = partial(apart, stop=lambda: clock() > until)
    try:
        since = visit.now - DAY_MS * _whole("days", typed["days"], MOST_DAYS)
        told = whatif(visit.platform, visit.actor, _change(visit.form, typed), work=work, since=since)
    except GivenUp:
        late = Invalid.at("days", "this takes too long for a page: ask for fewer days, or `baygrid whatif`")
        return _ask(visit, typed, late)
    except Invalid as problem:
        return _ask(visit, typed, problem)
    return _ask(visit, typed, told=told)


def _change(form: Form, typed: dict[str, str]) -> Change:
    """Raises Invalid."""
    policy = job_form.read(typed["policy"], A_POLICY)[0] if typed["policy"].strip() else None
    prices = {typed["offer"]: typed["price"]} if typed["price"] else {}
    return Change(policy, prices, [_centre(typed)] if typed["centre"] else [])


def _centre(typed: dict[str, str]) -> dict[str, Any]:
    """A centre of nodes that are all alike."""
    model = typed["model"]
    node: dict[str, Any] = {
        "count": _whole("nodes", typed["nodes"], 100_000),
        "cpus": _whole("cpus", typed["cpus"], 65_536),
        "memory": typed["memory"],
    }
    if model:
        node["accelerators"] = {model: _whole("accelerators", typed["accelerators"], 1024)}
    offer = {"partition": "main", "currency": typed["currency"]}
    offer["accelerator_hour" if model else "cpu_hour"] = typed["rate"]
    if model:
        offer["accelerator"] = model
    return {
        "name": typed["centre"],
        "jurisdiction": typed["jurisdiction"],
        "partitions": [{"name": "main", "nodes": [node]}],
        "offers": [offer],
    }


def _whole(name: str, text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        raise Invalid.at(name, f"must be a whole number from 1 to {most}")
    return int(text)


def _rows(visit: Visit, told: dict[str, Any]) -> Iterator[Figure]:
    voice, say = visit.voice, visit.say
    before, after = told["before"], told["after"]
    for key, title in SPANS.items():
        yield _figure(say(title), (before[key], after[key]), lambda s: voice.span(round(s)), -1)
    for key, title in COUNTS.items():
        yield _figure(say(title), (before[key], after[key]), voice.number, 1 if key == "started" else -1)
    for currency in dict.fromkeys([*before["cost"]["total"], *after["cost"]["total"]]):
        each = [course["cost"]["total"].get(currency, 0) for course in (before, after)]
        yield _figure(say("Cost of all jobs"), each, _amount(voice, currency), -1)
    yield from _uses(visit, before, after)
    jain = [course["fairness"]["jain"] for course in (before, after)]
    yield _figure(say("Fairness (Jain), at most 1"), jain, voice.figure, 1)
    for name, had in before["fairness"]["projects"].items():
        then = after["fairness"]["projects"].get(name, had)
        yield _figure(say("Part of %(project)s", project=name), (had["had"], then["had"]), _percent(voice), 0)


def _uses(visit: Visit, before: dict[str, Any], after: dict[str, Any]) -> Iterator[Figure]:
    use = [course["utilisation"] for course in (before, after)]
    for centre in dict.fromkeys([*use[0], *use[1]]):
        for flavor in dict.fromkeys([*use[0].get(centre, {}), *use[1].get(centre, {})]):
            title = visit.say(
                "In use at %(centre)s, %(what)s", centre=centre, what="CPU" if flavor == "cpu" else flavor
            )
            yield _figure(title, [it.get(centre, {}).get(flavor) for it in use], _percent(visit.voice), 1)


def _percent(voice: Voice) -> Callable[[float], str]:
    return lambda part: f"{voice.number(100 * part, 1)} %"


def _amount(voice: Voice, currency: str) -> Callable[[int], str]:
    return lambda minor: voice.minor(minor, currency)


def _figure(title: str, each: Sequence[Any], shown: Callable[[Any], str], good: int) -> Figure:
    """`good`: 1 where more is better, -1 where less is."""
    before, after = each
    one, other = ("–" if it is None else shown(it) for it in each)
    if before is None or after is None or one == other or not good:
        return Figure(title, one, other)
    return Figure(title, one, other, better=(after > before) == (good > 0))


PAGES = (
    Page("region/what-if", ask, here="what-if"),
    Page("region/what-if", answer, here="what-if", method="POST"),
)
