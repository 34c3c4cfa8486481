"""A centre with a real Slurm, in its place of the network, and what can happen to it."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.campaign.book import Book, until
from tests.campaign.disk import Disk, disk
from tests.campaign.engine import Paid, cpus_of, price
from tests.campaign.hours import Hours
from tests.campaign.network import Holder
from tests.campaign.region import Centre
from tests.centres.slurm.clusters import Cluster, cluster, lines
from tests.faults.region import Json

COMMANDS = ("squeue", "sacct", "scontrol", "scancel", "sinfo", "sacctmgr", "srun")


@dataclass(frozen=True)
class Used:
    """What sacct says of a task that has ended: its whole seconds, in the campaign's time."""

    milliseconds: int
    cpus: int


@dataclass
class Slurm:
    place: Holder
    cluster: Cluster
    folder: Path
    disk: Disk
    hours: Hours

    mark = "${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}${SLURM_ARRAY_TASK_ID:+_$SLURM_ARRAY_TASK_ID} $SLURM_JOB_NAME"

    @property
    def centre(self) -> Centre:
        options = {
            "conf": self.cluster.dir / "etc" / "slurm.conf",
            "programs": self.folder / "programs",
            "root": self.disk.root,
        }
        told = [f"{name}={value}" for name, value in options.items()]
        return Centre("slurm", "slurm", {"options": told, "account_map": ["default=bg-alice"]})

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

    def save(self) -> None:
        """Until slurmctld has written down all that it knows now, as it does some seconds after a change: a
        word that one of its jobs is given now is there then, too."""
        word = f"saved-{time.time_ns()}"
        with self.place.entered():
            running = lines(self.cluster.ask("squeue", "--noheader", "--states=running", "--format=%A"))
            lines(self.cluster.ask("scontrol", "update", f"jobid={running[0]}", f"comment={word}"))
        until(lambda: self.cluster.has_saved(word), "slurmctld's saving of what runs")

    def used(self, ids: Collection[str]) -> dict[str, Used]:
        """By "ID NAME", of those that have ended: a slurmctld that forgot what it had given last gives an id
        again."""
        columns = "--format=JobID,JobName%100,State,Start,End,AllocCPUS"
        if not ids:
            return {}
        numbers = "--jobs=" + ",".join(id.split()[0] for id in ids)
        how = ("--allusers", "-X", "--duplicates", "--noheader", "--parsable2")
        with self.place.entered():
            rows = [line.split("|") for line in lines(self.cluster.ask("sacct", *how, numbers, columns))]
        return {
            f"{id} {name}": Used(self._between(start, end), int(cpus))
            for id, name, state, start, end, cpus in rows
            if end != "Unknown" and state not in ("RUNNING", "PENDING")
        }

    def _between(self, start: str, end: str) -> int:
        """Of what never began, 0."""
        began, ended = (int(at) * 1000 if at.isdigit() else 0 for at in (start, end))
        return self.hours.simulated(ended) - self.hours.simulated(began) if began else 0

    def check_charges(self, book: Book, attempts: list[Json], paid: Paid, *, forgets: bool) -> None:
        """To the second; what never began costs nothing. Of what Slurm has forgotten the time counts that its
        folder tells."""
        ids, numbers = book.marks(), book.jobs()
        begun = [attempt["id"] for attempt in attempts if attempt["id"] in ids]
        forgotten = {one["id"] for one in attempts if one["id"] in ids and one["raw"] == "absent"}
        assert not forgotten or forgets, forgotten
        asked = {ids[id] for id in begun if id not in forgotten}
        until(lambda: self.used(asked).keys() >= asked, f"Slurm's accounts of {asked}")
        used = self.used(asked)
        for attempt in attempts:
            had = used.get(ids.get(attempt["id"], ""))
            if attempt["not_charged"]:
                assert not paid[attempt["id"]], (attempt, paid)
            elif had is not None:
                assert paid[attempt["id"]] == price(had.milliseconds, had.cpus), (attempt, had, paid)
            elif attempt["id"] in forgotten:
                span = _instant(attempt["ended_at"]) - _instant(attempt["started_at"])
                most = price((span.seconds + 1) * 1000, cpus_of(numbers[attempt["id"]]))
                assert paid[attempt["id"]] <= most, (attempt, paid)
            else:
                assert not paid[attempt["id"]], (attempt, paid)

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


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


@contextmanager
def slurm(place: Holder, folder: Path, hours: Hours) -> Iterator[Slurm]:
    """For the length of the block, in `folder`, through which any user may pass. Raises Missing of
    `tests.centres.slurm.clusters`."""
    folder.mkdir(mode=0o755)
    with place.entered(), cluster(cluster="campaign", gpus="") as found, disk(folder / "disk") as small:
        made = Slurm(place, found, folder, small, hours)
        _prepare(made)
        yield made


def _prepare(made: Slurm) -> None:
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
