"""Where in a gang this process is, and what `ray start` is told there. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_NEEDED: Final = ("NODE_RANK", "NNODES", "MASTER_ADDR", "BAYGRID_WORKDIR", "BAYGRID_CPUS")


class NotInJob(Exception):
    """This is no rank of a job; the message names what is missing."""


@dataclass(frozen=True, slots=True)
class Place:
    """One rank. `first` is the first node's address, `folder` is shared by all ranks of this attempt and seen
    by nobody else. `cpus` and `accelerators` of this node."""

    rank: int
    nodes: int
    first: str
    folder: Path
    cpus: int
    accelerators: int

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Place:
        """As every driver sets the environment of a job. Raises NotInJob."""
        missing = [name for name in _NEEDED if not environ.get(name)]
        if missing:
            raise NotInJob(f"{', '.join(missing)} not set")
        try:
            return cls(
                rank=int(environ["NODE_RANK"]),
                nodes=int(environ["NNODES"]),
                first=environ["MASTER_ADDR"],
                folder=Path(environ["BAYGRID_WORKDIR"]) / ".ray-cluster",
                cpus=int(environ["BAYGRID_CPUS"]),
                accelerators=int(environ.get("GPUS_PER_NODE") or 0),
            )
        except ValueError as error:
            raise NotInJob(f"the ranks are not numbers: {error}") from None


@dataclass(frozen=True, slots=True)
class Cluster:
    """What makes a cluster known to those that join it: `address` of its head ("ip:port"), `temporary`, the
    folder of its sockets (short, of the same name on all nodes), `token`, a file with the secret without
    which Ray from 2.52 on lets nobody in."""

    address: str
    temporary: str
    token: str


def start_head(place: Place, cluster: Cluster, free: Sequence[int]) -> list[str]:
    """The arguments of `ray`. `free`: two ports nobody has. The dashboard is left out: it is a door that
    runs anything for anybody, and 1 GB."""
    ip, _, port = cluster.address.rpartition(":")
    head = ["--head", f"--node-ip-address={ip}", f"--port={port}", f"--temp-dir={cluster.temporary}"]
    return [
        "start",
        *head,
        "--include-dashboard=false",
        f"--ray-client-server-port={free[1]}",
        *_node(place, free),
    ]


def start_node(place: Place, cluster: Cluster, free: Sequence[int]) -> list[str]:
    """`free`: one port nobody has."""
    return ["start", f"--address={cluster.address}", *_node(place, free)]


def _node(place: Place, free: Sequence[int]) -> list[str]:
    """Ports of Ray's own choice are the same for every cluster of a machine, so none is left to it."""
    return [
        f"--num-cpus={place.cpus}",
        f"--num-gpus={place.accelerators}",
        f"--dashboard-agent-listen-port={free[0]}",
        "--min-worker-port=0",
        "--max-worker-port=0",
        "--disable-usage-stats",
    ]


def variables(cluster: Cluster) -> dict[str, str]:
    """With which Ray, and a program that uses it, finds the cluster and may join it."""
    return {"RAY_ADDRESS": cluster.address, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": cluster.token}


def exports(cluster: Cluster) -> str:
    """The same for a shell."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables(cluster).items())
