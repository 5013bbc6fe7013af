"""Annotated nuclei in files of many programs."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _nucdet
from ._paths import Path, encoded, refuse_existing
from ._points import Points, as_points

Rings = list[NDArray[np.float64]]
"""An area: closed rings of corners, each [corners, 2], in pixels; what lies in an odd number of them is in the area."""


@dataclass
class Annotations:
    """Nuclei of an image, and where they count."""

    points: ArrayLike
    """[N, 2] of x and y, in pixels; (0, 0) is the centre of the top left one."""
    classes: list[str] = field(default_factory=list)
    """As many names as points, "" where it is not known; or none at all."""
    regions: list[Rings] = field(default_factory=list)
    """Nuclei count within these; everywhere if there are none."""
    ignored: list[Rings] = field(default_factory=list)
    """Nuclei do not count in these."""
    format: str = ""
    """What the file was taken for: "CSV", "QuPath GeoJSON", ..."""
    size: tuple[int, int] | None = None
    """Width and height of the image, where the file (a label mask) tells."""
    detections: bool = False
    """nucdet made the file: its points are no annotations."""
    duplicates: int = 0
    """Points that were dropped, at the place of another."""
    notes: list[str] = field(default_factory=list)
    """What there was to decide."""


def read_annotations(
    path: Path,
    mpp: float | None = None,
    *,
    image: str = "",
    all_images: bool = False,
    keep_duplicates: bool = False,
) -> Annotations:
    """Reads annotations of any format, told apart by content: tables, GeoJSON, ImageJ, label masks, AnnotationStore, ...

    mpp: um a pixel of the image, for files in um; None: 0.25 is taken, and a note says so. image: the image's file name,
    for tables with the points of several; all_images: the points of all of them.
    Raises OSError, saying where in the file something is wrong.
    """
    found = _nucdet.read_annotations(encoded(path), mpp or 0.0, image, all_images, keep_duplicates)
    width, height = found["size"]
    points: Points = found["points"]
    return Annotations(
        points=points,
        classes=found["classes"],
        regions=found["regions"],
        ignored=found["ignored"],
        format=found["format"],
        size=(width, height) if width > 0 else None,
        detections=found["detections"],
        duplicates=found["duplicates"],
        notes=found["notes"],
    )


def write_annotations(
    path: Path, annotations: Annotations | ArrayLike, classes: Sequence[str] = (), *, overwrite: bool = False
) -> None:
    """Writes annotations as the name ends: .csv, .tsv, .geojson, .geojson.gz (QuPath) or .db (TIAToolbox).

    annotations: or points [N, 2], with `classes`. Areas are written where the format has a place for them. The file
    appears whole or not at all. Raises FileExistsError unless overwrite, ValueError for another ending.
    """
    refuse_existing(path, overwrite)
    a = annotations if isinstance(annotations, Annotations) else Annotations(annotations, list(classes))
    _nucdet.write_annotations(encoded(path), as_points(a.points), a.classes, a.regions, a.ignored, a.detections)


def write_nuclei(
    path: Path,
    nuclei: NDArray[np.void],
    classes: Sequence[str] = (),
    *,
    image: str = "",
    shape: tuple[int, int] = (0, 0),
    mpp: float | None = None,
    overwrite: bool = False,
) -> None:
    """Writes what was found, with scores, as the name ends: .csv, .json, .geojson, .geojson.gz (QuPath) or .db (TIAToolbox).

    classes: names, Detector.classes. image, shape (height, width), mpp: of the image, said in the file. Raises as
    write_annotations does.
    """
    refuse_existing(path, overwrite)
    height, width = shape
    _nucdet.write_nuclei(encoded(path), nuclei, list(classes), image, width, height, mpp or 0.0)
