"""What a profile is to that which measures with it, and the profiles there are."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Protocol

from baygrid.core.rating.value import Gate
from baygrid.workloads.application import Application, ApplicationError, Outcome

NAMES: Final = ("images@1", "images-bf16@1", "speech@1", "driving@1")
"""Of one name the newest is last."""


class Profile(Protocol):
    """A value without fields: one version of a profile never changes, for only what was measured
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

    def device(self) -> str:
        """On what the model runs here: CPU, CUDA, CANN."""
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

    def gate(self, units: float, outcome: Outcome) -> Gate:
        """Whether what a run over so many units, as `application` was asked for, left is as good as it must
        be: all of what went in is judged."""
        ...


def profile(name: str) -> Profile:
    """By its name, with or without the version. Raises ApplicationError."""
    found = [known for known in NAMES if name in (known, known.partition("@")[0])]
    if not found:
        raise ApplicationError(f"there is no profile {name[:40]!r}: use one of {', '.join(NAMES)}")
    return _profile(found[-1])


def _profile(name: str) -> Profile:
    """What others need is not loaded."""
    if name == "images@1":
        from baygrid.workloads.rating.images import ImagesProfile

        return ImagesProfile()
    if name == "images-bf16@1":
        from baygrid.workloads.rating.images import ImagesBf16Profile

        return ImagesBf16Profile()
    if name == "speech@1":
        from baygrid.workloads.rating.speech import SpeechProfile

        return SpeechProfile()
    from baygrid.workloads.rating.driving import DrivingProfile

    return DrivingProfile()
