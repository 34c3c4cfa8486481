"""Commands of an AI team: run jobs, watch them, fetch what they made."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from baygrid.cli import completing
from baygrid.cli.errors import CliError
from baygrid.cli.session import Session, command
from baygrid.cli.shapes import local, money, staged
from baygrid.client.wire import ARRAY, Array, Attempt, Job, tally

JobFile = Annotated[str, typer.Argument(metavar="FILE", help="The job file (YAML); - reads stdin.")]
JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.", autocompletion=completing.jobs)]
JobOrArray = Annotated[
    str,
    typer.Argument(
        metavar="JOB", help="The id of a job or an array.", autocompletion=completing.jobs_and_arrays
    ),
]
Project = Annotated[
    str | None,
    typer.Option(
        "--project",
        "-p",
        help="The project that pays; replaces the file's.",
        autocompletion=completing.projects,
    ),
]
Key = Annotated[
    str | None,
    typer.Option("--idempotency-key", metavar="KEY", help="The same key and files never make a second job."),
]


def register(app: typer.Typer) -> None:
    command(app, "run")(run)
    command(app, "submit")(submit)
    command(app, "wait")(wait)
    command(app, "jobs")(jobs)
    command(app, "logs")(logs)
    command(app, "cancel")(cancel)
    command(app, "outputs")(outputs)
    command(app, "explain")(explain)


def run(
    session: Session,
    file: JobFile,
    project: Project = None,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Watch it to its end and fetch its outputs.")
    ] = True,
    key: Key = None,
) -> None:
    """Run a job: send what it needs, see why it goes where, watch it, fetch what it made.

    The exit code is the job's own. Ctrl-C leaves the job running and says how to come back to it.
    """
    from baygrid.cli import running
    from baygrid.client import jobfile

    try:
        job = running.submit(session, [jobfile.read(file, project=project)], key)[0]
    except KeyboardInterrupt:
        session.out.note("\nstopped before the job was accepted; `baygrid jobs` shows whether it still was")
        raise typer.Exit(130) from None
    if wait:
        session.out.note(f"{job['id']} submitted")
        _wait(session, job["id"], fetch=True)
    elif session.json:
        session.out.json(job)
    else:
        session.out.line(job["id"])


def submit(
    session: Session,
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Job files; several are one batch.")],
    project: Project = None,
    key: Key = None,
) -> None:
    """Submit jobs and print their ids. Several files are accepted together or not at all."""
    from baygrid.cli import running
    from baygrid.client import jobfile

    submitted = running.submit(session, [jobfile.read(file, project=project) for file in files], key)
    if session.json:
        session.out.json(submitted)
    else:
        for job in submitted:
            session.out.line(job["id"])


def wait(
    session: Session,
    job: JobOrArray,
    fetch: Annotated[
        bool, typer.Option("--outputs/--no-outputs", help="Fetch the outputs at the end.")
    ] = True,
) -> None:
    """Come back to a job or an array: watch it to its end as `run` does.

    Outputs of an array's elements come into folders named after their index.
    """
    _wait(session, job, fetch=fetch)


def _wait(session: Session, id: str, *, fetch: bool) -> None:
    if id.startswith(ARRAY):
        _array_to_the_end(session, id, fetch=fetch)
    else:
        _to_the_end(session, session.client.job(id), fetch=fetch)


def _array_to_the_end(session: Session, id: str, *, fetch: bool) -> None:
    """The exit code is 0 where all its elements have succeeded, else 1."""
    from baygrid.cli import running

    try:
        array = running.wait_for_array(session, id)
    except CliError as error:
        raise _come_back(error, id) from error
    except KeyboardInterrupt:
        session.out.note(f"\n{id} goes on. Come back with `baygrid wait {id}`, or `baygrid cancel {id}`.")
        raise typer.Exit(130) from None
    outputs = running.fetch_array_outputs(session, id) if fetch else []
    if session.json:
        session.out.json({**array, "outputs": outputs})
    session.out.note(f"{id} has ended: {tally(array)}; `baygrid jobs --array {id}` lists its elements")
    raise typer.Exit(0 if array["state"] == "SUCCEEDED" else 1)


def _to_the_end(session: Session, job: Job, *, fetch: bool) -> None:
    from baygrid.cli import running

    id = job["id"]
    try:
        watch = running.watch_to_the_end(session, job)
    except CliError as error:
        raise _come_back(error, id) from error
    except KeyboardInterrupt:
        session.out.note(
            f"\n{id} goes on. Come back with `baygrid wait {id}`, read its log with `baygrid logs -f {id}`, "
            f"or stop it with `baygrid cancel {id}`."
        )
        raise typer.Exit(130) from None
    failed: CliError | None = None
    outputs = []
    try:
        if fetch:
            outputs = running.fetch_outputs(session, watch.job)
    except CliError as error:
        failed = error
        failed.cure = failed.cure or f"fetch them again with `baygrid outputs {id}`"
    if session.json:
        session.out.json(running.report(watch, outputs))
    for line in running.summary(watch):
        session.out.note(line)
    if failed is not None and watch.exit_code() == 0:
        raise failed
    if failed is not None:
        session.out.error(failed)
    raise typer.Exit(watch.exit_code())


def _come_back(error: CliError, job: str) -> CliError:
    """The watching failed, not the job."""
    error.cure = f"the job goes on; come back with `baygrid wait {job}`"
    return error


def jobs(
    session: Session,
    job: Annotated[
        str | None,
        typer.Argument(
            metavar="JOB",
            help="One job in full, or how an array stands.",
            autocompletion=completing.jobs_and_arrays,
        ),
    ] = None,
    state: Annotated[
        str | None,
        typer.Option(
            "--state", help="HELD, QUEUED, ACTIVE, SUCCEEDED, FAILED or CANCELLED.", case_sensitive=False
        ),
    ] = None,
    project: Annotated[str | None, typer.Option("--project", "-p")] = None,
    array: Annotated[
        str | None, typer.Option("--array", metavar="ARRAY", help="Its elements, one by one.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="The newest so many.")] = 20,
    everything: Annotated[bool, typer.Option("--all", help="Without a limit.")] = False,
) -> None:
    """List jobs, newest first, an array in one line; or show one job or array in full."""
    if job is not None and job.startswith(ARRAY):
        _show_array(session, session.client.array(job))
        return
    if job is not None:
        _details(session, session.client.job(job))
        return
    most, states = None if everything else limit, state.upper() if state else None
    # Asked for a state, elements count one by one: an array has no state of its own until it has ended.
    elements = array or (None if states else "none")
    found = session.client.items("/v1/jobs", most, state=states, project=project, array=elements)
    if elements == "none":
        found += session.client.items("/v1/arrays", most, project=project)
        found = sorted(found, key=lambda row: str(row["submitted_at"]), reverse=True)[:most]
    session.out.show(
        found,
        ("id", "name", "project", "state", "centre", "submitted", "charge"),
        [_array_row(row) if "parallel" in row else _job_row(row) for row in found],
        right=("charge",),
        none="no jobs yet: run one with `baygrid run FILE`",
    )


def _job_row(job: Job) -> list[str | None]:
    name = job["name"] if job["index"] is None else f"{job['name']} {job['index']}"
    return [
        job["id"],
        name,
        job["project"],
        _state(job),
        job["centre"],
        local(job["submitted_at"]),
        money(job["charge"]),
    ]


def _state(job: Job) -> str:
    """With why it waits, if it does, or how much of its inputs has come."""
    if job["state"] == "HELD":
        return f"HELD ({job['cause']})"
    coming = staged(job["attempts"][-1]) if job["attempts"] else ""
    if coming:
        return f"{job['state']} (staging {coming})"
    waits = _waiting(job)
    if waits is None:
        return job["state"]
    expected = f" until {local(waits['expected_at'])}" if waits["expected_at"] else ""
    return f"{job['state']} (waits{expected})"


def _waiting(job: Job) -> Attempt | None:
    """The attempt that waits in its centre's own queue, if one does."""
    last = job["attempts"][-1] if job["attempts"] else None
    return last if job["state"] == "ACTIVE" and last is not None and last["state"] == "WAITING" else None


def _at_centre(job: Job) -> str:
    """What its centre says of it while it waits there."""
    waits = _waiting(job)
    if waits is None:
        return ""
    said = [text for text in (waits["raw"], waits["detail"]) if text]
    if waits["expected_at"]:
        said.append(f"expected to start at {local(waits['expected_at'])}")
    return ", ".join(said)


def _array_row(array: Array) -> list[str | None]:
    submitted = local(array["submitted_at"])
    return [array["id"], array["name"], array["project"], tally(array), None, submitted, None]


def _show_array(session: Session, array: Array) -> None:
    if session.json:
        session.out.json(array)
        return
    session.out.line(f"{array['id']}  {array['name']}  {array['state']}")
    for name, value in (
        ("project", array["project"]),
        ("submitted", local(array["submitted_at"])),
        ("elements", tally(array)),
        ("at once", str(array["parallel"])),
        ("waits for", ", ".join(array["waits_for"])),
    ):
        if value:
            session.out.line(f"  {name}: {value}")


def _details(session: Session, job: Job) -> None:
    if session.json:
        session.out.json(job)
        return
    out = session.out
    out.line(f"{job['id']}  {job['name']}  {job['state']}")
    for name, value in (
        ("project", job["project"]),
        ("element of", f"{job['array']}, index {job['index']}" if job["array"] else ""),
        ("submitted", local(job["submitted_at"])),
        ("priority", job["priority"] if job["priority"] != "normal" else ""),
        ("queue", job["queue"] if job["queue"] != "default" else ""),
        ("waits for", ", ".join(job["waits_for"]) if job["state"] == "HELD" else ""),
        ("not before", local(job["not_before"])),
        ("ended", local(job["ended_at"])),
        (_why(job), ", ".join(part for part in (job["cause"], job["detail"]) if part)),
        ("exit code", "" if job["exit_code"] is None else str(job["exit_code"])),
        ("held", money(job["hold"])),
        ("charged", money(job["charge"])),
        ("borne by the platform", money(job["overrun"]) if job["overrun"]["minor"] else ""),
        *(("not charged", f"{a['id']}: {a['not_charged']}") for a in job["attempts"] if a["not_charged"]),
        ("inputs", staged(job["attempts"][-1]) if job["attempts"] else ""),
        ("why there", job["reasons"]["text"] if job["reasons"] else ""),
        ("its centre says", _at_centre(job)),
    ):
        if value:
            out.line(f"  {name}: {value}")
    if job["attempts"]:
        out.table(
            ("attempt", "state", "centre", "partition", "offer", "nodes", "started", "ended", "cost"),
            [
                [a["id"], a["state"], a["centre"], a["partition"], a["offer"], _nodes(a),
                 local(a["started_at"]), local(a["ended_at"]), money(a["cost_so_far"])]
                for a in job["attempts"]
            ],
            right=("cost",),
        )  # fmt: skip


def _nodes(attempt: Attempt) -> str:
    return " ".join(attempt["nodes"]) or f"{attempt['count']} of the centre's choice"


def _why(job: Job) -> str:
    return "held for" if job["state"] == "HELD" else "why it ended"


def logs(
    session: Session,
    job: JobId,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the job ends.")] = False,
    attempt: Annotated[str | None, typer.Option("--attempt", help="Another attempt than the last.")] = None,
    offset: Annotated[int, typer.Option("--offset", min=0, help="Start at this byte.")] = 0,
) -> None:
    """Print the log of a job."""
    text = bytearray()
    for data in session.client.log(job, attempt=attempt, offset=offset, follow=follow):
        if session.json:
            text += data
        else:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
    if session.json:
        size = offset + len(text)
        session.out.json(
            {"job": job, "offset": offset, "size": size, "text": text.decode("utf-8", "replace")}
        )


def cancel(session: Session, job: JobOrArray) -> None:
    """Stop a job, or all of an array. What it used until then is charged."""
    if job.startswith(ARRAY):
        array = session.client.post(f"/v1/arrays/{job}/cancel")
        session.out.answer(array, f"{job} is cancelled: {tally(array)}")
        return
    answer = session.client.post(f"/v1/jobs/{job}/cancel")
    if session.json:
        session.out.json(answer)
    elif answer["state"] == "CANCELLED":
        session.out.line(f"{job} is cancelled")
    else:
        session.out.line(f"{job} is being stopped at {answer['centre']}; `baygrid wait {job}` sees it end")


def outputs(
    session: Session,
    job: JobOrArray,
    to: Annotated[
        Path | None,
        typer.Option("--to", help="Each output into its own folder below this one; else as in the job file."),
    ] = None,
) -> None:
    """Fetch and unpack what a job made."""
    from baygrid.cli import running

    if job.startswith(ARRAY):
        fetched = running.fetch_array_outputs(session, job, to)
    else:
        fetched = running.fetch_outputs(session, session.client.job(job), to)
    if session.json:
        session.out.json(fetched)
    elif not fetched:
        session.out.note(f"{job} has no outputs")


def explain(
    session: Session,
    what: Annotated[
        str,
        typer.Argument(
            metavar="FILE|JOB",
            help="A job file, or the id of a job.",
            autocompletion=completing.files_and_jobs,
        ),
    ],
    project: Project = None,
) -> None:
    """Say where a job would go, or why it is where it is: centres, prices, what stands in the way."""
    from baygrid.cli.explained import RIGHT, columns_of, rows
    from baygrid.client import jobfile, preparing

    if jobfile.is_file(what):
        file = jobfile.read(what, project=project)
        try:
            found = session.client.explain_document(preparing.named(session.client, file))
        except CliError as error:
            raise jobfile.with_lines([file], error) from error
    else:
        found = session.client.explain_job(what)
    if session.json:
        session.out.json(found)
        return
    session.out.line(found["text"])
    if found["candidates"]:
        shown = columns_of(found)
        session.out.table(shown, rows(found, shown), right=RIGHT)
