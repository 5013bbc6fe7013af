"""Weight files as modules, and modules as weight files."""

import os
from pathlib import Path

import torch

from .._paths import refuse_existing
from .._weights import default_weights
from . import _safetensors
from ._networks import Network, build


def load(weights: str | os.PathLike[str] | None = None) -> Network:
    """The network of a weight file or checkpoint that nucdet trained, in eval mode, on the host; None: as nucdet.Detector.

    Raises OSError for a file that is none, ValueError for tensors that do not fit its network.
    """
    file = default_weights() if weights is None else Path(weights)
    tensors, metadata = _safetensors.read(file)
    if any(name.startswith("optimizer") for name in tensors):  # a checkpoint holds more than weights
        tensors = {name[len("weight/") :]: t for name, t in tensors.items() if name.startswith("weight/")}
    network = build(metadata)
    try:
        network.load_state_dict({name: torch.from_numpy(values) for name, values in tensors.items()})
    except RuntimeError as error:
        raise ValueError(f"{file}: {error}") from error
    return network.eval()


def save(network: Network, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Writes weights that nucdet loads, with network.metadata, where thresholds ("peaks.threshold") may be changed.

    Raises FileExistsError unless overwrite, ValueError for parameters that are not finite.
    """
    refuse_existing(path, overwrite)
    tensors = {
        name: tensor.detach().to("cpu", torch.float32).numpy()
        for name, tensor in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    for name, tensor in network.state_dict().items():
        if not bool(torch.isfinite(tensor).all()):
            raise ValueError(f"save: {name} is not finite")
    _safetensors.write(path, tensors, network.metadata)
