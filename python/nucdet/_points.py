"""Points in the forms that callers have them."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Points = NDArray[np.float64]


def as_points(points: ArrayLike) -> Points:
    """[N, 2] of x and y: of such an array or list, or of an array with the fields x and y, as detections are."""
    array: NDArray[Any] = np.asarray(points)
    if array.dtype.names is not None:
        if "x" not in array.dtype.names or "y" not in array.dtype.names:
            raise ValueError(f"points: an array with the fields {array.dtype.names}, wanted x and y")
        columns: Points = np.stack([array["x"], array["y"]], axis=-1).astype(np.float64, copy=False)
        return columns.reshape(-1, 2)
    if array.size == 0:
        return np.empty((0, 2))
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"points: an array of {array.shape}, wanted [N, 2]: x and y, in pixels")
    return np.ascontiguousarray(array, np.float64)


def as_classes(classes: ArrayLike | None, points: ArrayLike) -> list[int]:
    """Numbers of classes, -1 where one is not known: those given, or the field class of the points, or none."""
    if classes is None:
        array: NDArray[Any] = np.asarray(points)
        if array.dtype.names is None or "class" not in array.dtype.names:
            return []
        classes = array["class"]
    return [int(number) for number in np.asarray(classes).ravel()]
