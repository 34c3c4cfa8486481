"""What stands in a region before anything happens: projects with money, centres with prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from baygrid.app import projects
from baygrid.app.access import Actor
from baygrid.app.centres import add_centre
from baygrid.app.offers import Rates, add_offer
from baygrid.app.platform import Platform
from baygrid.app.policies import set_policy
from baygrid.core.units import Money
from baygrid.ports.records import Kind, Role
from baygrid.sim.workload import MAX_PENDING, PATIENCE, PROJECTS, CentrePlan
from baygrid.sim.world import BEGIN

PARTITION = "main"
DRIVER = "sim"
DRIVERS = (DRIVER,)


def everybody(centres: Sequence[CentrePlan]) -> dict[str, Actor]:
    """Who calls, by name. Always the same, so that what the policies say of them is asked once."""
    actors = {"operator": Actor("operator", Role.OPERATOR, "operator")}
    for project in PROJECTS:
        actors[project] = Actor(f"team-{project}", Role.TEAM, project, project=project)
    for centre in centres:
        actors[centre.name] = Actor(f"agent-{centre.name}", Role.CENTRE, centre.name, centre=centre.name)
    return actors


def declared(centres: Sequence[CentrePlan]) -> dict[str, Any]:
    """The policy: whose own scheduler decides."""
    late = {"managed": False, "max_pending": MAX_PENDING, "patience": PATIENCE}
    return {"centres": {centre.name: late for centre in centres if centre.own_queue}}


def found(
    platform: Platform, operator: Actor, centres: Sequence[CentrePlan], funds: Mapping[str, int]
) -> None:
    projects.add_organisation(platform, operator, "org", Kind.COMPANY, "")
    for project, minor in funds.items():
        projects.add_project(platform, operator, project, "org", "CNY", Money(minor, "CNY"))
    for centre in centres:
        add_centre(platform, operator, centre.name, centre.jurisdiction, DRIVER)
        for accelerator in centre.offers:
            accelerator_hour = centre.accelerator_hour if accelerator else "0"
            add_offer(
                platform,
                operator,
                id=None,
                centre=centre.name,
                partition=PARTITION,
                accelerator=accelerator,
                currency="CNY",
                rates=Rates(accelerator_hour, centre.cpu_hour, centre.gib_hour),
                valid_from=BEGIN - 60_000,
            )
    if any(centre.own_queue for centre in centres):
        # Long before: servers whose clocks differ must not see it begin one after the other.
        earlier = replace(platform, clock=lambda: BEGIN - 60_000)
        set_policy(earlier, operator, declared(centres), None)
