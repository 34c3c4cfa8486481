"""Which drivers there are, and how each is made of what an agent was given."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from baygrid.centres import kubernetes, slurm
from baygrid.centres.engine import EngineSilent
from baygrid.centres.folder.accounts import Accounts, unusable
from baygrid.centres.folder.environment import NotRunnable
from baygrid.centres.folder.users import ids_of
from baygrid.centres.local import LocalCentre, parse_nodes, this_machine
from baygrid.centres.local.podman import Podman
from baygrid.centres.local.spawn import SETPRIV
from baygrid.centres.queued import QueuedCentre
from baygrid.centres.queued.centre import no_account
from baygrid.centres.ray import RayEngine
from baygrid.ports.centre import Centre
from baygrid.ports.messages import PartitionReport
from baygrid.wiring.ids import wall_clock


class Driver(Centre, Protocol):
    """A centre that says for how long its claims are sure to last, and the version of what it drives."""

    @property
    def epoch(self) -> str: ...

    @property
    def version(self) -> str: ...

    def close(self) -> None:
        """Lets go; jobs go on running."""
        ...


@dataclass(frozen=True, slots=True)
class Given:
    """`nodes`: as the operator declared them, for a driver that asks for it. `options`: of this driver alone,
    name -> text. `accounts`: whom jobs run as, or `as_me`: as the agent's own user. Raises ValueError for
    both."""

    state: Path
    centre: str
    nodes: tuple[str, ...] = ()
    options: Mapping[str, str] | None = None
    accounts: Accounts = Accounts()  # noqa: RUF009 - a value
    as_me: bool = False
    staging: str = ""

    def __post_init__(self) -> None:
        if self.accounts and self.as_me:
            raise ValueError(
                "jobs run either under accounts (--account-map, --run-as) or as the agent's own user"
                " (--as-me): say one of them"
            )

    def only(self, *known: str, nodes: bool = False, banks: bool = False) -> Mapping[str, str]:
        """The options, which are of these. `nodes`: they may be declared; `banks`: jobs may be counted on
        them. Raises ValueError."""
        options = self.options or {}
        for name in options:
            if name not in known:
                use = f"use {', '.join(known)}" if known else "it has none"
                raise ValueError(f"this driver has no option {name[:40]!r}: {use}")
        if self.nodes and not nodes:
            raise ValueError("this driver asks its engine which nodes there are: leave out --node")
        if self.accounts.banks and not banks:
            raise ValueError("only Slurm counts jobs on accounts: write PROJECT=USER, with no :ACCOUNT")
        return options


def parse_options(texts: Sequence[str]) -> Mapping[str, str]:
    """Reads "name=text", each name once. Raises ValueError."""
    options: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name or name in options:
            raise ValueError(f"{text[:60]!r} is not an option: write each once, as name=text")
        options[name] = value
    return options


SYSTEM_PATH: Final = "/usr/local/bin:/usr/bin:/bin"


def declared(nodes: Sequence[str]) -> tuple[PartitionReport, ...]:
    """The nodes as said, or this machine. Raises ValueError."""
    return parse_nodes(nodes) if nodes else this_machine()


def _local(given: Given) -> Driver:
    """`images=podman`: jobs run inside images, too."""
    options = given.only("images", nodes=True)
    if options.get("images", "podman") != "podman":
        raise ValueError(f"images={options['images'][:40]}: say podman, or leave it out")
    root = given.state / "attempts"
    if given.accounts:
        _prepare_for_users(given.accounts, root)
    elif not given.as_me:
        raise ValueError(
            f"jobs would run as {_own_name()}, and could read the agent's key and one another's files: give"
            " them accounts with --account-map PROJECT=USER or --run-as USER (as root), or accept it with"
            " --as-me"
        )
    # Jobs find this installation's own programs, `baygrid app` among them; other users nothing of root's own.
    rest = SYSTEM_PATH if given.accounts else os.environ.get("PATH", os.defpath)
    path = os.pathsep.join([str(Path(sys.executable).parent), rest])
    account_of = given.accounts.account_of if given.accounts else None
    podman = Podman(os.environ) if "images" in options else None
    if podman is not None:
        podman.check()
    nodes = declared(given.nodes)
    return LocalCentre(root, nodes, name=given.centre, path=path, account_of=account_of, podman=podman)


def _prepare_for_users(accounts: Accounts, root: Path) -> None:
    """Raises ValueError where their jobs could not run."""
    if os.geteuid() != 0:
        raise ValueError(
            f"only root can run jobs as other users: start the agent as root, not as {_own_name()}"
        )
    if not Path(SETPRIV).exists():
        raise ValueError(f"{SETPRIV} is not there: install util-linux")
    why = unusable(accounts, os.geteuid())
    if why is not None:
        raise ValueError(why)
    _open_to_users(root, root.parent)


def _open_to_users(root: Path, state: Path) -> None:
    """Other users may pass to their own folders in `root`: through `state`, too, where that is on the way.
    Raises ValueError where they cannot."""
    if root.parent == state:
        state.mkdir(mode=0o711, parents=True, exist_ok=True)
        state.chmod(0o711)
    for folder in root.resolve().parents:
        if folder.exists() and not folder.stat().st_mode & 0o001:
            raise ValueError(
                f"{folder} lets no other user pass, so jobs could not reach their files in {root.parent}:"
                " give --state a folder such as /var/lib/baygrid"
            )


def _own_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"user {os.geteuid()}"


def _slurm(given: Given) -> Driver:
    """`root`: where the attempts' folders are, seen by every node under the same path."""
    options = given.only("root", *slurm.OPTIONS, banks=True)
    settings = slurm.read_settings(options, given.accounts, given.as_me)
    why = unusable(given.accounts, os.geteuid())
    if why is not None:
        raise ValueError(why)
    root = Path(options.get("root", given.state / "attempts"))
    if settings.accounts:
        _open_to_users(root, given.state)
    engine = slurm.SlurmEngine(settings, given.state / "slurm", wall_clock)
    whose = partial(slurm.account_of, settings)
    try:
        return QueuedCentre(root, engine, name=given.centre, version=engine.version, account_of=whose)
    except EngineSilent as silence:
        raise ValueError(f"Slurm does not answer: {silence}") from None


def _ray(given: Given) -> Driver:
    """`address` of the cluster's Jobs API; `token-file` where it wants a token; `partition`, its name here;
    `root`: where the attempts' folders are, seen by every node under the same path. Ray runs all jobs as its
    own user."""
    options = given.only("address", "token-file", "partition", "root")
    if "address" not in options:
        raise ValueError("say where the cluster's Jobs API is: address=http://127.0.0.1:8265")
    if len(given.accounts.all) > 1:
        raise ValueError("Ray runs all jobs as one user, its own: name that one by --run-as")
    if not given.accounts and not given.as_me:
        raise ValueError("say as whom Ray runs: --run-as USER (as root), or --as-me if it is this user")
    root = Path(options.get("root", given.state / "attempts"))
    token = Path(options["token-file"]).read_text().strip() if "token-file" in options else ""
    if given.accounts:
        _open_to_users(root, given.state)
    partition = options.get("partition", "main")
    engine = RayEngine(options["address"], root.resolve(), wall_clock, partition=partition, token=token)
    account_of = given.accounts.account_of if given.accounts else no_account
    try:
        return QueuedCentre(root, engine, name=given.centre, version=engine.version(), account_of=account_of)
    except EngineSilent as silence:
        engine.close()
        raise ValueError(f"Ray does not answer: {silence}") from None


def _kubernetes(given: Given) -> Driver:
    """`kubeconfig` and `context`: how the cluster is reached, else as a pod in it. `root`: where the
    attempts' folders are, on storage that the nodes have under the same path or as the claim."""
    options = given.only("kubeconfig", "context", *kubernetes.OPTIONS)
    site = kubernetes.parse_site(given.centre, given.state / "attempts", options)
    accounts = given.accounts
    if not accounts and given.as_me:
        accounts = Accounts(other=f"{os.geteuid()}:{os.getegid()}")
    if not accounts:
        raise ValueError("say as whom jobs run: --account-map PROJECT=UID:GID, --run-as UID:GID, or --as-me")
    try:
        others = [user for user in accounts.all if ids_of(user)[0] != os.geteuid()]
    except NotRunnable as unknown:
        raise ValueError(str(unknown)) from None
    if others and os.geteuid() != 0:
        raise ValueError(f"only root can give jobs of {others[0]} their files: start the agent as root")
    if "kubeconfig" in options:
        access = kubernetes.read_kubeconfig(Path(options["kubeconfig"]), options.get("context"))
    else:
        access = kubernetes.in_cluster(os.environ)
    engine = kubernetes.KubernetesEngine(kubernetes.Client(access), site, wall_clock)
    try:
        return QueuedCentre(
            site.root,
            engine,
            name=given.centre,
            version=engine.version(),
            account_of=accounts.account_of,
        )
    except EngineSilent as silence:
        engine.close()
        raise ValueError(f"Kubernetes does not answer: {silence}") from None


DRIVERS: Mapping[str, Callable[[Given], Driver]] = {
    "local": _local,
    "slurm": _slurm,
    "ray": _ray,
    "kubernetes": _kubernetes,
}
"""By the name that `--driver` takes. Each raises ValueError for options or nodes that it cannot use."""
