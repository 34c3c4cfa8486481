"""The jobs of the demo, each with what must become of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

ANYWHERE: Final = frozenset({"qianhai", "hongkong", "shaoguan"})
_H: Final = frozenset({"hongkong"})
_Q: Final = frozenset({"qianhai"})
_S: Final = frozenset({"shaoguan"})

STEPS: Final = """\
mkdir -p ckpt
step=$(cat ckpt/step 2>/dev/null || echo 0)
echo "begins after step $step"
trap 'echo "told to stop after step $step"; exit 0' USR1
while [ "$step" -lt 12 ]; do
  { sleep 0.4 & wait $!; } 2>/dev/null
  step=$((step + 1)); echo "$step" >ckpt/step
done
echo "all $step steps done"
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A job file and its one true end. `centres`: where alone it may run. `states`: of its attempts.
    `size`: how many jobs it is (an array's elements). `after`: names of jobs that it comes after."""

    name: str
    fields: Mapping[str, Any]
    centres: frozenset[str] = ANYWHERE
    state: str = "SUCCEEDED"
    cause: str | None = None
    exit_code: int | None = 0
    states: tuple[str, ...] = ("SUCCEEDED",)
    nodes: int = 1
    size: int = 1
    after: tuple[str, ...] = ()

    def document(self, project: str, ids: Mapping[str, str]) -> dict[str, Any]:
        """The job file; `ids` of the jobs before it, by name."""
        after = {"after": [ids[name] for name in self.after]} if self.after else {}
        return {"name": self.name, "project": project, "time": "2m", **self.fields, **after}


def first() -> Wanted:
    """It is told to stop by the last one, and goes on from its checkpoint wherever there is room."""
    resources = {"cpus": 8, "memory": 4}
    places = {"ordered": ["shaoguan/night", "qianhai"]}
    checkpoint = {"signal": "USR1", "grace": "20s", "path": "ckpt"}
    fields = {
        "run": STEPS, "resources": resources, "infra": places, "priority": "low", "checkpoint": checkpoint,
    }  # fmt: skip
    return Wanted("steps", fields, _S | _Q, states=("PREEMPTED", "SUCCEEDED"))


def last() -> Wanted:
    """More urgent than the first, and only for the node that it is on."""
    resources = {"cpus": 8, "memory": 4}
    fields = {"run": "sleep 4", "resources": resources, "infra": "shaoguan/night", "priority": "urgent"}
    return Wanted("urgent", fields, _S)


def mixed(times: int) -> list[Wanted]:
    """All others: 20 for one of `times`, 48 for three."""
    many = [wanted for _ in range(times) for wanted in _round()]
    return [*many, *_once(times)]


def _round() -> Sequence[Wanted]:
    """Accelerators of three kinds, any of them, data that must stay, one that is tried again."""
    say = 'echo "devices $CUDA_VISIBLE_DEVICES"; sleep 2'
    either = {"H100": 2, "A100": 2, "Ascend910B": 4}
    once = 'if [ "$BAYGRID_RESTART" = 0 ]; then echo "not yet"; exit 1; fi; echo "now it works"'
    retried = Wanted("again", {"run": once, "retry": {"on": ["error"], "max": 2}},
                     states=("FAILED", "SUCCEEDED"))  # fmt: skip
    return (
        _accelerated("npu", "Ascend910B:2", say, _Q),
        _accelerated("h100", "H100:2", say, _H),
        _accelerated("a100", "A100:2", say, _S),
        _accelerated("cheap", either, "sleep 2", ANYWHERE),
        _accelerated("soon", either, "sleep 2", ANYWHERE, prefer="time"),
        Wanted("in-hk", {"run": "echo stays; sleep 1", "data": {"residency": ["HK"]}}, _H),
        Wanted("in-qh", {"run": "echo stays; sleep 1", "data": {"residency": ["CN-QH"]}}, _Q),
        retried,
    )


def _once(times: int) -> Sequence[Wanted]:
    """Arrays, gangs of two nodes, a chain, and those that must fail."""
    rank = 'echo "node $NODE_RANK of $NNODES, the first is $MASTER_ADDR"; sleep 1'
    gang = {"run": rank, "nodes": 2}
    step = {"run": "echo $BAYGRID_ARRAY_INDEX; sleep 1"}
    failed, cut = (_failed("exit-code", 3), _failed("time-limit", None))
    return (
        Wanted("sweep", step | {"array": {"range": f"1-{3 * times - 1}", "parallel": 4}}, size=3 * times - 1),
        Wanted("shards", step | {"array": {"range": f"1-{3 * times}"},
               "resources": {"accelerators": "Ascend910B:1"}}, _Q, size=3 * times),
        Wanted("gang-qh", gang | {"resources": {"accelerators": "Ascend910B:4"}}, _Q, nodes=2),
        Wanted("gang-gd", gang | {"resources": {"accelerators": "A100:4"}}, _S, nodes=2),
        Wanted("prepare", {"run": "echo prepared; sleep 1"}),
        _accelerated("train", "H100:4", "echo trained; sleep 2", _H, after=("prepare",)),
        replace(failed, name="broken-hk", centres=_H,
                fields={"run": "exit 3", "resources": {"accelerators": "H100:1"}}),
        replace(failed, name="broken-qh", centres=_Q, fields={"run": "exit 3", "infra": "qianhai"}),
        replace(cut, name="too-long", centres=_S, fields={
                "run": "sleep 60", "time": "3s", "infra": "shaoguan", "checkpoint": {"grace": "2s"}}),
    )  # fmt: skip


def _failed(cause: str, exit_code: int | None) -> Wanted:
    return Wanted("", {}, state="FAILED", cause=cause, exit_code=exit_code, states=("FAILED",))


def _accelerated(
    name: str,
    accelerators: Any,
    run: str,
    centres: frozenset[str],
    prefer: str = "",
    after: tuple[str, ...] = (),
) -> Wanted:
    fields = {"run": run, "resources": {"accelerators": accelerators}}
    return Wanted(name, fields | ({"prefer": prefer} if prefer else {}), centres, after=after)
