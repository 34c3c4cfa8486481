"""Secrets of projects: values that nobody reads but the jobs which name them.

They are sealed before they are stored. No use case tells a value to a person; a centre is told those of an
attempt of its own that is about to start.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from difflib import get_close_matches
from typing import Final

from baygrid.app.access import Action, Actor, permit
from baygrid.app.platform import Platform
from baygrid.app.problems import Forbidden, Invalid, NotFound, Problem, WrongState
from baygrid.app.projects import find_project
from baygrid.core.jobs import fields
from baygrid.core.jobs.spec import JobSpec, parse
from baygrid.core.reading import Wrong
from baygrid.ports.basics import Vault
from baygrid.ports.records import AttemptRecord, Event, SecretRecord, Want
from baygrid.ports.store import Exists, Tx

LEAST, MOST = 4, 32 * 1024
"""Bytes of a value. Shorter ones would stand in every log by chance, and be masked there."""
BREAKING: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("PATH", "LD_PRELOAD", "LD_LIBRARY_PATH"), "whose programs and libraries are found by it"
    ),
    **dict.fromkeys(("ENV", "BASH_ENV"), "whose shell would run the file that it names"),
    "HOME": "whose programs keep their files there",
    "IFS": "whose shell takes words apart by it",
}
MAX_SECRETS = 1000
"""Of one project."""


class NoVault(Problem):
    status, code, title = 503, "no-vault", "This server keeps no secrets"


def put(platform: Platform, actor: Actor, project: str, name: str, value: str) -> SecretRecord:
    """Sets a secret, in the place of an earlier value. Raises Invalid, NotFound, WrongState, NoVault."""
    permit(actor, Action.USE, project=project)
    _check(name, value)
    vault = _vault(platform)
    now = platform.clock()
    row = SecretRecord(
        project, name, vault.seal(value, _about(project, name)), vault.key, now, actor.token_id
    )

    def apply(tx: Tx) -> None:
        find_project(tx, project)
        known = {one.name for one in tx.secrets.of(project)}
        if name not in known and len(known) >= MAX_SECRETS:
            raise Invalid.at("name", f"project {project!r} has {MAX_SECRETS} secrets: delete one first")
        tx.secrets.put(row)
        tx.events.append([Event(now, "secret-set", project, data={"name": name})])

    try:
        platform.store.write(apply)
    except Exists:
        raise WrongState(f"secret {name!r} is just being set: try again") from None
    return row


def _check(name: str, value: str) -> None:
    """Raises Invalid, which never says the value."""
    try:
        fields.env_name(name)
    except Wrong as wrong:
        raise Invalid.at("name", str(wrong)) from None
    if name in BREAKING:
        raise Invalid.at(
            "name", f"{name} would break the job that gets it, {BREAKING[name]}: use another name"
        )
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise Invalid.at("value", "is not valid Unicode") from None
    if not LEAST <= size <= MOST or "\0" in value:
        raise Invalid.at("value", f"must be {LEAST} to {MOST} bytes of text without a NUL character")


def delete(platform: Platform, actor: Actor, project: str, name: str) -> None:
    """Attempts that have begun keep theirs until they end. Raises NotFound."""
    permit(actor, Action.USE, project=project)
    now = platform.clock()

    def apply(tx: Tx) -> None:
        if not tx.secrets.delete(project, name):
            raise NotFound(f"project {project!r} has no secret {name[:80]!r}")
        tx.events.append([Event(now, "secret-deleted", project, data={"name": name})])

    platform.store.write(apply)


def listed(platform: Platform, actor: Actor, project: str) -> list[SecretRecord]:
    """By name. Raises NotFound."""
    permit(actor, Action.READ, project=project)

    def load(tx: Tx) -> list[SecretRecord]:
        find_project(tx, project)
        return tx.secrets.of(project)

    return platform.store.read(load)


def check(tx: Tx, actor: Actor, specs: Sequence[JobSpec]) -> None:
    """Raises Invalid for a secret that a job names and its project does not have."""
    found: list[tuple[str, str]] = []
    known: dict[str, list[str]] = {}
    for index, spec in enumerate(specs):
        if spec.secrets and spec.project not in known:
            known[spec.project] = [row.name for row in tx.secrets.of(spec.project)]
        for place, name in enumerate(spec.secrets):
            if name not in known[spec.project]:
                path = f"jobs[{index}].secrets[{place}]" if len(specs) > 1 else f"secrets[{place}]"
                whose = f"project {spec.project!r} has no secret {name!r}"
                # A team's token is of one project, which the command then takes by itself.
                there = "" if actor.project == spec.project else f" --project {spec.project}"
                cure = f"set it with `baygrid secrets set {name}{there}`"
                found.append((path, f"{whose}{_nearest(name, known[spec.project])}: {cure}"))
    if found:
        raise Invalid.many(found)


def _nearest(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, 1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def deliver(platform: Platform, actor: Actor, attempt: str, token: str) -> Mapping[str, str]:
    """The values for an attempt that is about to start, to the agent of its centre, which proves by the
    attempt's token that the order reached it. Raises NotFound, Forbidden, WrongState, NoVault."""
    vault = _vault(platform)
    now = platform.clock()

    def apply(tx: Tx) -> list[SecretRecord]:
        record = _own_attempt(tx, actor, attempt, token)
        if record.state.final or record.want is not Want.RUN or record.started_at is not None:
            raise WrongState(f"attempt {attempt!r} is not about to start")
        spec = parse(tx.jobs.get([record.job])[record.job].spec)
        rows = {row.name: row for row in tx.secrets.of(record.project)}
        missing = [name for name in spec.secrets if name not in rows]
        if missing:
            cure = f"set it again with `baygrid secrets set {missing[0]} --project {record.project}`"
            raise WrongState(f"secret {missing[0]} was deleted after the job was submitted: {cure}")
        names = {"names": list(spec.secrets)}
        told = Event(now, "secrets-delivered", record.project, record.job, attempt, record.centre, data=names)
        tx.events.append([told])
        return [rows[name] for name in spec.secrets]

    rows = platform.store.write(apply)
    try:
        return {row.name: vault.open(row.sealed, _about(row.project, row.name)) for row in rows}
    except ValueError as error:
        raise NoVault(f"a secret cannot be read: {error}") from None


def opened(platform: Platform, tx: Tx, project: str, name: str) -> str:
    """The value of a project's secret, for what the server itself reads for that project: it goes no further.
    Raises WrongState, NoVault."""
    vault = _vault(platform)
    row = next((row for row in tx.secrets.of(project) if row.name == name), None)
    if row is None:
        cure = f"set it with `baygrid secrets set {name} --project {project}`"
        raise WrongState(f"project {project!r} has no secret {name}: {cure}")
    try:
        return vault.open(row.sealed, _about(project, name))
    except ValueError as error:
        raise NoVault(f"a secret cannot be read: {error}") from None


def _own_attempt(tx: Tx, actor: Actor, attempt: str, token: str) -> AttemptRecord:
    if actor.centre is None:
        raise Forbidden("only a centre's agent may do this")
    record = tx.attempts.get([attempt]).get(attempt)
    known = record is not None and hmac.compare_digest(record.token.encode(), token.encode())
    if record is None or not known or record.centre != actor.centre:
        raise NotFound(f"there is no attempt {attempt!r} with this token at this centre")
    permit(actor, Action.AGENT, centre=record.centre)
    return record


def seal_anew(platform: Platform) -> tuple[int, int]:
    """Seals with the newest key what an older one has sealed. Returns how many that were, and how many no key
    of this server can read: those stay as they are."""
    vault = _vault(platform)

    def apply(tx: Tx) -> tuple[int, int]:
        rows = tx.secrets.sealed_otherwise(vault.key)
        done = 0
        for row in rows:
            about = _about(row.project, row.name)
            with suppress(ValueError):
                sealed = vault.seal(vault.open(row.sealed, about), about)
                tx.secrets.put(replace(row, sealed=sealed, key=vault.key))
                done += 1
        return done, len(rows) - done

    return platform.store.write(apply)


def _vault(platform: Platform) -> Vault:
    if platform.vault is None:
        raise NoVault("it was started without a key for them")
    return platform.vault


def _about(project: str, name: str) -> str:
    """A sealed value that is moved to another project or name is worth nothing there."""
    return f"secret {project}/{name}"
