"""Records what real Slurms answer to our commands, for the tests of the parsers. As root:

    python -m tests.centres.slurm.record

Each version's answers come to be in `recorded/VERSION/`; the job ids are those of a fresh cluster.
"""

import os
import time
from pathlib import Path

from baygrid.centres.slurm import commands
from tests.centres.slurm.clusters import Cluster, cluster

RECORDED = Path(__file__).parent / "recorded"
MARK = "\x1f0123456789abcdef\x1f"
GUESSED = "\x1fffffffffffffffff\x1f"  # by somebody who wants a job taken for another
NAMES = ("bg-ok", "bg-seven", "bg-gone", "bg-array-1", "bg-late", "bg-memory")


class Recorder:
    def __init__(self, found: Cluster) -> None:
        self._cluster = found
        self._folder = RECORDED / found.version
        self._folder.mkdir(parents=True, exist_ok=True)

    def submit(self, name: str, text: str, *options: str) -> str:
        script = self._cluster.shared / "script"
        script.write_text(f"#!/bin/sh\n{text}\n")
        usual = ["--uid=bg-alice", "--gid=bg-alice", "--mem=100", "--output=/dev/null", "--chdir=/"]
        said = self._cluster.ask(
            "sbatch", "--parsable", f"--job-name={name}", "--no-requeue", *usual, *options, str(script)
        )
        return said.out.strip()

    def keep(self, name: str, argv: list[str]) -> str:
        said = self._cluster.ask(*argv)
        own = (str(self._cluster.dir), os.uname().nodename)  # says nothing to anybody else
        kept = [line for line in (said.out + said.err).splitlines(True) if not any(map(line.count, own))]
        (self._folder / name).write_text("".join(kept))
        return said.out

    def until(self, id: str, *words: str) -> None:
        end = time.monotonic() + 180
        while True:
            said = self._cluster.ask("squeue", "--noheader", "--states=all", f"--jobs={id}", "--format=%T")
            if said.out.strip() in words:
                return
            assert time.monotonic() < end, (id, said)
            time.sleep(0.2)


def record(found: Cluster) -> None:
    recorder = Recorder(found)
    since = int(time.time()) * 1000 - 60_000
    ok = recorder.submit("bg-ok", "sleep 7")
    seven = recorder.submit("bg-seven", "exit 7")
    gone = recorder.submit("bg-gone", "sleep 600")
    outside = recorder.submit("their own", "sleep 7", "--gpus-per-node=H100:2", "--nodes=2")
    late = recorder.submit("bg-late", "sleep 600", "--time=1")
    memory = recorder.submit("bg-memory", "exec python3 -c 'bytearray(300 << 20)'")
    recorder.until(gone, "RUNNING")
    found.ask("scancel", gone)
    for id in (ok, seven, gone, outside, memory):
        recorder.until(id, "COMPLETED", "FAILED", "CANCELLED", "OUT_OF_MEMORY")
    recorder.until(late, "TIMEOUT")
    recorder.submit("a|name \x1f", "sleep 600")
    forged = GUESSED.join(["9", "RUNNING", "1", "n1", "None", "bg-ok"])
    recorder.submit(f"a\n{forged}", "sleep 600", "--nodes=2")
    array = recorder.submit("bg-array-1", "sleep 600", "--array=0-2%1")
    recorder.submit("bg-wide", "sleep 600", "--nodes=2", "--exclusive")
    recorder.until(f"{array}_0", "RUNNING")
    found.ask("scontrol", "update", "nodename=n2", "state=drain", f"reason=disk | is {MARK} bad")
    found.ask("scontrol", "create", "reservation", "reservationname=part", "starttime=now", "duration=10",
              "users=root", "nodecnt=1", "corecnt=3")  # fmt: skip
    found.ask("scontrol", "create", "reservation", "reservationname=tomorrow", "starttime=now+1day",
              "duration=10", "users=root", "nodes=n1")  # fmt: skip
    time.sleep(8)  # slurmdbd hears of starts every five seconds
    recorder.keep("listed", commands.listed(["bg-alice"], MARK))
    recorder.keep("remembered", commands.remembered(NAMES, MARK))
    recorder.keep("accounted", commands.accounted(NAMES, since, MARK))
    recorder.keep("used", commands.used(since, int(time.time()) * 1000 + 60_000, MARK))
    recorder.keep("nodes", commands.nodes(MARK))
    recorder.keep("reservations", commands.reservations())
    recorder.keep("config", commands.config())
    script = str(found.shared / "script")
    for name, options in {
        "refused-partition": ["--partition=nowhere"],
        "refused-memory": ["--mem=9000"],
        "refused-gpus": ["--gpus-per-node=H100:9"],
        "refused-account": ["--account=nobody"],
        "test-only": ["--test-only"],
    }.items():
        recorder.keep(name, ["sbatch", "--uid=bg-alice", "--gid=bg-alice", "--mem=100", *options, script])
    found.ask("sacctmgr", "--immediate", "modify", "user", "name=bg-bob", "set", "maxsubmitjobs=0")
    recorder.keep("limited", ["sbatch", "--uid=bg-bob", "--gid=bg-bob", "--mem=100", script])
    found.command("kill-controller")
    recorder.keep("silent", ["squeue"])


def main() -> None:
    for version, containment in (("22.05", "1"), ("24.11", "0")):
        with cluster(version, accounting="1", cgroup=containment, cluster="recorded") as found:
            record(found)


if __name__ == "__main__":
    main()
