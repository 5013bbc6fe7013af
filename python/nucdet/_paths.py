"""Names of files for the library: bytes, as the system has them."""

import errno
import os

Path = str | os.PathLike[str]


def encoded(path: Path) -> bytes:
    return os.fsencode(path)


def existing(path: Path) -> bytes:
    """Of a file that is to be read: raises FileNotFoundError, with its number and name, where there is none."""
    os.stat(path)
    return os.fsencode(path)


def refuse_existing(path: Path, overwrite: bool) -> None:
    """Raises FileExistsError for a file that is not to be replaced."""
    if not overwrite and os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, "is there already; overwrite=True replaces it", os.fspath(path))
