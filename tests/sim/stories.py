"""A failure as a text to read."""

from baygrid.sim import Failure


def story(failure: Failure) -> str:
    head = f"seed {failure.seed} violates {failure.invariant!r} ({failure.subject}): {failure.detail}"
    return "\n".join((head, f"sha256 {failure.sha256}", *failure.events))
