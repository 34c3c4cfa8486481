"""An agent joins a centre: what is there is found, shown and, once accepted, exchanged for a credential."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import orjson

from baygrid.centres.credential import Credential, digest_of
from baygrid.centres.keys import Key
from baygrid.centres.local.podman import Podman
from baygrid.centres.loop import Locked, StateLock
from baygrid.centres.slurm.running import PATHS
from baygrid.centres.transport import HttpTransport
from baygrid.ports.messages import PartitionReport, Refused, Unreachable, join_bytes
from baygrid.ports.wire import to_json
from baygrid.wiring.agents import Ended, given_of
from baygrid.wiring.drivers import DRIVERS
from baygrid.wiring.settings import AgentSettings

SETTINGS: Final = "agent.json"
_SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


@dataclass(frozen=True, slots=True)
class Prices:
    """Decimal texts per hour. `accelerators`: by model, "" for all others; None: no price is said."""

    currency: str = "CNY"
    accelerators: Mapping[str, str] = field(default_factory=dict)
    cpu_hour: str | None = None
    gib_hour: str | None = None

    @property
    def said(self) -> bool:
        return bool(self.accelerators) or self.cpu_hour is not None or self.gib_hour is not None


@dataclass(frozen=True, slots=True)
class Found:
    """What joins: how it was found, what it is, and the offers that would be made. `may_offer`: the join
    token allows them; else they are only shown."""

    centre: str
    driver: str
    why: str
    version: str
    capabilities: tuple[str, ...]
    partitions: tuple[PartitionReport, ...]
    offers: tuple[Mapping[str, str | None], ...]
    may_offer: bool

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "partitions": to_json(self.partitions)}


def join(
    settings: AgentSettings, prices: Prices, accept: Callable[[Found], bool]
) -> tuple[AgentSettings, list[str]]:
    """With a join token as `settings.token`. Returns the settings to start the agent with, and the offers
    that were made. `driver` "": what is found. Raises Ended, also where `accept` says no; ValueError for
    settings that cannot be used here."""
    transport = HttpTransport(settings.server, settings.token)
    try:
        lock = StateLock(settings.state)
    except Locked as locked:
        raise Ended(f"{locked}: stop it, or give this one its own --state") from None
    try:
        return _join(settings, prices, accept, transport)
    except Unreachable as away:
        why = f"{settings.server} cannot be reached: {away}; check --server and this machine's way out"
        raise Ended(why) from None
    except Refused as refused:
        raise Ended(refused.detail) from None
    finally:
        transport.close()
        lock.release()


def _join(
    settings: AgentSettings, prices: Prices, accept: Callable[[Found], bool], transport: HttpTransport
) -> tuple[AgentSettings, list[str]]:
    token = transport.joining()
    centre = str(token["centre"]["name"])
    if settings.centre and settings.centre != centre:
        raise Ended(f"this join token is for {centre}, not for {settings.centre}: leave out --centre")
    wanted = settings.driver or str(token["centre"]["driver"])
    driver, why, options = "local", "its nodes are declared", tuple[str, ...]()
    if wanted or not settings.nodes:
        driver, why, options = find_driver(os.environ, wanted)
    said = {option.partition("=")[0] for option in settings.options}
    options = tuple(option for option in options if option.partition("=")[0] not in said)
    settings = replace(settings, centre=centre, driver=driver, options=settings.options + options)
    found = _probe(settings, why, prices, bool(token["with_offers"]))
    if not accept(found):
        raise Ended("nothing was changed: start again with other options, or with --yes")
    credential, key = Credential(settings.state), Key.load(settings.state / "key")
    digest = digest_of(credential.prepare())
    answer = transport.join(
        {
            "public_key": key.public_key,
            "credential": digest,
            "signature": key.sign(join_bytes(centre, digest)),
            "offers": list(found.offers) if found.may_offer else [],
        }
    )
    credential.advance()
    _keep(settings)
    return replace(settings, token=""), [str(offer) for offer in answer["offers"]]


def find_driver(environ: Mapping[str, str], wanted: str = "") -> tuple[str, str, tuple[str, ...]]:
    """The driver of what is found here, how it was found, and the options by which it is reached. `wanted`:
    this driver, whatever else is found."""
    for driver, why, options in _schedulers(environ):
        if wanted in ("", driver):
            return driver, "as said" if wanted else why, options
    if wanted:
        return wanted, "as said", ()
    return "local", "no other scheduler is found here", _local_options(environ)


def _schedulers(environ: Mapping[str, str]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """All that are found, the likeliest first."""
    sinfo = shutil.which("sinfo", path=environ.get("PATH"))
    if sinfo:
        yield "slurm", "sinfo is there", _slurm_options(Path(sinfo).parent, environ)
    kubeconfig = environ.get("KUBECONFIG", "").partition(":")[0]
    usual = Path(environ.get("HOME", "/")) / ".kube" / "config"
    if kubeconfig:
        yield "kubernetes", "KUBECONFIG is set", (f"kubeconfig={kubeconfig}",)
    elif _SERVICE_ACCOUNT.exists():
        yield "kubernetes", "it runs in a pod with a service account", ()
    elif usual.exists():
        yield "kubernetes", "~/.kube/config is there", (f"kubeconfig={usual}",)
    address = environ.get("RAY_ADDRESS", "")
    if address.startswith(("http://", "https://")):
        yield "ray", "RAY_ADDRESS is set", (f"address={address}",)


def _local_options(environ: Mapping[str, str]) -> tuple[str, ...]:
    try:
        Podman(environ).check()
    except ValueError:
        return ()
    return ("images=podman",)


def _slurm_options(programs: Path, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Of a Slurm that is not where the driver looks by itself: it keeps none of this environment."""
    conf = environ.get("SLURM_CONF")
    elsewhere = str(programs) not in PATHS.split(":")
    return (
        *([f"conf={conf}"] if conf else []),
        *([f"programs={programs}"] if elsewhere else []),
    )


def _probe(settings: AgentSettings, why: str, prices: Prices, may_offer: bool) -> Found:
    """Raises ValueError."""
    if settings.driver not in DRIVERS:
        raise ValueError(f"there is no driver {settings.driver!r}: use one of {', '.join(DRIVERS)}")
    try:
        driver = DRIVERS[settings.driver](given_of(settings))
    except ValueError as wrong:
        other = "" if settings.driver == "local" else "; another driver is chosen with --driver"
        raise ValueError(f"driver {settings.driver} ({why}): {wrong}{other}") from None
    partitions = driver.inventory()
    offers = tuple(_offers(partitions, prices)) if prices.said else ()
    able = tuple(sorted(driver.capabilities()))
    driver.close()
    return Found(settings.centre, settings.driver, why, driver.version, able, partitions, offers, may_offer)


def _offers(partitions: tuple[PartitionReport, ...], prices: Prices) -> list[dict[str, str | None]]:
    """Of each partition one for each model that it has nodes with, and one for its plain nodes."""
    offers: list[dict[str, str | None]] = []
    common = {
        "currency": prices.currency,
        "cpu_hour": prices.cpu_hour or "0",
        "gib_hour": prices.gib_hour or "0",
    }
    for partition in partitions:
        models = sorted({model for node in partition.nodes for model in node.accelerators})
        for model in models:
            price = prices.accelerators.get(model, prices.accelerators.get(""))
            if price is not None:
                offers.append(
                    {"partition": partition.name, "accelerator": model, **common, "accelerator_hour": price}
                )
        if any(not node.accelerators for node in partition.nodes) and prices.cpu_hour is not None:
            offers.append({"partition": partition.name, "accelerator": None, **common})
    return offers


def _keep(settings: AgentSettings) -> None:
    """How it joined, for the next start."""
    document = {**asdict(settings), "state": None, "token": None}
    part = settings.state / f"{SETTINGS}.part"
    part.touch(mode=0o600)
    part.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    part.replace(settings.state / SETTINGS)


def kept(state: Path) -> dict[str, Any]:
    """What an agent joined with, as fields of AgentSettings; {} where none has joined with this state."""
    document: object = {}
    with suppress(FileNotFoundError, ValueError):
        document = orjson.loads((state / SETTINGS).read_bytes())
    if not isinstance(document, dict):
        return {}
    known = {key: value for key, value in document.items() if value is not None}
    return {key: tuple(value) if isinstance(value, list) else value for key, value in known.items()}
