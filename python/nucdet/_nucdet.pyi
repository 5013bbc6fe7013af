"""The library's side of the package. Names of files are bytes, as the system has them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

version: str
nucleus_type: np.dtype[np.void]

_Progress = Callable[[int, int], object] | None
_Points = NDArray[np.float64]
_Map = NDArray[np.float32]
_Rings = Sequence[Sequence[_Points]]
_Found = tuple[NDArray[np.void], bool, list[str]]  # nuclei, whether 0.25 um was assumed of a file, notes

class Detector:
    def __init__(
        self,
        weights: bytes,
        threads: int,
        exact: bool,
        threshold: float | None,
        xi: float | None,
        tile: int | None,
        average: int,
    ) -> None: ...
    def detect(
        self, image: NDArray[Any], mpp: float | None, scale: float | None, told: _Progress
    ) -> _Found: ...
    def detect_file(self, path: bytes, mpp: float | None, scale: float | None, told: _Progress) -> _Found: ...
    def detect_slide(
        self,
        path: bytes,
        mpp: float | None,
        scale: float | None,
        tissue: str | bytes,
        origin: str,
        told: _Progress,
    ) -> _Found: ...
    def outputs(self, image: NDArray[Any]) -> dict[str, _Map]: ...
    def statistics(self, image: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
    @property
    def classes(self) -> list[str]: ...
    @property
    def metadata(self) -> Mapping[str, str]: ...
    @property
    def threads(self) -> int: ...
    @property
    def threshold(self) -> float: ...
    @property
    def tile(self) -> int: ...

class Score:
    """Counts of detections, and the distances of the hits. Scores of several images add up with + and sum()."""

    def __init__(self) -> None: ...
    @property
    def hits(self) -> int: ...
    @property
    def false_alarms(self) -> int: ...
    @property
    def misses(self) -> int: ...
    @property
    def precision(self) -> float:
        """Hits over detections; 1 if nothing was detected."""
    @property
    def recall(self) -> float:
        """Hits over true nuclei; 1 if there are none."""
    @property
    def f1(self) -> float: ...
    @property
    def distance_mean(self) -> float:
        """Of the hits to their truth, pixels (with mpp of 0.25 um); NaN without hits."""
    @property
    def distance_deviation(self) -> float: ...
    def __add__(self, other: Score) -> Score: ...
    def __radd__(self, zero: int) -> Score: ...

class Matching:
    """Which detection stands for which nucleus, of those that count."""

    @property
    def pairs(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """[pairs, 2]: the numbers of a detection and of its nucleus, by the former; [pairs]: how far apart, pixels (with
        mpp of 0.25 um)."""
    @property
    def counted(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The numbers of the detections, and of the nuclei, that count: all of them where there are no areas."""
    @property
    def predicted(self) -> int:
        """How many detections count."""
    @property
    def truth(self) -> int:
        """How many nuclei count."""
    @property
    def hits(self) -> int: ...
    @property
    def false_alarms(self) -> int: ...
    @property
    def misses(self) -> int: ...
    @property
    def score(self) -> Score: ...

class ClassScore:
    """How well classes are told apart. Scores of several images add up with + and sum()."""

    def __init__(self, classes: int) -> None: ...
    @property
    def classes(self) -> int: ...
    def add(self, matching: Matching, predicted: Sequence[int], truth: Sequence[int]) -> None: ...
    def of(self, number: int) -> Score:
        """Of one class."""
    @property
    def detection(self) -> Score:
        """Of all nuclei, whatever their classes."""
    @property
    def mean_f1(self) -> float:
        """Of the classes that occur."""
    @property
    def confusion(self) -> NDArray[np.int64]:
        """[classes + 2, classes + 2]: a row for each true class, a column for each found one; then of unknown class; then
        without a nucleus (row: false alarms) or a detection (column: misses)."""
    def __add__(self, other: ClassScore) -> ClassScore: ...
    def __radd__(self, zero: int) -> ClassScore: ...

def float_pixels(image: NDArray[Any]) -> _Map: ...
def read_image(path: bytes, page: int | None) -> tuple[NDArray[Any], float, float, str, list[str]]: ...

class Slide:
    def __init__(self, path: bytes) -> None: ...
    @property
    def levels(self) -> list[tuple[int, int, float]]: ...
    @property
    def pixel_size(self) -> tuple[float, float]: ...
    @property
    def bounds(self) -> tuple[int, int, int, int]: ...
    @property
    def associated(self) -> list[str]: ...
    def read(self, level: int, x: int, y: int, width: int, height: int) -> NDArray[np.uint8]: ...
    def read_associated(self, name: str) -> NDArray[Any]: ...
    def thumbnail(self, longest: int) -> NDArray[np.uint8]: ...

def is_slide(path: bytes) -> bool: ...
def openslide_version() -> str: ...
def use_openslide(library: bytes) -> bool: ...
def match(
    predicted: _Points,
    truth: _Points,
    gate: float,
    method: str,
    mpp: float | None,
    regions: _Rings,
    ignored: _Rings,
) -> Matching: ...
def proximity_map(
    points: _Points, height: int, width: int, alpha: float, radius: float, threads: int
) -> _Map: ...
def gaussian_map(points: _Points, height: int, width: int, sigma: float, scale: float, threads: int) -> _Map: ...
def disc_map(points: _Points, height: int, width: int, radius: float, threads: int) -> _Map: ...
def class_map(
    points: _Points, classes: Sequence[int], height: int, width: int, radius: float, threads: int
) -> _Map: ...
def read_annotations(
    path: bytes, mpp: float | None, image: bytes, all_images: bool, keep_duplicates: bool
) -> dict[str, Any]: ...
def write_annotations(
    path: bytes, points: _Points, classes: Sequence[str], regions: _Rings, ignored: _Rings, detections: bool
) -> None: ...
def write_nuclei(
    path: bytes,
    nuclei: NDArray[np.void],
    classes: Sequence[str],
    image: bytes,
    width: int,
    height: int,
    mpp: float | None,
) -> None: ...
def train(
    preset: str,
    settings: dict[str, Any],
    threads: int,
    on_step: Callable[[dict[str, Any]], object] | None,
    on_validation: Callable[[dict[str, Any]], object] | None,
    on_note: Callable[[str], object] | None,
) -> dict[str, Any]: ...
def network_names() -> list[str]: ...
def training_settings() -> list[str]: ...
