"""A rating: what one part of a centre did with one profile, as it was measured. All that can be reckoned from
the measured figures is reckoned here and never carried beside them, so that no rating contradicts itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from baygrid.core.units import HOUR_S

PETA: Final = 1e15
INPUT_STAGES: Final = frozenset({"read", "decode", "write"})
"""Stages of an application that bring data in and out; the others compute."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether the output was good enough for the rate to mean anything; `figures` by name, such as
    "top1_agreement". `why`: one sentence where it failed."""

    passed: bool
    figures: Mapping[str, float] = field(default_factory=dict, hash=False)
    why: str = ""


@dataclass(frozen=True, slots=True)
class Rating:
    """`units` of work done in `seconds` of wall time, by `nodes` nodes that had `cpus` cpus, `memory_mib` MiB
    and `accelerators` of the model `accelerator` (None: none) in all.

    `profile`: NAME@VERSION, which fixes `model`, `input`, `flop_per_unit` (None: not all of its work is a
    network's, to be counted) and the gate; `precision` of its arithmetic. `declared_flops`: peak FP16 FLOP/s
    of the measured devices as their maker states it (None: not said); `gemm_fp32`, `gemm_fp16`: FLOP/s of
    large matrix products on them, measured (None: they cannot). `stages`: CPU seconds by stage. `software`:
    version by name. `measured_at`: ms, when it ended.
    """

    centre: str
    partition: str
    accelerator: str | None
    profile: str
    model: str
    input: str
    unit: str
    flop_per_unit: float | None
    precision: str
    units: float
    seconds: float
    nodes: int
    cpus: int
    accelerators: int
    memory_mib: int
    gate: Gate
    measured_at: int
    declared_flops: float | None = None
    gemm_fp32: float | None = None
    gemm_fp16: float | None = None
    stages: Mapping[str, float] = field(default_factory=dict, hash=False)
    software: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def place(self) -> tuple[str, str, str | None]:
        """Centre, partition, model: what an offer is for."""
        return self.centre, self.partition, self.accelerator

    @property
    def devices(self) -> int:
        """What did the work: accelerators, or cpus where there are none."""
        return self.cpus if self.accelerator is None else self.accelerators

    @property
    def units_per_hour(self) -> float:
        return self.units * HOUR_S / self.seconds

    @property
    def flops(self) -> float | None:
        """FLOP/s of the model alone, as it was sustained."""
        return None if self.flop_per_unit is None else self.flop_per_unit * self.units / self.seconds

    @property
    def gemm(self) -> float | None:
        """FLOP/s of the fastest matrix product that was measured."""
        return max((it for it in (self.gemm_fp32, self.gemm_fp16) if it is not None), default=None)

    @property
    def utilisation(self) -> float | None:
        """The model's arithmetic as a part of what matrix products reached."""
        return None if self.gemm is None or self.flops is None else self.flops / self.gemm

    @property
    def units_per_declared_pflops(self) -> float | None:
        """Units an hour for each PFLOP/s that is declared."""
        return None if self.declared_flops is None else self.units_per_hour / (self.declared_flops / PETA)

    @property
    def units_per_measured_pflops(self) -> float | None:
        """Units an hour for each PFLOP/s that matrix products reached."""
        return None if self.gemm is None else self.units_per_hour / (self.gemm / PETA)

    @property
    def units_per_cpu_s(self) -> float | None:
        """For each second of a CPU: neighbours on the machine hardly change it."""
        total = sum(self.stages.values())
        return self.units / total if total > 0 else None

    @property
    def input_share(self) -> float | None:
        """The part of the CPU seconds that went into reading, decoding and writing."""
        total = sum(self.stages.values())
        spent = sum(seconds for stage, seconds in self.stages.items() if stage in INPUT_STAGES)
        return spent / total if total > 0 else None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a centre's operator publishes and nobody has measured. `units_per_hour` by unit of work, `flops`
    declared for the whole centre (None: not said), `note` such as "on completion". No decision rests on it.
    """

    centre: str
    units_per_hour: Mapping[str, float] = field(default_factory=dict, hash=False)
    flops: float | None = None
    note: str = ""
