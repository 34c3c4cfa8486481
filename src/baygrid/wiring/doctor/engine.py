"""The driver, and the engine that it stands on: Slurm, Ray, Kubernetes or this machine."""

from __future__ import annotations

import ipaddress
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from baygrid.centres import kubernetes
from baygrid.wiring.agents import given_of
from baygrid.wiring.doctor.check import Check, room
from baygrid.wiring.drivers import DRIVERS, Driver, parse_options
from baygrid.wiring.settings import AgentSettings

_RIGHTS: Final = (
    ("batch", "jobs", "create"),
    ("batch", "jobs", "list"),
    ("batch", "jobs", "delete"),
    ("", "pods", "list"),
    ("", "nodes", "list"),
    ("", "namespaces", "create"),
)


def examine(settings: AgentSettings) -> Iterator[Check]:
    """Made anew in a folder of its own, so that an agent that works is not disturbed."""
    if settings.driver not in DRIVERS:
        cure = f"use one of {', '.join(DRIVERS)}"
        yield Check("driver", False, f"there is no driver {settings.driver or 'said'!r}", cure)
        return
    options = dict(parse_options(settings.options))
    shared = Path(options["root"]) if "root" in options else None
    if shared is not None:
        yield room("shared folder", shared)
    if not settings.state.is_dir():
        return
    try:
        with tempfile.TemporaryDirectory(prefix=".doctor-", dir=shared or settings.state) as folder:
            Path(folder).chmod(0o711)
            if shared is not None:
                options["root"] = folder
            texts = tuple(f"{name}={value}" for name, value in options.items())
            given = given_of(replace(settings, options=texts))
            driver = DRIVERS[settings.driver](replace(given, state=Path(folder)))
            try:
                yield from _engine(settings, options, driver)
            finally:
                driver.close()
    except (ValueError, OSError) as wrong:
        yield Check("driver", False, f"{settings.driver}: {wrong}", _cure_of(settings.driver))


def _cure_of(driver: str) -> str:
    return {
        "slurm": "look at `sinfo` and `munge -n` as the agent's user; start slurmctld, munged",
        "ray": "start the cluster, and give its Jobs API as -o address=http://127.0.0.1:8265",
        "kubernetes": "look at `kubectl get nodes` with the agent's kubeconfig",
    }.get(driver, "start the agent with what is asked for")


def _engine(settings: AgentSettings, options: dict[str, str], driver: Driver) -> Iterator[Check]:
    name = settings.driver
    nodes = sum(len(partition.nodes) for partition in driver.inventory())
    yield Check("driver", True, f"{name} {driver.version}".strip())
    cure = "" if nodes else "look whether the nodes are up, and not drained or reserved"
    yield Check("nodes", nodes > 0, f"{nodes} in {len(driver.inventory())} partitions", cure)
    if name == "slurm":
        kept = "outside-usage" in driver.capabilities()
        cure = "" if kept else "set AccountingStorageType=accounting_storage/slurmdbd, and start slurmdbd"
        yield Check("accounting", kept, "slurmdbd keeps it" if kept else "Slurm keeps no accounting", cure)
    elif name == "local":
        within = "image" in driver.capabilities()
        said = "Podman runs them" if within else "refused here; with --option images=podman they run"
        yield Check("images", True, said)
    elif name == "ray":
        yield _exposed(options.get("address", ""))
    elif name == "kubernetes":
        yield from _rights(options)


def _exposed(address: str) -> Check:
    """Who reaches Ray's dashboard runs what they like: it asks for no name."""
    port = urlsplit(address).port or 8265
    own = [found for found in _own_addresses() if not ipaddress.ip_address(found).is_loopback]
    for found in own:
        with suppress(OSError), socket.create_connection((found, port), 1.0):
            cure = "start Ray with --dashboard-host=127.0.0.1, and close the port to others"
            return Check("dashboard", False, f"{found}:{port} answers to other machines", cure)
    return Check("dashboard", True, "other machines do not reach it at this one's addresses")


def _own_addresses() -> list[str]:
    with suppress(OSError):
        found = socket.getaddrinfo(socket.gethostname(), None, type=socket.SOCK_STREAM)
        return sorted({str(one[4][0]).partition("%")[0] for one in found})
    return []


def _rights(options: dict[str, str]) -> Iterator[Check]:
    if "kubeconfig" in options:
        access = kubernetes.read_kubeconfig(Path(options["kubeconfig"]), options.get("context"))
    else:
        access = kubernetes.in_cluster(os.environ)
    client = kubernetes.Client(access)
    try:
        for group, resource, verb in _RIGHTS:
            asked = {"group": group, "resource": resource, "verb": verb}
            body = {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": asked},
            }
            answer = client.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body)
            allowed = bool(answer.get("status", {}).get("allowed"))
            cure = "" if allowed else "give the agent the role of examples/kubernetes-agent.yaml"
            yield Check("rights", allowed, f"{verb} {resource}", cure)
    finally:
        client.close()
