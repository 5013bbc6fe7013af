"""Points and nuclei in the forms that callers have them."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _nucdet

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


def as_nuclei(nuclei: ArrayLike) -> NDArray[np.void]:
    """[N] of NUCLEUS: the array itself where it is one, else a copy by the names of its fields."""
    array: NDArray[Any] = np.asarray(nuclei)
    wanted = _nucdet.nucleus_type
    if array.size > 0 and (array.ndim != 1 or not set(wanted.names or ()) <= set(array.dtype.names or ())):
        raise ValueError(
            f"nuclei: an array {array.shape} of {array.dtype}, wanted [N] of nucdet.NUCLEUS, as Detector.detect gives"
        )
    if array.dtype == wanted:
        return array
    rows = np.zeros(array.size, wanted)
    if array.size > 0:
        for name in wanted.names or ():
            rows[name] = array[name]
    return rows
