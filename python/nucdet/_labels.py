"""Label maps drawn from nucleus centres: what networks learn."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _nucdet
from ._classes import as_classes
from ._points import as_points
from ._threads import team

Map = NDArray[np.float32]


def proximity_map(
    points: ArrayLike, shape: tuple[int, int], *, alpha: float = 3, radius: float = 15, threads: int | None = None
) -> Map:
    """Proximity to the nearest centre: (exp(alpha (1 - d / radius)) - 1) / (exp(alpha) - 1), d and radius in pixels, 0
    beyond the radius (Xing et al. 2019, Eq. 1).

    points: [N, 2] of x and y, or nuclei; (0, 0) is the centre of the top left pixel, and those outside count where they
    reach in. shape: height, width of the map. threads: None: as many as processors may be used; they change no bit.
    """
    return _nucdet.proximity_map(as_points(points), *shape, alpha, radius, team("proximity_map", threads))


def gaussian_map(
    points: ArrayLike, shape: tuple[int, int], *, sigma: float = 4, scale: float = 100, threads: int | None = None
) -> Map:
    """A density: for each nucleus a Gaussian of sigma pixels, cut at 4 sigma, that sums to `scale`.

    points, shape, threads: as in proximity_map."""
    return _nucdet.gaussian_map(as_points(points), *shape, sigma, scale, team("gaussian_map", threads))


def disc_map(points: ArrayLike, shape: tuple[int, int], *, radius: float = 8, threads: int | None = None) -> Map:
    """1 within `radius` pixels of a centre, else 0.

    points, shape, threads: as in proximity_map."""
    return _nucdet.disc_map(as_points(points), *shape, radius, team("disc_map", threads))


def class_map(
    points: ArrayLike,
    classes: ArrayLike | None,
    shape: tuple[int, int],
    *,
    names: Sequence[str] | None = None,
    radius: float = 8,
    threads: int | None = None,
) -> Map:
    """1 + the class of the nearest centre within `radius` pixels, 0 where there is none or its class is unknown (-1).

    classes: as many as points, numbers from 0 or, with `names` (Detector.classes), names; None: the field class of the
    nuclei. Raises ValueError where there are none. points, shape, threads: as in proximity_map."""
    numbers = as_classes("class_map", classes, points, names)
    return _nucdet.class_map(as_points(points), numbers, *shape, radius, team("class_map", threads))
