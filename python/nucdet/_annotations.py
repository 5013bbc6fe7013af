"""Annotated nuclei in files of many programs, and nuclei in files of nucdet."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _nucdet
from ._paths import Path, encoded, existing, refuse_existing
from ._points import as_nuclei, as_points

Rings = list[NDArray[np.float64]]
"""An area: closed rings of corners, each [corners, 2], in pixels; what lies in an odd number of them is in the area."""


@dataclass
class Annotations:
    """Nuclei of an image, and where they count. Raises ValueError for what are no points."""

    points: NDArray[np.float64]
    """[N, 2] of x and y, in pixels; (0, 0) is the centre of the top left one. What is given may be any such list."""
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

    def __post_init__(self) -> None:
        self.points = as_points(self.points)


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
    Raises OSError, saying where in the file something is wrong, ValueError for an mpp that is not above 0.
    """
    found = _nucdet.read_annotations(existing(path), mpp, encoded(image), all_images, keep_duplicates)
    width, height = found["size"]
    return Annotations(
        points=found["points"],
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
    appears whole or not at all. Raises FileExistsError unless overwrite, ValueError for another ending, for places that are
    none, for areas without rings and rings of less than 3 corners, and for classes beside Annotations, which have their own.
    """
    if isinstance(annotations, Annotations):
        if classes:
            raise ValueError(f"write_annotations: {len(classes)} classes beside Annotations, which have classes of their own")
        a = annotations
    else:
        a = Annotations(as_points(annotations), list(classes))
    refuse_existing(path, overwrite)
    _nucdet.write_annotations(encoded(path), as_points(a.points), a.classes, a.regions, a.ignored, a.detections)


def write_nuclei(
    path: Path,
    nuclei: ArrayLike,
    classes: Sequence[str] = (),
    *,
    image: str = "",
    shape: tuple[int, int] = (0, 0),
    mpp: float | None = None,
    overwrite: bool = False,
) -> None:
    """Writes what was found, with scores, as the name ends: .csv, .json, .geojson, .geojson.gz (QuPath) or .db (TIAToolbox).

    nuclei: of NUCLEUS, or with fields of those names. classes: what their numbers stand for, Detector.classes. image, shape
    (height, width), mpp: of the image, said in the file, as far as they are given; of the model it says nothing.

    Raises FileExistsError unless overwrite, ValueError for another ending, for nuclei at no place or of a class that has no
    name, and for an mpp that is not above 0.
    """
    refuse_existing(path, overwrite)
    height, width = shape
    _nucdet.write_nuclei(encoded(path), as_nuclei(nuclei), list(classes), encoded(image), width, height, mpp)


def read_nuclei(path: Path) -> tuple[NDArray[np.void], list[str]]:
    """What nucdet found, of its own tables (.csv) and JSON: nuclei with their scores, to the bit, and the names of classes.

    The classes of a table, which lists none, are those that occur, in alphabetical order. Raises OSError for another file;
    read_annotations reads the points of any.
    """
    with open(path, encoding="utf-8-sig", newline="") as file:
        try:
            is_json = file.read(1) == "{"
            file.seek(0)
            return _of_json(json.load(file)) if is_json else _of_table(csv.DictReader(file))
        except (ValueError, KeyError, TypeError, csv.Error) as error:
            raise OSError(f"{path}: holds no nuclei as nucdet writes them in .csv and .json: {error!r}") from error


def _of_json(whole: dict[str, Any]) -> tuple[NDArray[np.void], list[str]]:
    if not str(whole["format"]).startswith("nucdet-detections-"):
        raise ValueError(f"its format is {whole['format']!r}")
    return _nuclei_of(whole["nuclei"], whole.get("classes", []))


def _of_table(table: "csv.DictReader[str]") -> tuple[NDArray[np.void], list[str]]:
    if not {"x", "y", "score"} <= set(table.fieldnames or ()):
        raise ValueError(f"its columns are {table.fieldnames}")
    rows = list(table)
    return _nuclei_of(rows, sorted({row["class"] for row in rows if row.get("class")}))


def _nuclei_of(rows: Sequence[Mapping[str, Any]], names: list[str]) -> tuple[NDArray[np.void], list[str]]:
    nuclei = np.zeros(len(rows), _nucdet.nucleus_type)
    for nucleus, row in zip(nuclei, rows, strict=True):
        nucleus["x"], nucleus["y"], nucleus["score"] = float(row["x"]), float(row["y"]), float(row["score"])
        nucleus["class"] = names.index(row["class"]) if row.get("class") else -1
        nucleus["class_probability"] = float(row.get("class_probability") or 0)
    return nuclei, names
