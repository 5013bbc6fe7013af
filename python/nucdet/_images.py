"""Images: NumPy's arrays as the library takes them, files, and slides."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from . import _nucdet, _openslide
from ._paths import Path, encoded, existing


class _HasArray(Protocol):
    def __array__(self) -> NDArray[Any]: ...


class _HasInterface(Protocol):
    @property
    def __array_interface__(self) -> dict[str, Any]: ...


ArrayImage = _HasArray | _HasInterface
"""What np.asarray makes an array of: arrays, tensors on the host, Pillow's images."""

Image = NDArray[Any] | ArrayImage | Path
"""[height, width] grey or [height, width, channels] with 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGB, alpha) channels of
uint8, uint16, int16, uint32, int32, float16, float32 or float64; or the name of a file."""

_TYPES = [np.dtype(t) for t in ("u1", "u2", "i2", "u4", "i4", "f4", "f8")]
_PILLOW_MODES = ("L", "LA", "RGB", "RGBA", "I;16", "I", "F")


def is_array(image: object) -> bool:
    """Whether it is one image, though it may be iterated over."""
    return isinstance(image, (np.ndarray, memoryview)) or hasattr(image, "__array__") or hasattr(image, "__array_interface__")


def as_pixels(image: NDArray[Any] | ArrayImage) -> NDArray[Any]:
    """An array whose pixels lie side by side, of native numbers; the given one itself where it is such an array."""
    mode = None if isinstance(image, np.ndarray) else getattr(image, "mode", None)  # a memmap's says how it is opened
    if isinstance(mode, str) and mode not in _PILLOW_MODES:
        raise ValueError(f"image: of mode {mode}; wanted colours or grey: image.convert('RGB')")
    array: NDArray[Any] = np.asarray(image)
    if array.dtype == np.float16:
        array = array.astype(np.float32)
    if array.dtype.newbyteorder("=") not in _TYPES:
        raise TypeError(f"image: an array of {array.dtype}, wanted {', '.join(map(str, _TYPES))}")
    if array.ndim not in (2, 3):
        raise ValueError(f"image: an array of {array.shape}, wanted [height, width] or [height, width, channels]")
    if array.ndim == 3 and array.shape[2] not in (1, 2, 3, 4):
        first = " (channels come last: np.moveaxis(image, 0, -1))" if array.shape[0] in (1, 3, 4) else ""
        raise ValueError(f"image: {array.shape[2]} channels, wanted 1 (grey), 2, 3 (RGB) or 4 (with alpha){first}")
    if 0 in array.shape:
        raise ValueError(f"image: an array of {array.shape} has no pixels")
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    channels = array.shape[2] if array.ndim == 3 else 1
    size, row = array.itemsize, array.shape[1] * channels * array.itemsize
    dense = (
        array.flags.aligned
        and (array.shape[1] == 1 or array.strides[1] == channels * size)
        and (channels == 1 or array.strides[2] == size)
        and (array.shape[0] == 1 or (array.strides[0] >= row and array.strides[0] % size == 0))
    )
    return array if dense else np.ascontiguousarray(array)


@dataclass(frozen=True)
class Picture:
    """An image file as nucdet reads it."""

    pixels: NDArray[Any]
    """[height, width, 3] of uint8 or uint16, RGB; what is transparent shows white."""
    mpp: float | None
    """um a pixel; None where the file does not say."""
    notes: list[str] = field(default_factory=list)
    """What there was to decide: "12 bits in 16 bits: ..."."""


def _mean(x: float, y: float) -> float | None:
    return float(np.sqrt(x * y)) if x > 0 and y > 0 else None


def read_image(path: Path, *, page: int | None = None) -> Picture:
    """Reads PNG, JPEG, TIFF, JPEG 2000 or WebP, told apart by content, as the program does.

    page: of a TIFF with several, from 1. Raises OSError, saying what is wrong with the file.
    """
    pixels, x, y, _, notes = _nucdet.read_image(existing(path), page)
    return Picture(pixels, _mean(x, y), notes)


def is_slide(path: Path) -> bool:
    """Whether a file is a whole slide (a pyramid, a scanner's format), which Detector.detect_slide reads a tile at a time."""
    _openslide.prepare()
    return _nucdet.is_slide(encoded(path))


def openslide_version() -> str | None:
    """The version of the OpenSlide library that reads scanners' formats; None without one."""
    _openslide.prepare()
    return _nucdet.openslide_version() or None


class Slide:
    """A whole slide, read a rectangle at a time; its file is open as long as this object lives."""

    levels: Sequence[tuple[int, int, float]]
    """width and height of each level, and how many pixels of level 0 one of its pixels is wide."""
    mpp: float | None
    """um a pixel of level 0; None where the file does not say."""
    bounds: tuple[int, int, int, int]
    """x, y, width and height, in pixels of level 0, of what was scanned; all of it where the file does not say."""
    associated: list[str]
    """Names of pictures beside the slide, for read_associated: label, macro."""

    def __init__(self, path: Path) -> None:
        """Raises OSError for what is no slide."""
        _openslide.prepare()
        self._path = os.path.abspath(path)  # pickled, it may be opened elsewhere
        self._slide = _nucdet.Slide(existing(path))
        self.levels = self._slide.levels
        self.mpp = _mean(*self._slide.pixel_size)
        self.bounds = self._slide.bounds
        self.associated = self._slide.associated

    def __reduce__(self) -> tuple[type["Slide"], tuple[str]]:
        return Slide, (self._path,)  # opened again by who unpickles it

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of level 0, pixels."""
        return self.levels[0][0], self.levels[0][1]

    def read(self, x: int, y: int, width: int, height: int, level: int = 0) -> NDArray[np.uint8]:
        """The rectangle at (x, y), in pixels of the level, as [height, width, 3]; outside of the slide it is white. Several
        threads may read."""
        return self._slide.read(level, x, y, width, height)

    def read_associated(self, name: str) -> NDArray[Any]:
        """A picture beside the slide, [height, width, 3]. Raises OSError for a name that is not among `associated`."""
        return self._slide.read_associated(name)

    def thumbnail(self, longest: int = 1024) -> NDArray[np.uint8]:
        """All of the slide, [height, width, 3], of at most `longest` pixels along its longer side: the mean of what each
        pixel covers."""
        return self._slide.thumbnail(longest)
