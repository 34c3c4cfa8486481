"""From latitude, longitude and height to a plane in metres, and back (WGS 84).

Formulas: National Imagery and Mapping Agency, TR8350.2 (geodetic to earth-centred); the way back is two
rounds of Bowring's (Survey Review 23, 1976)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from baygrid.workloads.driving.values import Floats

AXIS: Final = 6378137.0
FLATTENING: Final = 1 / 298.257223563
SQUARE: Final = FLATTENING * (2 - FLATTENING)  # of the first eccentricity


def earth_centred(latitude: Floats, longitude: Floats, height: Floats) -> Floats:
    """Degrees and metres, each of shape (n,), as earth-centred, earth-fixed metres (n, 3)."""
    phi, lam = np.radians(latitude), np.radians(longitude)
    normal = AXIS / np.sqrt(1 - SQUARE * np.sin(phi) ** 2)
    return np.stack(
        [
            (normal + height) * np.cos(phi) * np.cos(lam),
            (normal + height) * np.cos(phi) * np.sin(lam),
            (normal * (1 - SQUARE) + height) * np.sin(phi),
        ],
        axis=-1,
    )


@dataclass(frozen=True, slots=True)
class Plane:
    """The plane that touches the earth at a place: x east, y north, z up (ENU)."""

    latitude: float
    longitude: float
    height: float

    def of_geodetic(self, latitude: Floats, longitude: Floats, height: Floats) -> Floats:
        """Degrees and metres as east, north, up (n, 3)."""
        return self.of_earth_centred(earth_centred(latitude, longitude, height))

    def of_earth_centred(self, positions: Floats) -> Floats:
        """Earth-centred metres (n, 3) as east, north, up (n, 3)."""
        turned: Floats = (positions - self._origin()) @ self._axes().T
        return turned

    def to_geodetic(self, east: Floats, north: Floats, up: Floats) -> tuple[Floats, Floats]:
        """Latitude and longitude in degrees of places in the plane."""
        x, y, z = (np.stack([east, north, up], axis=-1) @ self._axes() + self._origin()).T
        flat, from_axis = 1 - FLATTENING, np.hypot(x, y)
        reduced = np.arctan2(z, from_axis * flat)
        phi = reduced
        for _ in range(2):
            phi = np.arctan2(
                z + SQUARE / flat * AXIS * np.sin(reduced) ** 3,
                from_axis - SQUARE * AXIS * np.cos(reduced) ** 3,
            )
            reduced = np.arctan2(flat * np.sin(phi), np.cos(phi))
        return np.degrees(phi), np.degrees(np.arctan2(y, x))

    def _origin(self) -> Floats:
        here = np.array([self.latitude]), np.array([self.longitude]), np.array([self.height])
        origin: Floats = earth_centred(*here)[0]
        return origin

    def _axes(self) -> Floats:
        """Rows: where east, north and up point."""
        sin_phi, cos_phi = np.sin(np.radians(self.latitude)), np.cos(np.radians(self.latitude))
        sin_lam, cos_lam = np.sin(np.radians(self.longitude)), np.cos(np.radians(self.longitude))
        return np.array(
            [
                [-sin_lam, cos_lam, 0.0],
                [-sin_phi * cos_lam, -sin_phi * sin_lam, cos_phi],
                [cos_phi * cos_lam, cos_phi * sin_lam, sin_phi],
            ]
        )
