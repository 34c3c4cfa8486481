"""Three centres with schedulers of three kinds join one platform, each by its one-time token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from scripts.demo.processes import Service
from scripts.demo.region import Region
from scripts.demo.show import shown_path
from scripts.demo_region.engines import ACCOUNT, Engine

PROJECT: Final = "region"
GRANT: Final = "20000 CNY"
POLICY: Final = Path(__file__).with_name("policy.yaml")
READY_S: Final = 60.0

NODES: Final = (
    "s1:cpus=4,memory=16", "s2:cpus=4,memory=16", "night/n1:cpus=8,memory=16",
    "gpu/g1:cpus=16,memory=64,A100=4", "gpu/g2:cpus=16,memory=64,A100=4",
)  # fmt: skip

_DECLARED: Final = tuple(word for node in NODES for word in ("--node", node))


@dataclass(frozen=True, slots=True)
class Joining:
    """Sample prices an hour, in CNY: high enough that seconds cost something."""

    centre: str
    jurisdiction: str
    account: tuple[str, ...]
    """Whose account jobs run under."""
    prices: Mapping[str, str]
    engine: str = ""
    arguments: tuple[str, ...] = ()


AS_ME: Final = ("--as-me",)

CENTRES: Final = (
    Joining("qianhai", "CN-QH", ("--account-map", f"{PROJECT}={ACCOUNT}"),
            {"accelerator": "Ascend910B=108", "cpu": "36", "gib": "0.36"}, "slurm"),
    Joining("hongkong", "HK", AS_ME,
            {"accelerator": "H100=360", "cpu": "50.4", "gib": "0.36"}, "ray", ("--driver", "ray")),
    Joining("shaoguan", "CN-GD", ("--run-as", ACCOUNT),
            {"accelerator": "A100=144", "cpu": "25.2", "gib": "0.36"}, arguments=_DECLARED),
)  # fmt: skip


def platform(region: Region) -> None:
    """An empty platform with one project, its money and its team's token."""
    region.screen.scene("One platform, one project")
    arguments = ["serve", "--data", str(region.folder / "platform"), "--port", "0", "--no-embedded-centre"]
    region.screen.command(["baygrid", *arguments])
    region.server = region.start("platform", arguments, r"http://[\d.]+:\d+").ready()[0]
    region.tokens["operator"] = (region.folder / "platform" / "operator.token").read_text().strip()
    region.show("operator", "organisations", "create", "sample", "--kind", "institute")
    region.show("operator", "projects", "create", PROJECT, "--organisation", "sample", "--grant", GRANT)
    made = region.ask("operator", "/v1/tokens", {"role": "team", "project": PROJECT})
    region.tokens[PROJECT] = made["token"]


def join(region: Region, engines: Mapping[str, Engine], as_me: bool) -> None:
    """Each agent finds what its scheduler has, and sets its prices. `as_me`: jobs run under this account,
    which can read what it installed."""
    region.screen.scene("Three centres join, each with its own scheduler")
    joining = [replace(one, account=AS_ME) if as_me else one for one in CENTRES]
    agents = [_join(region, one, engines.get(one.engine)) for one in joining]
    for agent in agents:
        agent.ready(READY_S)
    region.until("centre-joined", {one.centre for one in CENTRES})
    # Nodes that all have accelerators take plain jobs, too, where there is a price for it.
    for one in CENTRES:
        if one.engine:
            region.show(
                "operator", "offers", "create", "--centre", one.centre, "--partition", "main",
                "--currency", "CNY", "--cpu-hour", one.prices["cpu"], "--gib-hour", one.prices["gib"],
            )  # fmt: skip
    region.show("operator", "policy", "set", shown_path(POLICY))
    region.show("operator", "centres")
    region.show("operator", "offers")


def _join(region: Region, one: Joining, engine: Engine | None) -> Service:
    made = region.ask(
        "operator",
        "/v1/centres",
        {"name": one.centre, "jurisdiction": one.jurisdiction, "with_offers": True},
    )
    prices = [word for kind, price in one.prices.items() for word in (f"--{kind}-hour", price)]
    said = [*one.account, *one.arguments, *_options(engine), *prices, "--yes"]
    arguments = ["agent", "join", "--centre", one.centre, *said]
    region.screen.command(["baygrid", *arguments])
    state = region.folder / one.centre
    environment = dict(engine.environment) if engine else {}
    return region.start(
        one.centre, [*arguments, "--state", str(state), "--server", region.server], "agent of ",
        BAYGRID_JOIN_TOKEN=made["join_token"], **environment,
    )  # fmt: skip


def _options(engine: Engine | None) -> list[str]:
    if engine is None or engine.name != "ray":
        return []
    return ["--option", f"address={engine.environment['RAY_DASHBOARD']}"]
