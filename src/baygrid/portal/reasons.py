"""Why a job goes where, in the reader's language. In English the decision's own sentence is shown, which has
all figures; in others the fact that its code stands for, with the figures that matter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from baygrid.app.explain import Outcome, Table
from baygrid.core.units import Money
from baygrid.portal.language import ENGLISH, N_
from baygrid.portal.visit import Visit
from baygrid.portal.voice import Voice

Data = Mapping[str, Any]
Values = Callable[[Voice, Data], Mapping[str, str]]


def _none(voice: Voice, data: Data) -> Mapping[str, str]:
    return {}


def _numbers(*names: str) -> Values:
    return lambda voice, data: {name: voice.number(data[name]) for name in names}


def _words(*names: str) -> Values:
    return lambda voice, data: {name: str(data[name]) for name in names}


SAID: Final[Mapping[str, tuple[str, Values]]] = {
    "centre-closed": (N_("takes no new jobs"), _none),
    "centre-unreachable": (N_("does not answer"), _none),
    "no-inventory": (N_("has not told its nodes yet"), _none),
    "no-offer": (N_("has no price"), _none),
    "not-asked-for": (N_("the job names other places"), _none),
    "avoided": (N_("the job avoids it"), _none),
    "residency": (
        N_("it is in %(place)s, and the job must stay in %(allowed)s"),
        lambda voice, data: {"place": data["jurisdiction"], "allowed": ", ".join(data["residency"])},
    ),
    "law": (N_("the law does not let the job's data go there"), _none),
    "currency": (N_("priced in %(offer)s, the project pays in %(project)s"), _words("offer", "project")),
    "accelerator": (N_("it does not have the accelerator"), _none),
    "capability": (N_("its centre cannot do what the job needs"), _none),
    "node-too-small": (N_("its nodes are too small"), _none),
    "too-few-nodes": (
        N_("only %(fitting)s of the %(nodes)s nodes needed are large enough"),
        _numbers("fitting", "nodes"),
    ),
    "time-limit": (
        N_("a job may take at most %(time)s there"),
        lambda voice, data: {"time": voice.span(data["limit_s"])},
    ),
    "over-budget": (N_("it would cost more than the job may"), _none),
    "no-spot": (N_("no spot capacity is left"), _none),
    "busy": (N_("%(free)s of the %(nodes)s nodes needed are free"), _numbers("free", "nodes")),
    "pending": (N_("%(pending)s attempts wait in its own queue already"), _numbers("pending")),
    "reserved": (N_("nodes with room are reserved"), _none),
    "kept": (N_("the room is kept for jobs whose turn came before"), _none),
    "ranked-lower": (N_("another place is better"), _none),
    "over-quota": (N_("more than queue %(queue)s may ever have"), _words("queue")),
    "quota": (N_("the quota of queue %(queue)s is used up"), _words("queue")),
    "quota-kept": (N_("the quota is kept for a job whose turn came before"), _none),
    "queue-unknown": (N_("there is no queue %(queue)s"), _words("queue")),
    "queue-closed": (N_("queue %(queue)s is not open to this project"), _words("queue")),
    "priority-too-high": (N_("queue %(queue)s does not take so urgent a job"), _words("queue")),
}


def because(visit: Visit, reason: Mapping[str, Any]) -> tuple[str, bool]:
    """The sentence, and whether it is in the reader's language."""
    if visit.language is ENGLISH:
        return reason["text"], True
    try:
        message, values = SAID[reason["code"]]
        told = values(visit.voice, reason["data"])
    except (KeyError, TypeError):  # of an older server, or of a kind that has no words yet
        return reason["text"], False
    return (visit.words.get(message) % told if told else visit.words.get(message)), True


def headline(visit: Visit, table: Table) -> str | None:
    """What the outcome comes to. None: only the decision's own sentence tells it."""
    voice, facts = visit.voice, table.facts
    best = next((row for row in table.rows if row.verdict == "chosen"), None)
    cost = voice.money(best.cost) if best is not None and best.cost is not None else ""
    if table.outcome is Outcome.IMPOSSIBLE:
        return visit.say("No centre of the region can ever run it as it is.")
    if table.outcome is Outcome.WOULD_PLACE and best is not None:
        return visit.say("Can start now on %(place)s, for %(cost)s at most.", place=best.name, cost=cost)
    if table.outcome is Outcome.PLACED and best is not None:
        return visit.say("It went to %(place)s, for %(cost)s at most.", place=best.name, cost=cost)
    if "start_p10_ms" in facts:
        return visit.say(
            "It is number %(place)s of %(all)s in its queue, and may start between %(early)s and %(late)s.",
            place=voice.number(facts["position"]),
            all=voice.number(facts["waiting"]),
            early=voice.minute(facts["start_p10_ms"]),
            late=voice.minute(facts["start_p90_ms"]),
        )
    if "position" in facts:
        return visit.say(
            "It is number %(place)s of %(all)s in its queue.",
            place=voice.number(facts["position"]),
            all=voice.number(facts["waiting"]),
        )
    return None


def held(visit: Visit, cause: str | None, asked: int, currency: str) -> str | None:
    """Why a job is held. None: nothing is known."""
    match cause:
        case "after":
            return visit.say("Held until the jobs that it waits for have succeeded.")
        case "money":
            need = visit.voice.money(Money(asked, currency))
            return visit.say("Held until the project has %(need)s free.", need=need)
        case "back-off":
            return visit.say("Held for a while after an attempt that failed.")
        case "array":
            return visit.say("Held until earlier jobs of its array have ended.")
    return None
