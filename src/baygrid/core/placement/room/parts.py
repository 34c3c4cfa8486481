"""Accelerators that several jobs share: who has how many thousandths of which one.

A device that nobody shares is not known here: it is one of the whole ones that a row counts. Where a job of
less than a whole device opens one, it gets a *slot*, a number that is unique among the open devices of its
row and model; the centre that runs the job gives the same device to all of one slot.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]

WHOLE: Final = 1000
"""Thousandths of one device."""


class Part(NamedTuple):
    """`share`: thousandths. `ends` (ms): at the latest, and when a tenth and half of its like would end."""

    share: int
    ends: tuple[int, int, int]


_Device: TypeAlias = Mapping[str, Part]
"""By who has it."""


class Parts:
    """`left`, by model and row: the most that is left of one shared device, 0 where none is open. Below zero
    a device goes only where records say so that nobody made by these rules."""

    def __init__(self, models: int, rows: int) -> None:
        self.left: Ints = np.zeros((models, rows), dtype=np.int64)
        self._open: dict[tuple[int, int], dict[int, _Device]] = {}

    def copy(self) -> Parts:
        """Changes of one are not seen by the other."""
        other = Parts(0, 0)
        other.left = self.left.copy()
        other._open = self._open.copy()
        return other

    def slot(self, model: int, row: int, share: int) -> int:
        """The fullest shared device with so much left; the first free number where one must be opened."""
        devices = self._open.get((model, row), {})
        fitting = [(left, slot) for slot, it in devices.items() if (left := left_of(it)) >= share]
        return min(fitting)[1] if fitting else next(n for n in range(len(devices) + 1) if n not in devices)

    def tightest(self, model: int, row: int, share: int) -> int:
        """What is left of the device that `slot` names; `WHOLE` where one must be opened."""
        devices = self._open.get((model, row), {}).values()
        return min((left for it in devices if (left := left_of(it)) >= share), default=WHOLE)

    def add(self, model: int, row: int, slot: int, who: str, part: Part) -> bool:
        """True: this opened a whole device."""
        devices = self._open.get((model, row), {})
        opened = slot not in devices
        self._put(model, row, {**devices, slot: {**devices.get(slot, {}), who: part}})
        return opened

    def remove(self, model: int, row: int, who: str) -> bool:
        """True: a whole device is free again."""
        devices = self._open.get((model, row), {})
        slot = next((slot for slot, device in devices.items() if who in device), None)
        if slot is None:
            return False
        left = {name: part for name, part in devices[slot].items() if name != who}
        others = {n: device for n, device in devices.items() if n != slot}
        self._put(model, row, {**others, slot: left} if left else others)
        return not left

    def _put(self, model: int, row: int, devices: dict[int, _Device]) -> None:
        """Never changes what a copy may have too."""
        if devices:
            self._open[model, row] = devices
        else:
            self._open.pop((model, row), None)
        self.left[model, row] = max((left_of(device) for device in devices.values()), default=0)

    def without(self, model: int, row: int, gone: Container[str]) -> tuple[int, int]:
        """Once these are gone: how many devices are whole again, and the most left of one still shared."""
        whole, most = 0, 0
        for device in self._open.get((model, row), {}).values():
            stay = {name: part for name, part in device.items() if name not in gone}
            whole += not stay
            most = max(most, left_of(stay) if stay else 0)
        return whole, most

    def closings(self) -> Iterator[tuple[int, int, tuple[int, int, int]]]:
        """(row, model, ends) of every shared device: when the last of those who have it gives it back."""
        for (model, row), devices in self._open.items():
            for device in devices.values():
                latest, p10, p50 = zip(*(part.ends for part in device.values()), strict=True)
                yield row, model, (max(latest), max(p10), max(p50))


def left_of(device: _Device) -> int:
    """Thousandths."""
    return WHOLE - sum(part.share for part in device.values())
