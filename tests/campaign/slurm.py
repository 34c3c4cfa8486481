"""A centre with a real Slurm, in its place of the network, and what can happen to it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from tests.campaign.network import Holder
from tests.campaign.region import Centre
from tests.centres.slurm.clusters import Cluster, cluster, lines

DISK_MIB = 16
COMMANDS = ("squeue", "sacct", "scontrol", "scancel", "sinfo", "sacctmgr")


@dataclass(frozen=True)
class Used:
    """What sacct says of a task that has ended: whole seconds."""

    state: str
    seconds: int
    cpus: int


@dataclass
class Slurm:
    """`disk`: a small one of the attempts' folders alone."""

    place: Holder
    cluster: Cluster
    folder: Path

    @property
    def disk(self) -> Path:
        return self.folder / "disk"

    @property
    def centre(self) -> Centre:
        options = {
            "conf": self.cluster.dir / "etc" / "slurm.conf",
            "programs": self.folder / "programs",
            "accounts": self.folder / "accounts",
            "root": self.disk / "attempts",
        }
        return Centre("slurm", "slurm", {"options": [f"{name}={value}" for name, value in options.items()]})

    def command(self, *arguments: str) -> None:
        with self.place.entered():
            self.cluster.command(*arguments)

    def idle(self) -> bool:
        """Nothing of anybody's is waiting or running."""
        with self.place.entered():
            said = self.cluster.ask("squeue", "--noheader")
        return said.code == 0 and not said.out.strip()

    def nodes_up(self) -> int:
        with self.place.entered():
            said = self.cluster.ask("sinfo", "--noheader", "--states=idle,mix,alloc", "--format=%N", "--Node")
        return len(said.out.split())

    def saved_since(self, at: float) -> bool:
        """Whether slurmctld has written down what it knew then. It does so every few seconds."""
        try:
            return (self.cluster.dir / "state" / "job_state").stat().st_mtime > at
        except FileNotFoundError:
            return False

    def used(self, ids: Collection[str]) -> dict[str, Used]:
        """By "ID NAME", of those that have ended: a slurmctld that forgot what it had given last gives an id
        again."""
        columns = "--format=JobID,JobName%100,State,ElapsedRaw,AllocCPUS,End"
        if not ids:
            return {}
        numbers = "--jobs=" + ",".join(id.split()[0] for id in ids)
        how = ("--allusers", "-X", "--duplicates", "--noheader", "--parsable2")
        with self.place.entered():
            rows = [line.split("|") for line in lines(self.cluster.ask("sacct", *how, numbers, columns))]
        return {
            f"{id} {name}": Used(state.split()[0], int(elapsed), int(cpus))
            for id, name, state, elapsed, cpus, end in rows
            if end != "Unknown" and state not in ("RUNNING", "PENDING")
        }

    # What happens

    def arm(self, when: str) -> None:
        """The next submission kills slurmctld: "before" it has it, or "after", so that its answer is lost."""
        (self.folder / f"kill-{when}").touch()

    def armed(self) -> bool:
        return any(self.folder.glob("kill-*"))

    def controller_is_dead(self) -> bool:
        return not (self.cluster.dir / "run" / "slurmctld.pid").exists()

    def set_down(self, node: str) -> None:
        with self.place.entered():
            lines(self.cluster.ask("scontrol", "update", f"nodename={node}", "state=down", "reason=dead"))

    def fill(self) -> None:
        """To the last byte."""
        with (self.disk / "filler").open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1 << 16))
            except OSError:
                pass
            try:
                while True:
                    file.write(b"\0" * 512)
            except OSError:
                return

    def empty(self) -> None:
        (self.disk / "filler").unlink()


def price(used: Used, memory_gib: int) -> int:
    """What so much costs at the campaign's rates, in minor units: 10 a cpu-second, 1 a GiB-second."""
    return int(Fraction(used.seconds) * (used.cpus * 1000 + memory_gib * 100))


@contextmanager
def slurm(place: Holder, folder: Path) -> Iterator[Slurm]:
    """For the length of the block, in `folder`, through which any user may pass. Raises Missing of
    `tests.centres.slurm.clusters`."""
    folder.mkdir(mode=0o755)
    with place.entered(), cluster(cluster="campaign", gpus="") as found:
        made = Slurm(place, found, folder)
        _prepare(made)
        size = f"size={DISK_MIB}m,mode=0755"
        subprocess.run(["mount", "-t", "tmpfs", "-o", size, "none", made.disk], check=True)
        try:
            yield made
        finally:
            subprocess.run(["umount", "--lazy", made.disk], check=True)


def _prepare(made: Slurm) -> None:
    made.disk.mkdir()
    (made.folder / "accounts").write_text("default=bg-alice\n")
    programs = made.folder / "programs"
    programs.mkdir()
    real = Path("/usr/bin")
    for name in COMMANDS:
        (programs / name).symlink_to(real / name)
    kill = f"'{made.cluster.script}' kill-controller '{made.cluster.dir}' 2>/dev/null"
    taken = f"mv '{made.folder}/kill-%s' '{made.folder}/killing-%s' 2>/dev/null"
    (programs / "sbatch").write_text(
        "#!/bin/sh\n"
        f"if {taken % ('before', 'before')}; then {kill}; fi\n"
        f"if {taken % ('after', 'after')}; then\n"
        f"  '{real}/sbatch' \"$@\" >/dev/null; {kill}\n"
        "  echo 'sbatch: error: Batch job submission failed: Unable to contact slurm controller"
        " (connect failure)' >&2\n"
        "  exit 1\n"
        "fi\n"
        f"exec '{real}/sbatch' \"$@\"\n"
    )
    os.chmod(programs / "sbatch", 0o755)  # noqa: PTH101
