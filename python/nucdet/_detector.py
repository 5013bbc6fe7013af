"""Nuclei of images and slides."""

import os
import warnings
from collections.abc import Callable, Iterable, Mapping, Sized
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from . import _nucdet, _openslide
from ._images import ArrayImage, Image, as_pixels, is_array, is_slide
from ._paths import Path, encoded, existing
from ._threads import team
from ._weights import default_weights

NUCLEUS: np.dtype[np.void] = _nucdet.nucleus_type
"""A nucleus: x and y of its centre in pixels of its image, to the right and down, (0, 0) the centre of the top left pixel;
its score in [0, 1]; its class, a number among Detector.classes, -1 where it has none; that class's probability, in (0, 1],
0 without one."""

Nuclei = NDArray[np.void]
Progress = Callable[[int, int], object]
Note = Callable[[str], object]
Origin = Literal["level0", "bounds"]


class Detector:
    """Finds nuclei in images of any size, with the weights of one file, on the processor.

    Thread-safe: any number of threads may call one detector. While one call has its team of threads, others compute on
    the thread that called; so for many small images several Python threads with ``threads=1`` make the most of a machine.
    Long calls release the interpreter's lock, hear Ctrl-C between tiles, and end when ``on_progress`` raises.
    A process that was forked has not the team of a detector that was made before: there its calls raise RuntimeError, unless
    it has ``threads=1``. Make a detector there, or start processes with "spawn".
    """

    def __init__(
        self,
        weights: Path | None = None,
        *,
        threads: int | None = None,
        exact: bool = False,
        threshold: float | None = None,
        xi: float | None = None,
        tile: int | None = None,
        average: bool = False,
    ) -> None:
        """
        weights: a file that nucdet trained; None: the one that NUCDET_MODEL names, or the weights that come along.
        threads: of its own team; None: as many as processors may be used.
        exact: plain sums, with which results do not depend on how an image is cut into tiles, to the bit; slower.
        threshold: the least score, in place of the weights' own. xi: the paper's, a fraction of the highest response.
        tile: reference pixels (0.25 um) along a side of the tiles that large images are cut into, a multiple of 16 (FCN-8s:
        32). average: the mean of what the network says of the eight orientations of the image, at eight times the cost.

        Raises OSError for a file that cannot be used, ValueError for settings out of range.
        """
        file = os.path.abspath(default_weights() if weights is None else weights)  # pickled, it may be opened elsewhere
        self._arguments = {
            "weights": file,
            "threads": threads,
            "exact": exact,
            "threshold": threshold,
            "xi": xi,
            "tile": tile,
            "average": average,
        }
        self._core = _nucdet.Detector(
            existing(file), team("Detector", threads), exact, threshold, xi, tile, 8 if average else 1
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return _made_again, (self._arguments,)

    def __repr__(self) -> str:
        return f"Detector({self._arguments['weights']!r}, threads={self.threads}, threshold={self.threshold:.3g})"

    @property
    def classes(self) -> list[str]:
        """Names of the classes of nuclei, in the order of their numbers; none for weights that tell none."""
        return self._core.classes

    @property
    def threshold(self) -> float:
        """The least score."""
        return self._core.threshold

    @property
    def threads(self) -> int:
        """Of the detector's team."""
        return self._core.threads

    @property
    def metadata(self) -> Mapping[str, str]:
        """What the weight file says of itself: network, training data, licence."""
        return self._core.metadata

    @overload  # a name is an iterable too, and taken by the first of the two
    def detect(  # type: ignore
        self,
        image: NDArray[Any] | ArrayImage | Path,
        mpp: float | None = None,
        *,
        scale: float | None = None,
        on_progress: Progress | None = None,
        on_note: Note | None = None,
    ) -> Nuclei: ...

    @overload
    def detect(
        self,
        image: Iterable[Image],
        mpp: float | None = None,
        *,
        scale: float | None = None,
        on_progress: Progress | None = None,
        on_note: Note | None = None,
    ) -> list[Nuclei]: ...

    def detect(
        self,
        image: NDArray[Any] | ArrayImage | Path | Iterable[Image],
        mpp: float | None = None,
        *,
        scale: float | None = None,
        on_progress: Progress | None = None,
        on_note: Note | None = None,
    ) -> Nuclei | list[Nuclei]:
        """The nuclei of an image: an array [nuclei] of NUCLEUS, row by row; of a list, a generator or any other iterable of
        images a list of them, which ends with its first error.

        image: [height, width] grey or [height, width, channels], of uint8, uint16 or floats, as the program reads files
        of such pixels: what is transparent shows white, floats go to 1 (or to 255), 12 bits in 16 are seen. 8-bit grey and
        RGB of any row stride, and 16-bit that is used in full, are looked at without a copy. Or the name of a file; a whole
        slide is looked at as by detect_slide.
        mpp: um a pixel; None: as a file says, else 0.25, with a warning for files. scale: instead, what takes pixels to
        those of 0.25 um. on_progress: called as on_progress(done, all) between tiles, of a list between images (all is 0
        where nobody knows how many come). on_note: called with sentences on what reading an image had to decide.

        Raises ValueError for pixels and numbers that make no image, OSError for files (FileNotFoundError where there is
        none), TypeError for bytes and for numbers of other types.
        """
        if isinstance(image, (bytes, bytearray)):
            raise TypeError("detect: bytes are no image: an array, the name of a file (os.fsdecode), or a list of them")
        if isinstance(image, (str, os.PathLike)) or is_array(image) or not isinstance(image, Iterable):
            found, assumed = self._look(image, mpp, scale, on_progress, on_note)
            if assumed:
                _warn(f"{image}: does not say how large its pixels are")
            return found
        all_found: list[Nuclei] = []
        unsaid, count = 0, len(image) if isinstance(image, Sized) else 0
        for one in image:
            if on_progress is not None:
                on_progress(len(all_found), count)
            found, assumed = self._look(one, mpp, scale, None, on_note)
            all_found.append(found)
            unsaid += assumed
        if on_progress is not None:
            on_progress(len(all_found), count)
        if unsaid > 0:
            _warn(f"{unsaid} of {len(all_found)} images are files that do not say how large their pixels are")
        return all_found

    def _look(
        self, image: Any, mpp: float | None, scale: float | None, told: Progress | None, on_note: Note | None
    ) -> tuple[Nuclei, bool]:
        """At one image. Whether 0.25 um a pixel had to be assumed of a file."""
        if not isinstance(image, (str, os.PathLike)):
            found, assumed, notes = self._core.detect(as_pixels(image), mpp, scale, told)
        elif is_slide(image):
            found, assumed, notes = self._core.detect_slide(existing(image), mpp, scale, "auto", "level0", told)
        else:
            found, assumed, notes = self._core.detect_file(existing(image), mpp, scale, told)
        if on_note is not None:
            for note in notes:
                on_note(note)
        return found, assumed

    def detect_slide(
        self,
        path: Path,
        mpp: float | None = None,
        *,
        scale: float | None = None,
        tissue: str = "auto",
        origin: Origin = "level0",
        on_progress: Progress | None = None,
    ) -> Nuclei:
        """The nuclei of a whole slide, in pixels of level 0, read a tile at a time where there is tissue.

        mpp, scale: of level 0, as in detect; None: as the slide says. tissue: "auto", "all", or the file of a mask in
        which black is glass. origin: "bounds": positions count from what was scanned (Slide.bounds), as QuPath has them
        where it reads by OpenSlide, and nothing outside of it is found. on_progress: called as on_progress(done, all)
        between tiles, and with 0 of something while tissue is sought; what it raises ends the work. Scanners' formats
        need OpenSlide: the system's (libopenslide0) or the package openslide-bin.

        Raises OSError for what is no slide or cannot be read.
        """
        _openslide.prepare()
        where: str | bytes = tissue if tissue in ("auto", "all") else existing(tissue)
        found, assumed, _ = self._core.detect_slide(existing(path), mpp, scale, where, origin, on_progress)
        if assumed:
            _warn(f"{path}: does not say how large its pixels are")
        return found

    def maps(self, image: NDArray[Any] | ArrayImage) -> dict[str, NDArray[np.float32]]:
        """What the network itself says of an image of 0.25 um a pixel, in one piece: each output by its name, as
        [height, width, maps]: "map", in which nuclei are peaks, and of weights with classes "classes", scores before
        their softmax. Memory goes with the image: some kB a pixel."""
        return self._core.outputs(as_pixels(image))

    def statistics(self, image: NDArray[Any] | ArrayImage) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What an image of 0.25 um a pixel is normalised with: mean and deviation of each channel, of values in [0, 1]."""
        return self._core.statistics(as_pixels(image))


def _warn(what: str) -> None:
    """Of the caller's call."""
    warnings.warn(f"{what}: 0.25 um was assumed; mpp=... says it", stacklevel=3)


def _made_again(arguments: dict[str, Any]) -> Detector:
    return Detector(**arguments)
