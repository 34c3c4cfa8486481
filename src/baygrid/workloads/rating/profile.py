"""What a profile is to that which measures with it, and the profiles there are."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from baygrid.core.rating.value import Gate
from baygrid.workloads.application import Application, ApplicationError, Outcome


class Profile(Protocol):
    """A frozen dataclass without fields: one version of a profile never changes, for only what was measured
    alike can be compared. What changes a rate, or whether its gate passes, makes a new version."""

    @property
    def name(self) -> str:
        """NAME@VERSION."""
        ...

    @property
    def unit(self) -> str: ...

    @property
    def input(self) -> str:
        """What goes in, for people."""
        ...

    @property
    def precision(self) -> str: ...

    @property
    def first(self) -> float:
        """Units of the first run, from which the length of the one that counts is reckoned; the least that
        its gate can judge."""
        ...

    def model(self) -> str:
        """Its name and the first digits of its SHA-256. Raises ApplicationError where it is not here."""
        ...

    def flop_per_unit(self) -> float | None:
        """Counted in the model; None where not all of the work is a model's."""
        ...

    def prepare(self, folder: Path) -> None:
        """Makes the input, the same everywhere."""
        ...

    def application(self, folder: Path, units: float) -> Application:
        """Over about so many units of what `prepare` made."""
        ...

    def gate(self, output: Path, outcome: Outcome) -> Gate:
        """Whether what the run left in `output` is as good as it must be."""
        ...


def profile(name: str) -> Profile:
    """By its name, with or without the version. Raises ApplicationError."""
    found = {each.name: each for each in _profiles()}
    found |= {each.name.partition("@")[0]: each for each in found.values()}
    if name not in found:
        known = ", ".join(sorted(each for each in found if "@" in each))
        raise ApplicationError(f"there is no profile {name[:40]!r}: use one of {known}")
    return found[name]


def _profiles() -> list[Profile]:
    from baygrid.workloads.rating.images import ImagesProfile

    return [ImagesProfile()]
