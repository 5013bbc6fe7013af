"""Names of files for the library: bytes, as the system has them."""

import os

Path = str | os.PathLike[str]


def encoded(path: Path) -> bytes:
    return os.fsencode(path)


def refuse_existing(path: Path, overwrite: bool) -> None:
    """Raises FileExistsError for a file that is not to be replaced."""
    if not overwrite and os.path.lexists(path):
        raise FileExistsError(f"{os.fspath(path)}: is there already; overwrite=True replaces it")
