"""Where OpenSlide is: the system's library, or that of the package openslide-bin. It is sought when a slide is opened."""

import importlib.util
import os
import threading
from pathlib import Path

from . import _nucdet

_lock = threading.Lock()
_sought = False


def prepare() -> None:
    """Lets the library open OpenSlide from where NUCDET_OPENSLIDE says, or from openslide-bin if that is installed."""
    global _sought
    with _lock:  # who comes second waits for what the first one finds
        if not _sought:
            _seek()
            _sought = True  # an error is the same each time


def _seek() -> None:
    named = os.environ.get("NUCDET_OPENSLIDE")
    if named:
        _nucdet.use_openslide(os.fsencode(named))
        return
    package = importlib.util.find_spec("openslide_bin")
    for folder in (package.submodule_search_locations or []) if package is not None else []:
        for file in sorted(Path(folder).glob("libopenslide.so*")):
            _nucdet.use_openslide(os.fsencode(file))
            return
