#!/usr/bin/env python3
"""Writes layers.safetensors: single layers and small blocks, computed by PyTorch in double precision.

    /usr/bin/python3 tests/golden/make_layers.py        (Debian: python3-torch, python3-numpy)

What the file holds is in README.md. One thread and fixed seeds: the numbers repeat.
"""
import numpy as np
import torch
from torch import nn

from make_network import HERE, nhwc, write_safetensors


class LayerNorm(nn.Module):
    """Over the channels of each pixel."""

    def __init__(self, channels):
        super().__init__()
        self.norm = nn.LayerNorm(channels, eps=1e-5)

    def forward(self, x):
        return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class SqueezeExcite(nn.Module):
    """Hu et al. 2018, Fig. 2: x times sigmoid(W2 relu(W1 mean(x)))."""

    def __init__(self, channels, reduction):
        super().__init__()
        self.down, self.up = nn.Conv2d(channels, channels // reduction, 1), nn.Conv2d(channels // reduction, channels, 1)

    def forward(self, x):
        return x * torch.sigmoid(self.up(torch.relu(self.down(x.mean((2, 3), keepdim=True)))))


CASES = {  # name: module, shape of the input
    "dilated": (nn.Conv2d(3, 4, 3, padding=2, dilation=2), (2, 3, 9, 8)),
    "strided_dilated": (nn.Conv2d(3, 4, 3, stride=2, padding=2, dilation=3), (1, 3, 13, 12)),
    "rectangular": (nn.Conv2d(3, 4, (3, 1), stride=(1, 2), padding=(1, 0)), (2, 3, 6, 7)),
    "grouped": (nn.Conv2d(6, 4, 3, padding=1, groups=2), (2, 6, 5, 6)),
    "depthwise": (nn.Conv2d(6, 6, 5, padding=2, groups=6), (2, 6, 7, 5)),
    "depthwise_strided": (nn.Conv2d(5, 5, 3, stride=2, padding=1, groups=5, bias=False), (1, 5, 9, 7)),
    "gelu": (nn.GELU(), (2, 3, 5, 6)),
    "silu": (nn.SiLU(), (2, 3, 5, 6)),
    "group_norm": (nn.GroupNorm(3, 6, eps=1e-5), (2, 6, 4, 5)),
    "layer_norm": (LayerNorm(5), (2, 5, 4, 3)),
    "instance_norm": (nn.InstanceNorm2d(4, eps=1e-5, affine=True), (2, 4, 5, 3)),
    "batch_norm": (nn.BatchNorm2d(4, eps=1e-3, momentum=0.25), (2, 4, 5, 3)),
    "pixel_shuffle": (nn.PixelShuffle(2), (2, 8, 3, 4)),
    "global_average": (nn.AdaptiveAvgPool2d(1), (2, 5, 6, 7)),
    "global_maximum": (nn.AdaptiveMaxPool2d(1), (2, 5, 6, 7)),
    "squeeze_excite": (SqueezeExcite(8, 4), (2, 8, 5, 4)),
}


def named(net):
    """Parameters by role, in the order of their making: conv1.weight, norm1.bias."""
    tensors, counts = {}, {"conv": 0, "norm": 0}
    for layer in net.modules():
        kind = "conv" if isinstance(layer, nn.Conv2d) else "norm" if hasattr(layer, "eps") else None
        if kind is None:
            continue
        counts[kind] += 1
        for part, tensor in list(layer.named_parameters(recurse=False)) + list(layer.named_buffers(recurse=False)):
            if part != "num_batches_tracked":
                tensors[f"{kind}{counts[kind]}.{part}"] = tensor
    return tensors


def main():
    torch.set_num_threads(1)
    rng = np.random.default_rng(1207)
    tensors = {}
    for name, (net, shape) in CASES.items():
        net = net.double().train()
        with torch.no_grad():
            for part, t in named(net).items():
                wide = torch.from_numpy(rng.normal(0, 0.5, tuple(t.shape)))
                t.copy_(wide.abs() + 0.5 if part.endswith("var") else wide)
        tensors |= {f"{name}/weight/{n}": t.detach().clone() for n, t in named(net).items()}
        x = torch.from_numpy(rng.normal(0, 1.5, shape)).requires_grad_()
        y = net(x)
        dy = torch.from_numpy(rng.normal(0, 1, tuple(y.shape)))
        y.backward(dy)
        tensors |= {f"{name}/x": nhwc(x), f"{name}/y": nhwc(y), f"{name}/dy": nhwc(dy), f"{name}/dx": nhwc(x.grad)}
        for n, t in named(net).items():
            part = "after" if "running" in n else "gradient"
            tensors[f"{name}/{part}/{n}"] = t.detach().clone() if part == "after" else t.grad
    write_safetensors(HERE / "layers.safetensors", tensors, {"torch": torch.__version__})


if __name__ == "__main__":
    main()
