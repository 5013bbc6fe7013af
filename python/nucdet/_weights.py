"""The weights that come along."""

import os
from pathlib import Path

FOLDER = Path(__file__).with_name("weights")


def weights_file(name: str = "nuclei-he") -> Path:
    """The file of weights that come with nucdet: "nuclei-he" finds nuclei, "nuclei-he-classes" tells three classes of them.

    Raises FileNotFoundError for another name.
    """
    file = FOLDER / f"{name}.safetensors"
    if not file.is_file():
        there = ", ".join(sorted(f.stem for f in FOLDER.glob("*.safetensors"))) or "none"
        raise FileNotFoundError(f"no weights are called {name!r}; there are: {there}")
    return file


def default_weights() -> Path:
    """What NUCDET_MODEL names in the environment, else nuclei-he."""
    named = os.environ.get("NUCDET_MODEL")
    return Path(named) if named else weights_file()
