"""Nucleus detection in H&E images: nucdet's C++ library for Python.

>>> import nucdet
>>> nuclei = nucdet.Detector().detect(image)      # image: uint8 [height, width, 3], 0.25 um a pixel
>>> nuclei["x"], nuclei["y"], nuclei["score"]     # pixels, (0, 0) is the centre of the top left one

Everything is computed by the library that the program nucdet is made of, so that the numbers are the program's.
Errors: ValueError for arguments and arrays that do not fit, OSError for files (FileNotFoundError where there is none),
TypeError for types.
"""

from . import _processor

_processor.check()

from ._annotations import Annotations, read_annotations, read_nuclei, write_annotations, write_nuclei  # noqa: E402
from ._detector import NUCLEUS, Detector  # noqa: E402
from ._images import Picture, Slide, is_slide, openslide_version, read_image  # noqa: E402
from ._labels import class_map, disc_map, gaussian_map, proximity_map  # noqa: E402
from ._matching import ClassScore, Matching, Score, class_score, match, score  # noqa: E402
from ._nucdet import version as __version__  # noqa: E402
from ._training import Step, Validation, network_names, train  # noqa: E402
from ._weights import weights_file  # noqa: E402

__all__ = [
    "NUCLEUS",
    "Annotations",
    "ClassScore",
    "Detector",
    "Matching",
    "Picture",
    "Score",
    "Slide",
    "Step",
    "Validation",
    "__version__",
    "class_map",
    "class_score",
    "disc_map",
    "gaussian_map",
    "is_slide",
    "match",
    "network_names",
    "openslide_version",
    "proximity_map",
    "read_annotations",
    "read_image",
    "read_nuclei",
    "score",
    "train",
    "weights_file",
    "write_annotations",
    "write_nuclei",
]
