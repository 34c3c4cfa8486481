"""Fair shares: who has used how much of the region, level by level: organisation, project, user.

Usage is measured in dominant-share seconds (Ghodsi et al., NSDI'11: the largest fraction that a job has of
any resource), and it fades: after the half-life it counts half, as in Slurm's fair tree. A live attempt is
booked for as long as it is expected to run, so that the next turn is somebody else's; what it did not take
is given back at its end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from baygrid.core.placement.image import Image, Placement
from baygrid.core.placement.policy import Policy

Path: TypeAlias = tuple[str, ...]

_REBASE: Final = 64.0
"""After so many half-lives every figure is scaled anew, long before floating point overflows."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """All that the region has. `accelerators`: thousandths, each counted as `ratings` says (1 where it says
    nothing)."""

    cpus: int
    memory_mib: int
    accelerators: float
    ratings: Mapping[str, float] = field(default_factory=dict, hash=False)

    @classmethod
    def of(cls, image: Image, policy: Policy) -> Capacity:
        ratings = {model: float(flavor.rating) for model, flavor in policy.flavors.items()}
        kinds = [kind for pool in image.pools.values() for kind in pool.kinds]
        accelerators = sum(
            1000 * number * count * ratings.get(model, 1.0)
            for node, number in kinds
            for model, count in node.accelerators.items()
        )
        cpus = sum(node.cpus * number for node, number in kinds)
        return cls(cpus, sum(node.memory_mib * number for node, number in kinds), accelerators, ratings)

    def share(self, it: Placement) -> float:
        """The largest part of any axis that it has, as `dominant` says."""
        return dominant(self, it.cpus * it.count, it.memory_mib * it.count, it.devices)


def dominant(
    capacity: Capacity, cpus: int, memory_mib: int, accelerators: Mapping[str, int] | None = None
) -> float:
    """The largest part of any axis of the region, 0 to 1. `accelerators`: thousandths by model; all models
    are one axis."""
    rated = sum(count * capacity.ratings.get(model, 1.0) for model, count in (accelerators or {}).items())
    return max(
        cpus / capacity.cpus if capacity.cpus else 0.0,
        memory_mib / capacity.memory_mib if capacity.memory_mib else 0.0,
        rated / capacity.accelerators if capacity.accelerators else 0.0,
    )


@dataclass(frozen=True, slots=True)
class _Booking:
    path: Path
    share: float
    since: int
    until: int


class Shares:
    """Usage of the tree region -> organisation -> project -> user. Its owner tells it what began and ended.

    All figures are kept as they would stand at one `origin`, so that fading changes no order: two paths are
    compared without knowing what time it is.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._half_ms = max(1, policy.half_life_s) * 1000
        self._origin = 0
        self._at_origin: dict[Path, float] = {}
        self._live: dict[str, _Booking] = {}

    def follow(self, policy: Policy, now: int) -> None:
        """Other weights, or another half-life from now (ms) on."""
        self._rebase(now)
        self._policy = policy
        self._half_ms = max(1, policy.half_life_s) * 1000

    def charge(self, path: Path, amount: float, at: int) -> None:
        """`amount` dominant-share seconds were used at `at` (ms)."""
        if (at - self._origin) / self._half_ms > _REBASE:
            self._rebase(at)
        self._add(path, amount * self.scale(at))

    def begin(self, attempt: str, path: Path, share: float, at: int, until: int) -> None:
        """An attempt got the dominant share `share` at `at` and is expected to have it to `until` (ms).
        Repeated, it replaces what was said before."""
        self._take_back(attempt, 0.0)
        booking = self._live[attempt] = _Booking(path, share, at, max(at, until))
        self.charge(path, share * (booking.until - at) / 1000, at)

    def end(self, attempt: str, at: int) -> None:
        """The attempt is over: it counts for the time that it had. Unknown is fine."""
        booking = self._live.get(attempt)
        if booking is not None:
            self._take_back(attempt, max(0, at - booking.since) / 1000)

    def _take_back(self, attempt: str, seconds: float) -> None:
        """Replaces a booking by `seconds` at its share."""
        booking = self._live.pop(attempt, None)
        if booking is not None:
            booked = (booking.until - booking.since) / 1000
            self._add(booking.path, booking.share * (seconds - booked) * self.scale(booking.since))

    def _add(self, path: Path, amount: float) -> None:
        for depth in range(1, len(path) + 1):
            node = path[:depth]
            self._at_origin[node] = max(0.0, self._at_origin.get(node, 0.0) + amount)

    def _rebase(self, at: int) -> None:
        factor = 1 / self.scale(at) if (at - self._origin) / self._half_ms < 900 else 0.0
        self._at_origin = {path: amount * factor for path, amount in self._at_origin.items()}
        self._origin = at

    def scale(self, at: int) -> float:
        """What one dominant-share second at `at` weighs among `weighed` figures."""
        return float(2.0 ** min(1000.0, (at - self._origin) / self._half_ms))

    def weighed(self, path: Path) -> float:
        """Usage as it compares with other paths: larger for later use. Divide by the weight."""
        return self._at_origin.get(path, 0.0)

    def usage(self, path: Path, now: int) -> float:
        """Faded usage in dominant-share seconds."""
        return self.weighed(path) / self.scale(now)


def weight(policy: Policy, path: Path) -> int:
    """The declared share of a node of the tree, 1 where none is."""
    return policy.shares.get(path, 1)


def entitled(policy: Policy, paths: Sequence[tuple[str, str]]) -> dict[str, float]:
    """By project the part of all that the weights come to, level by level, among these (organisation,
    project)."""
    organisations = {organisation: weight(policy, (organisation,)) for organisation, _ in paths}
    siblings: Counter[str] = Counter()
    for path in paths:
        siblings[path[0]] += weight(policy, path)
    total = sum(organisations.values())
    return {
        project: organisations[organisation] / (total or 1)
        * weight(policy, (organisation, project)) / (siblings[organisation] or 1)
        for organisation, project in paths
    }  # fmt: skip


def turn_key(weighed: float, share: int) -> float:
    """The smaller, the earlier its turn; one without any share comes last."""
    return weighed / share if share > 0 else float("inf")
