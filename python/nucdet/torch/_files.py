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
    """Writes weights that nucdet loads, with network.metadata, where thresholds ("peaks.threshold") may be changed. What
    torch.compile made of a network is saved as the network.

    Raises FileExistsError unless overwrite, ValueError for parameters that are not finite or not those of the network that
    the metadata name, and for metadata that are neither text nor numbers.
    """
    refuse_existing(path, overwrite)
    metadata = {name: _text(name, value) for name, value in network.metadata.items()}
    tensors = _parameters(network)
    for name, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            raise ValueError(f"save: {name} is not finite")
    wanted = _parameters(build(metadata))
    for name in [*wanted, *tensors]:
        there, should = (list(of[name].shape) if name in of else None for of in (tensors, wanted))
        if there != should:
            raise ValueError(f"save: {name} is {there or 'missing'}, wanted {should or 'none of that name'}, by the metadata")
    _safetensors.write(path, {name: tensor.to("cpu", torch.float32).numpy() for name, tensor in tensors.items()}, metadata)


def _parameters(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """By the names of the library; torch.compile puts a word of its own before them."""
    state = {name.replace("_orig_mod.", ""): tensor.detach() for name, tensor in network.state_dict().items()}
    return {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}


def _text(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return repr(float(value)) if isinstance(value, float) else str(int(value))
    raise ValueError(f"save: metadata[{name!r}] is {value!r}, wanted text or a number")
