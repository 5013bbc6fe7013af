"""Numbers of classes in the forms that callers have them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._annotations import Annotations
from ._points import as_points


def as_classes(
    what: str, classes: ArrayLike | None, points: ArrayLike | Annotations, names: Sequence[str] | None
) -> list[int]:
    """A number for each point, -1 where its class is not known: by the classes given, else those of the points (the field
    class, or an Annotations' own). names: what numbers stand for, where classes are names. Raises ValueError, in the
    name of `what`, where there are none."""
    if classes is None and isinstance(points, Annotations):
        classes = points.classes or None
    elif classes is None:
        fields: NDArray[Any] = np.asarray(points)
        classes = fields["class"] if "class" in (fields.dtype.names or ()) else None
    count = len(points.points if isinstance(points, Annotations) else as_points(points))
    if classes is None and count > 0:
        raise ValueError(f"{what}: no classes: the points have none, and none are given")
    array: NDArray[Any] = np.asarray([] if classes is None else classes)
    if array.shape != (count,):
        raise ValueError(f"{what}: classes are an array {array.shape}, wanted one for each of {count} points")
    if count == 0:
        return []
    if array.dtype.kind in "US":
        if names is None:
            raise ValueError(f"{what}: classes are names, wanted names=Detector.classes to say their numbers")
        numbers = {name: number for number, name in enumerate(names)}
        return [numbers.get(str(name), -1) for name in array]
    if array.dtype.kind not in "iu":
        raise ValueError(f"{what}: classes are {array.dtype}, wanted whole numbers, or names")
    return [int(number) for number in array]
