"""Starts an attempt inside an image: the supervisor, which claims, stays outside, and is Podman's parent."""

from __future__ import annotations

import os
import pwd
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from baygrid.centres.folder import owners
from baygrid.centres.folder.environment import NotRunnable
from baygrid.centres.folder.files import Files
from baygrid.centres.folder.secrets import FOLDER as SECRETS
from baygrid.centres.folder.users import ids_of
from baygrid.centres.local import inside, podman
from baygrid.centres.local.podman import Podman
from baygrid.centres.local.share import Share
from baygrid.centres.local.spawn import SHELL, SUPERVISOR, commands, launch
from baygrid.ports.messages import Order

BEGIN = "begin"
_MARKS = ("BAYGRID_ATTEMPT", "MASTER_PORT", "CUDA_VISIBLE_DEVICES")
"""By which its processes are known, and what depends on the share: another supervisor may have another."""
_ROOMS = ("work", "inputs", "outputs", SECRETS, "log")


def spawn_inside(
    by: Podman, files: Files, order: Order, share: Share, environ: Mapping[str, str], given: str, account: str
) -> int:
    """As `spawn`, with the same script inside. `account` is whom the job is inside; the supervisor and Podman
    are ours, and so is the claim. Raises NotRunnable, OSError."""
    devices, visible = accelerators(share, by.gpus() if order.accelerators else False)
    environ = {**environ, "CUDA_VISIBLE_DEVICES": visible[0]}
    box = podman.Box(
        inside.name_of(os.path.basename(files.dir)),  # noqa: PTH119 - paths are texts here
        podman.reference(order.image),
        files.dir,
        [room for room in _ROOMS if room == "log" or files.has(room)],
        {name: environ[name] for name in _MARKS},
        _user(account) if account else None,
        podman.limits(),
        devices,
    )
    _furnish(files, order, environ, box.rooms, account)
    around = "exec " + shlex.join(podman.run(box, [SHELL, files.path(BEGIN), *visible]))
    return launch(files, [SHELL, SUPERVISOR, files.dir, given, "", around, ""], dict(by.environ), share)


def _furnish(
    files: Files, order: Order, environ: Mapping[str, str], rooms: Sequence[str], account: str
) -> None:
    """Once: where another supervisor of this attempt was started before, its container may be there."""
    place = inside.of(files)
    if place.has(BEGIN):
        return
    Path(place.dir).mkdir(mode=0o700, exist_ok=True)
    place.replace("supervise.sh", Path(SUPERVISOR).read_bytes())
    setup, run = commands(place, order)
    script = [SHELL, files.path("supervise.sh"), files.dir, "", setup, run]
    # The image says where its programs are.
    left_out = {*_MARKS, *({"PATH"} - order.envs.keys())}
    known = {name: value for name, value in environ.items() if name not in left_out}
    place.replace(f"{BEGIN}.part", begin(files.path("log"), known, script))
    os.close(os.open(files.path("log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600))
    if account:
        for room in (inside.FOLDER, *rooms):
            owners.give(Path(files.path(room)), account)
        os.chown(files.path("log"), *ids_of(account), follow_symlinks=False)
    Path(place.path(f"{BEGIN}.part")).rename(place.path(BEGIN))


def begin(log: str, environ: Mapping[str, str], script: list[str]) -> bytes:
    """Becomes the script, with this environment and log; what it is given itself, it hands on. In a file: an
    argument can be seen by everybody."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in environ.items()]
    return "\n".join([*lines, f"exec >>{shlex.quote(log)}", f'exec {shlex.join(script)} "$@"', ""]).encode()


def accelerators(share: Share, described: bool) -> tuple[list[str], list[str]]:
    """The devices for Podman, and CUDA_VISIBLE_DEVICES for each rank: only these are there inside, numbered
    anew in their order. Raises NotRunnable where devices are not described for containers."""
    wanted = sorted({index for _, _, indexes in share.devices for index in indexes})
    if wanted and not described:
        raise NotRunnable(
            "accelerators cannot be given to jobs inside images here: its operator describes them with"
            " `nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml`"
        )
    ranks = [",".join(str(wanted.index(one)) for one in indexes) for _, _, indexes in share.devices]
    return [f"nvidia.com/gpu={index}" for index in wanted], ranks


def _user(account: str) -> tuple[int, int, tuple[int, ...]]:
    uid, gid = ids_of(account)
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        return uid, gid, ()
    return uid, gid, tuple(os.getgrouplist(name, gid))
