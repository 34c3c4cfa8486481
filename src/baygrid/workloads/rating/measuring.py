"""One measurement: a short run that tells how long the one that counts must be, that one, its gate, and what
matrix products reach beside it."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from baygrid.core.rating.value import Gate, Rating
from baygrid.workloads.application import ApplicationError, Outcome, Totals
from baygrid.workloads.engines.working import Engine
from baygrid.workloads.models.onnx import CPU
from baygrid.workloads.rating.gemm import Gemm
from baygrid.workloads.rating.memory import Peak
from baygrid.workloads.rating.profile import Profile
from baygrid.workloads.running import Progress, run

PACKAGES: Final = (
    "baygrid",
    "onnxruntime",
    "openvino",
    "numpy",
    "daft",
    "ray",
    "ctranslate2",
    "simplejpeg",
    "av",
)
MOST_UNITS: Final = 10_000_000.0


class GateFailed(ApplicationError):
    """What came out is not good enough: there is no rate to tell."""

    def __init__(self, profile: str, gate: Gate) -> None:
        super().__init__(f"{profile} has no rate here: {gate.why}")
        self.gate = gate


@dataclass(frozen=True, slots=True)
class Devices:
    """What does the work. `accelerator`: the model as its centre calls it, None: the CPUs; `nodes` that have
    the accelerators. `declared_flops`: FP16 FLOP/s of all of them by their maker."""

    nodes: int = 1
    accelerator: str | None = None
    accelerators: int = 0
    declared_flops: float | None = None


def measure(
    profile: Profile,
    engine: Engine,
    devices: Devices,
    gemm: Gemm,
    seconds: float,
    clock: Callable[[], int],
    report: Callable[[Progress], None],
) -> Rating:
    """Of no centre yet. `seconds`: about how long the run is that counts; `clock`: ms. Raises GateFailed, and
    ApplicationError where it cannot be measured."""
    _check(devices, profile.device())
    peak = Peak()

    def look(progress: Progress) -> None:
        peak()
        report(progress)

    with tempfile.TemporaryDirectory(prefix="baygrid-rate-") as made:
        folder = Path(made)
        (folder / "input").mkdir()
        profile.prepare(folder / "input")
        first, _ = _run(profile, engine, folder, "first", profile.first, look)
        units = min(MOST_UNITS, max(profile.first, (first.units_per_hour or 0.0) * seconds / 3600))
        totals, outcome = _run(profile, engine, folder, "counts", units, look)
        gate = _gate(totals, profile.gate(units, outcome))
    if not gate.passed:
        raise GateFailed(profile.name, gate)
    return Rating(
        centre="",
        partition="",
        accelerator=devices.accelerator,
        profile=profile.name,
        model=profile.model(),
        input=profile.input,
        unit=profile.unit,
        flop_per_unit=profile.flop_per_unit(),
        precision=profile.precision,
        units=totals.fresh,
        seconds=totals.wall,
        nodes=devices.nodes,
        cpus=engine.workers,
        accelerators=devices.accelerators,
        memory_mib=peak.mib,
        gate=gate,
        measured_at=clock(),
        declared_flops=devices.declared_flops,
        gemm_fp32=gemm.fp32,
        gemm_fp16=gemm.fp16,
        stages=dict(totals.seconds),
        software=_software(),
    )


def _check(devices: Devices, found: str) -> None:
    """What is signed was used: all workers are processes of this machine, on its first device, and so are the
    matrix products and the memory that are told beside."""
    if devices.nodes > 1:
        raise ApplicationError(
            f"a rating is of one node, not of {devices.nodes}: only this one would be measured. Rate it by"
            " itself; what a job of several takes is reckoned from it"
        )
    if devices.accelerators > 1:
        raise ApplicationError(
            f"a rating is of one device, not of {devices.accelerators}: all workers use the first. Rate it"
            f" with --accelerator {devices.accelerator}:1; what a job of several takes is reckoned from it"
        )
    if devices.accelerator is None and found != CPU:
        raise ApplicationError(
            f"the work would be done by a device of {found}: say which and how many, for example"
            " --accelerator H100:1"
        )
    if devices.accelerator is not None and found == CPU:
        raise ApplicationError(
            f"the model finds no device here but the CPU: it would be no rating of {devices.accelerator}"
        )


def _run(
    profile: Profile,
    engine: Engine,
    folder: Path,
    name: str,
    units: float,
    report: Callable[[Progress], None],
) -> tuple[Totals, Outcome]:
    output = folder / name
    output.mkdir()
    return run(profile.application(folder / "input", units), output, engine, report)


def _gate(totals: Totals, gate: Gate) -> Gate:
    if totals.failed:
        first = totals.failed[0]
        return Gate(
            passed=False, figures=gate.figures, why=f"{len(totals.failed)} inputs failed: {first.reason}"
        )
    return gate


def _software() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
