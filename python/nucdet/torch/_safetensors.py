"""The file format of weights: the length of a JSON header, the header, the elements."""

import json
import os
import struct
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TYPES: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F64": np.dtype("<f8"), "F16": np.dtype("<f2")}
_LONGEST_HEADER = 100_000_000


def read(path: str | os.PathLike[str]) -> tuple[dict[str, NDArray[np.float32]], dict[str, str]]:
    """Tensors, as float32, and metadata. Raises OSError for what is no such file."""
    data = Path(path).read_bytes()
    where = os.fspath(path)
    if len(data) < 8:
        raise OSError(f"{where}: {len(data)} bytes, wanted a safetensors file")
    (length,) = struct.unpack("<Q", data[:8])
    if length > min(len(data) - 8, _LONGEST_HEADER):
        raise OSError(f"{where}: a header of {length} bytes in a file of {len(data)}, wanted a safetensors file")
    try:
        header = json.loads(data[8 : 8 + length])
        metadata = {str(key): str(value) for key, value in header.pop("__metadata__", {}).items()}
        tensors = {name: _tensor(data, 8 + length, entry) for name, entry in header.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise OSError(f"{where}: is no safetensors file: {error}") from error
    return tensors, metadata


def _tensor(data: bytes, start: int, entry: Mapping[str, Any]) -> NDArray[np.float32]:
    begin, end = entry["data_offsets"]
    kind = _TYPES.get(str(entry["dtype"]))
    if kind is None:
        raise ValueError(f"a tensor of {entry['dtype']}, wanted {', '.join(_TYPES)}")
    values = np.frombuffer(data[start + begin : start + end], kind)
    shaped: NDArray[np.float32] = values.reshape(entry["shape"]).astype(np.float32)
    return shaped


def write(
    path: str | os.PathLike[str], tensors: Mapping[str, NDArray[np.float32]], metadata: Mapping[str, str]
) -> None:
    """Writes the file whole or not at all."""
    header: dict[str, object] = {"__metadata__": dict(metadata)}
    at = 0
    for name in sorted(tensors):
        size = tensors[name].nbytes
        header[name] = {"dtype": "F32", "shape": list(tensors[name].shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    target = Path(path)
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", suffix=".part", delete=False) as file:
        try:
            file.write(struct.pack("<Q", len(text)) + text)
            for name in sorted(tensors):
                file.write(np.ascontiguousarray(tensors[name], "<f4").tobytes())
            file.flush()
            os.fsync(file.fileno())
            os.chmod(file.name, 0o666 & ~_mask())
            os.replace(file.name, target)
        except BaseException:
            os.unlink(file.name)
            raise


def _mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
