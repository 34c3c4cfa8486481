"""What an agent is told of one attempt: to run it, or to stop it."""

from __future__ import annotations

from collections.abc import Mapping

from baygrid.app import inputs
from baygrid.app.attempts import BARRED, MONEY, PREEMPTED
from baygrid.core.jobs import checkpoint
from baygrid.core.jobs.locations import digest_of, is_uploaded
from baygrid.core.jobs.spec import JobSpec
from baygrid.ports.messages import Order, Stop
from baygrid.ports.records import AttemptRecord, DatasetRecord, JobRecord


def stop(attempt: AttemptRecord, job: JobRecord) -> Stop:
    """Where money ends it, it leaves what another stop would leave: its checkpoint, else its outputs. Where
    the law does, its job goes back to the queue, as for a more urgent one."""
    wanted, reason = checkpoint.of(job.spec), attempt.stop_reason
    if reason == BARRED or (reason == MONEY and wanted.path is not None):
        reason = PREEMPTED
    return Stop(attempt.id, attempt.token, reason, attempt.grace_s, wanted.signal)


def _place_in_array(job: JobRecord, spec: JobSpec) -> dict[str, str]:
    if job.array is None or spec.array is None:
        return {}
    values = {"ID": job.array, "INDEX": job.index, "COUNT": spec.array.size}
    return {f"BAYGRID_ARRAY_{name}": str(value) for name, value in values.items()}


def order(attempt: AttemptRecord, job: JobRecord, spec: JobSpec, known: Mapping[str, DatasetRecord]) -> Order:
    """All that its agent needs to run it. `known`: the datasets that the job's inputs name."""
    sources = inputs.sources(spec, known)
    return Order(
        attempt=attempt.id,
        token=attempt.token,
        job=job.id,
        project=job.project,
        state=attempt.state,
        partition=attempt.partition,
        nodes=attempt.nodes,
        count=attempt.count,
        cpus=attempt.cpus,
        memory_mib=attempt.memory_mib,
        accelerator=attempt.accelerator,
        accelerators=attempt.accelerators,
        accelerator_share=attempt.accelerator_share,
        accelerator_slots=attempt.accelerator_slots,
        time_s=spec.time,
        grace_s=attempt.grace_s,
        setup=spec.setup or "",
        run=spec.run,
        envs={**spec.envs, **_place_in_array(job, spec), "BAYGRID_RESTART": str(attempt.n - 1)},
        workdir=spec.blobs.get("workdir"),
        inputs={
            name: digest_of(source.uri) if is_uploaded(source.uri) else source.uri
            for name, source in sources.items()
        },
        sources={name: source for name, source in sources.items() if not is_uploaded(source.uri)},
        outputs=tuple(spec.outputs),
        signal=spec.checkpoint.signal,
        checkpoint=spec.checkpoint.path or "",
        restore=job.checkpoint,
        image=spec.image or "",
        secrets=spec.secrets,
        counts_egress=True,
    )
