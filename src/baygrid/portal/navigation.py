"""What leads where, for whom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from baygrid.app.access import Actor
from baygrid.app.signing_in import Session
from baygrid.portal.language import N_
from baygrid.ports.records import Role, Scope


def anybody(actor: Actor) -> bool:
    return True


def team(actor: Actor) -> bool:
    return actor.role is Role.TEAM


def users(actor: Actor) -> bool:
    """Who has jobs to look at."""
    return actor.role in (Role.TEAM, Role.OPERATOR)


def operators(actor: Actor) -> bool:
    return actor.role is Role.OPERATOR and Scope.MANAGE in actor.scopes


def of_members(actor: Actor) -> bool:
    """Everybody in a project sees who else is; elsewhere who decides about it."""
    return actor.role is Role.TEAM or Scope.MANAGE in actor.scopes


def of_tokens(actor: Actor) -> bool:
    return users(actor) and Scope.MANAGE in actor.scopes


def submitters(actor: Actor) -> bool:
    return actor.role is Role.TEAM and Scope.USE in actor.scopes


def of_centre(actor: Actor) -> bool:
    return actor.role is Role.CENTRE


@dataclass(frozen=True, slots=True)
class Entry:
    """`path` under the portal, with the actor's `{centre}`; `here`: what `Page.here` says of pages that
    belong to it."""

    here: str
    path: str
    title: str
    allowed: Callable[[Actor], bool] = anybody


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    entries: tuple[Entry, ...]


GROUPS: Final = (
    Group(
        N_("Compute"),
        (
            Entry("home", "", N_("Home")),
            Entry("offers", "offers", N_("Offers")),
            Entry("submit", "submit", N_("Submit a job"), submitters),
            Entry("jobs", "jobs", N_("Jobs"), users),
            Entry("queue", "queue", N_("Queue"), users),
        ),
    ),
    Group(
        N_("Centre"),
        (
            Entry("centre", "centres/{centre}", N_("Agent and nodes"), of_centre),
            Entry("centre-jobs", "centres/{centre}/jobs", N_("Jobs here"), of_centre),
            Entry("centre-use", "centres/{centre}/use", N_("Use"), of_centre),
            Entry("centre-prices", "centres/{centre}/prices", N_("Prices"), of_centre),
            Entry("settlements", "centres/{centre}/settlements", N_("Settlement"), of_centre),
        ),
    ),
    Group(
        N_("Region"),
        (
            Entry("health", "region/health", N_("Health"), operators),
            Entry("centres", "region/centres", N_("Centres"), operators),
            Entry("organisations", "region/organisations", N_("Organisations"), operators),
            Entry("region-projects", "region/projects", N_("Projects and shares"), operators),
            Entry("policy", "region/policy", N_("Policy"), operators),
            Entry("what-if", "region/what-if", N_("What if"), operators),
            Entry("audit", "region/audit", N_("Audit"), operators),
        ),
    ),
    Group(
        N_("Money"),
        (
            Entry("projects", "projects", N_("Budget"), users),
            Entry("invoices", "invoices", N_("Invoices"), users),
            Entry("measures", "measures", N_("Public support")),
        ),
    ),
    Group(
        N_("Data"),
        (
            Entry("data", "data", N_("Catalogue")),
            Entry("contracts", "data/contracts", N_("Contracts"), users),
            Entry("reads", "data/reads", N_("Who read what"), users),
            Entry("persons", "data/persons", N_("Persons shown"), users),
            Entry("observatory", "observatory", N_("Observatory")),
            Entry("letter", "letter", N_("Letter")),
        ),
    ),
    Group(
        N_("People"),
        (
            Entry("members", "members", N_("Members"), of_members),
            Entry("tokens", "tokens", N_("Tokens"), of_tokens),
            Entry("account", "account", N_("Your account")),
        ),
    ),
)


def shown(session: Session | None) -> Sequence[Group]:
    """Nothing that would be refused."""
    if session is None:
        return ()
    actor = session.actor
    groups = (
        Group(
            group.title,
            tuple(
                replace(it, path=it.path.format(centre=actor.centre))
                for it in group.entries
                if it.allowed(actor)
            ),
        )
        for group in GROUPS
    )
    return [group for group in groups if group.entries]
