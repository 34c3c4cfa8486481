"""Slurm as an engine: builders and parsers joined by one way to run a command."""

from __future__ import annotations

import os
import pwd
import secrets
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from baygrid.centres.engine import EngineSilent, Entrance, Launch, Outside, Sight, Stand, Submission, Task
from baygrid.centres.folder.environment import NotRunnable
from baygrid.centres.folder.users import ids_of
from baygrid.centres.slurm import commands, parse
from baygrid.centres.slurm.arrays import Arrays, alike
from baygrid.centres.slurm.commands import Request
from baygrid.centres.slurm.running import Run, environment, located, runner
from baygrid.centres.slurm.settings import SlurmSettings
from baygrid.ports.basics import Clock, Instant
from baygrid.ports.messages import Order, PartitionReport

TOGETHER = 4  # commands at once: most of their time is slurmctld's
IDS = 500  # in one command
USUAL_ARRAY = 1001

LAUNCH = Launch(
    id="${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}${SLURM_ARRAY_TASK_ID:+_$SLURM_ARRAY_TASK_ID}",
    # The address by which Slurm itself reaches the node: a node's name need not be known to others.
    head="$(scontrol --oneliner show node \"$SLURMD_NODENAME\" | sed -n 's/.* NodeAddr=\\([^ ]*\\).*/\\1/p')",
    rank="${SLURM_PROCID-0}",
    each='srun --nodes="$_bg_ranks" --ntasks="$_bg_ranks" --ntasks-per-node=1'
    ' --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" --kill-on-bad-exit=1 --quiet sh "$_bg_script" rank',
    keep=("CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "ZE_AFFINITY_MASK", "SLURM_*"),
    forward_ranks=True,
)

_BEGUN = (Stand.RUNNING, Stand.STOPPING)

T = TypeVar("T")


class SlurmEngine:
    """`state`: a folder of the agent's alone, for what it must know after a restart."""

    launch = LAUNCH

    def __init__(self, settings: SlurmSettings, state: Path, clock: Clock, run: Run | None = None) -> None:
        self._settings, self._clock = settings, clock
        self._run = run or runner(settings)
        self._arrays = Arrays(state)
        self._kept = state / "config"
        # Nobody can put it into a job's name beforehand.
        self._mark = f"\x1f{secrets.token_hex(8)}\x1f"
        self._config: dict[str, str] = {}
        self._partitions: dict[str, PartitionReport] = {}

    @property
    def version(self) -> str:
        """As 22.05.8. Raises EngineSilent."""
        return self._site().get("SLURM_VERSION", "")

    # The port

    def capabilities(self) -> frozenset[str]:
        config = self._site()
        found = {"gang", "accelerators", "arrays", "estimate", "checkpoint", "exec"}
        if config.get("ConstrainRAMSpace") == "yes" and "task/cgroup" in config.get("TaskPlugin", ""):
            found.add("out-of-memory")
        if self._accounting:
            found.add("outside-usage")
        if self._settings.accounts:
            found.add("accounts")
        return frozenset(found)

    def inventory(self) -> tuple[PartitionReport, ...]:
        text = self._ask(commands.nodes(self._mark))
        reserved = parse.reservations(self._ask(commands.reservations()))
        found = self._parsed(
            lambda: parse.inventory(text, self._mark, reserved, self._settings.partitions), "sinfo"
        )
        self._partitions = {partition.name: partition for partition in found}
        self._arrays.tidy()
        return found

    def submit(self, tasks: Sequence[Task]) -> dict[str, Submission]:
        answers: dict[str, Submission] = {}
        whole = []
        for task in tasks:
            refusal = self._refusal(task)
            if refusal:
                answers[task.name] = Submission(refusal=refusal)
            else:
                whole.append(task)
        most = int(self._site().get("MaxArraySize", USUAL_ARRAY)) - 1
        requests = [self._request(group) for group in alike(whole, max(1, most))]
        silences = []
        with ThreadPoolExecutor(TOGETHER) as pool:
            # The first in this thread: to begin another takes a tenth as long as the call.
            calls: list[Callable[[], dict[str, Submission]]]
            calls = [partial(self._submit, *request) for request in requests]
            calls[1:] = [pool.submit(call).result for call in calls[1:]]
            for call in calls:
                try:
                    answers.update(call())
                except EngineSilent as silence:
                    silences.append(silence)
        if silences and not answers:
            raise silences[0]
        return answers

    def look(self) -> list[Sight]:
        text = self._ask(commands.listed(self._users(), self._mark))
        return self._arrays.own(self._parsed(lambda: parse.listed(text, self._mark), "squeue"))

    def account(self, names: Collection[str], since: Instant) -> list[Sight]:
        """slurmctld tells an end at once, but not what was used, and forgets it after MinJobAge seconds.
        Where there is no accounting, nothing is known then."""
        asked = self._arrays.names(names)
        told = self._remembered(asked)
        rest = asked - self._arrays.names(sight.name for sight in told if parse.brief(sight))
        if rest and self._accounting:
            with suppress(EngineSilent):
                text = self._ask(commands.accounted(sorted(rest), since, self._mark))
                counted = self._parsed(lambda: parse.accounted(text, self._mark), "sacct")
                told = parse.joined(told, self._arrays.own(counted), self._clock())
        return [sight for sight in told if sight.name in names]

    def signal(self, sights: Sequence[Sight], name: str) -> None:
        """srun ends its ranks at once when it is told TERM itself: in a gang the ranks and the script are
        told, and srun is not. KILL is for the script and all below it at once: where Slurm follows parents
        (proctrack/linuxproc), it loses whatever outlives the script.

        Only what runs is signalled: 22.05 takes `scancel --batch --signal=KILL 7_1`, where 7_1 still waits,
        for an end of the whole array."""
        listed = {sight.id: sight for sight in self.look()}
        begun = [listed[one.id] for one in sights if one.id in listed and listed[one.id].stand in _BEGUN]
        if name == "KILL":
            self._scancel([one.id for one in begun], lambda ids: commands.signalled(ids, name, "full"))
            self._scancel([one.id for one in sights], commands.cancelled)
            return
        gangs = [one.id for one in begun if len(one.nodes) > 1]
        single = [one.id for one in begun if len(one.nodes) <= 1]
        self._scancel(single, lambda ids: commands.signalled(ids, name, "full"))
        self._scancel(gangs, lambda ids: commands.signalled(ids, name))
        self._scancel(gangs, lambda ids: commands.signalled(ids, name, "batch"))

    def forget(self, sights: Sequence[Sight]) -> None:
        """Slurm forgets by itself (MinJobAge); its accounting does not, and is meant not to."""

    def waits(self, shapes: Sequence[Order]) -> list[int | None]:
        """By sbatch --test-only, which plans as if the job came last."""
        return [self._wait(shape) for shape in shapes]

    def outside(self, since: Instant, until: Instant) -> list[Outside]:
        """None where there is no accounting. It may learn of an end seconds late: let `until` be as old."""
        if not self._accounting:
            return []
        text = self._ask(commands.used(since, until, self._mark))
        found = self._parsed(lambda: parse.outside(text, self._mark, since, until), "sacct")
        return [self._spelled(one) for one in found]

    def entrance(self, id: str, rank: int, terminal: bool) -> Entrance:
        """A step of the job's own, by srun."""
        said = self._run(commands.running(id))
        number = said.out.strip()
        if said.code != 0 and parse.away(said.err):
            raise EngineSilent(parse.told(said.err))
        if said.code != 0 or not number.isdigit():
            raise LookupError("the job does not run at Slurm any more, or not yet")
        argv = located(self._settings, commands.inside(number, rank, terminal))
        return Entrance(tuple(argv), environment(self._settings))

    # How it is asked

    @property
    def _accounting(self) -> bool:
        return "slurmdbd" in self._site().get("AccountingStorageType", "")

    def _site(self) -> dict[str, str]:
        """The site's configuration; while Slurm is silent, as it was last known."""
        if not self._config:
            try:
                text = self._ask(commands.config())
            except EngineSilent:
                if not self._kept.exists():
                    raise
                return parse.config(self._kept.read_text())
            self._config = parse.config(text)
            self._kept.write_text(text)
        return self._config

    def _refusal(self, task: Task) -> str:
        """Why it is not even asked for."""
        if task.order.accelerator_share < 1000:
            return "parts of an accelerator cannot be had at this centre"
        try:
            if task.account and os.geteuid() not in (0, ids_of(task.account)[0]):
                return f"only an agent of root's can run jobs as {task.account}"
        except NotRunnable as refusal:
            return str(refusal)
        return ""

    def _request(self, tasks: list[Task]) -> tuple[list[Task], Request, str]:
        """With the file of its script. Tasks alike: see `arrays.alike`."""
        first = tasks[0]
        name, script, elements = first.name, str(first.script), 0
        if len(tasks) > 1:
            name, path = self._arrays.write(tasks)
            script, elements = str(path), len(tasks)
        return tasks, self._shape(first.order, first.limit_s, first.account, name, elements), script

    def _shape(self, order: Order, limit_s: int, user: str, name: str = "", elements: int = 0) -> Request:
        partition = self._partitions.get(order.partition)
        if partition is not None and partition.time_limit_s is not None:
            limit_s = min(limit_s, partition.time_limit_s)
        bank = self._settings.accounts[order.project].bank if user else ""
        request = Request(name, order, max(1, -(-limit_s // 60)), bank, elements=elements)
        if user and os.geteuid() == 0:
            uid, gid = ids_of(user)
            return replace(request, uid=uid, gid=gid)
        return request

    def _submit(self, tasks: list[Task], request: Request, script: str) -> dict[str, Submission]:
        said = self._run(commands.sbatch(request, script))
        if said.code != 0:
            why = parse.told(said.err)
            if parse.later(said.err):
                return {}
            if parse.away(said.err):
                raise EngineSilent(why)
            return {task.name: Submission(refusal=why) for task in tasks}
        id = self._parsed(lambda: parse.submitted(said.out), "sbatch")
        if not request.elements:
            return {tasks[0].name: Submission(id)}
        return {task.name: Submission(f"{id}_{number}") for number, task in enumerate(tasks)}

    def _wait(self, shape: Order) -> int | None:
        if not self._settings.as_me and shape.project not in self._settings.accounts:
            return None
        user = "" if self._settings.as_me else self._settings.accounts[shape.project].user
        try:
            request = self._shape(shape, shape.time_s, user)
        except NotRunnable:
            return None
        said = self._run(commands.test_only(request))
        at = parse.start(said.err)
        return None if at is None else max(0, (at - self._clock()) // 1000)

    def _remembered(self, names: Collection[str]) -> list[Sight]:
        if not names:
            return []
        text = self._ask(commands.remembered(sorted(names), self._mark))
        return self._arrays.own(self._parsed(lambda: parse.remembered(text, self._mark), "squeue"))

    def _users(self) -> list[str]:
        own = [pwd.getpwuid(os.geteuid()).pw_name] if self._settings.as_me else []
        return sorted({*own, *(account.user for account in self._settings.accounts.values())})

    def _scancel(self, ids: list[str], command: Callable[[list[str]], list[str]]) -> None:
        """What is gone is refused, and that is fine."""
        for at in range(0, len(ids), IDS):
            said = self._run(command(ids[at : at + IDS]))
            if said.code != 0 and parse.away(said.err):
                raise EngineSilent(parse.told(said.err))

    def _ask(self, argv: Sequence[str]) -> str:
        said = self._run(argv)
        if said.code != 0:
            raise EngineSilent(f"{argv[0]}: {parse.told(said.err) or said.code}")
        return said.out

    def _parsed(self, parsed: Callable[[], T], program: str) -> T:
        try:
            return parsed()
        except ValueError as error:
            raise EngineSilent(f"{program}: {error}") from None

    def _spelled(self, one: Outside) -> Outside:
        """The model as the partition has it: a site need not count types, or counts them in small letters."""
        partition = self._partitions.get(one.partition)
        models = {model for node in partition.nodes for model in node.accelerators} if partition else set()
        known = {model.lower(): model for model in models}
        alone = next(iter(models)) if len(models) == 1 else commands.UNTYPED
        had = {
            alone if model == commands.UNTYPED else known.get(model, model): n
            for model, n in one.accelerators.items()
        }
        return replace(one, accelerators=had)
