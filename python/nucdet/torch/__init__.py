"""nucdet's networks as PyTorch modules, and back.

>>> model = nucdet.torch.load("best.safetensors")        # an nn.Module in eval mode
>>> maps = model(model.prepare(image))["map"]            # [1, 1, height, width]
>>> nucdet.torch.save(model, "mine.safetensors")         # nucdet.Detector("mine.safetensors") loads it

The modules are the networks that the library has, with parameters of the same names; for the same input their maps are the
library's within 1e-5 of the largest value, with its exact kernels.
"""

from ._files import load, save
from ._networks import Network, build

__all__ = ["Network", "build", "load", "save"]
