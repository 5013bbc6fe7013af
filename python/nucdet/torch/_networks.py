"""The networks that the library has by name, as its weight files name them."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from .. import _nucdet
from .._images import ArrayImage, as_pixels
from ._blocks import (
    Conv,
    Last,
    LiteUp,
    Maps,
    Norm,
    PreActivations,
    ResidualDown,
    ResidualUp,
    Stack,
    Units,
    UpUnit,
    enlarged,
    match_size,
    norm_of,
)


class Network(nn.Module):
    """A network of named blocks: normalised images [N, 3, height, width] -> its outputs by name, each [N, maps, height,
    width], any height and width from 16 on (FCN-8s: 32). The library shows a network multiples of 16 (32), reflected."""

    metadata: dict[str, str]
    """What the weight file says: network, normalisation, thresholds, training data, licence."""

    def __init__(self, metadata: Mapping[str, str]) -> None:
        super().__init__()
        self.metadata = dict(metadata)

    def prepare(
        self, image: NDArray[Any] | ArrayImage, statistics: tuple[NDArray[Any], NDArray[Any]] | None = None
    ) -> Tensor:
        """An image of 0.25 um a pixel as [1, 3, height, width], normalised. Its pixels are read as Detector.detect reads
        them: grey, alpha, 10 to 16 bits, floats to 1 or 255.

        statistics: mean and deviation of each channel, as nucdet.Detector.statistics gives them; None: the constants of
        the model. Raises ValueError for what is no image, and where it normalises by the image and none are given.
        """
        mean, deviation = statistics if statistics is not None else self._constants()
        values = (_nucdet.float_pixels(as_pixels(image)) - np.float32(mean)) / np.float32(deviation)
        like = next(self.parameters())
        return torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1)[None])).to(like.device, like.dtype)

    def _constants(self) -> tuple[NDArray[Any], NDArray[Any]]:
        if self.metadata.get("normalization") != "fixed":
            raise ValueError(
                "prepare: this model normalises by the image: give statistics=nucdet.Detector(weights).statistics(image)"
            )
        mean, deviation = (
            np.array([float(v) for v in self.metadata[f"normalization.{name}"].split()])
            for name in ("mean", "deviation")
        )
        return mean, deviation


class MicroNet(Network):
    """Xing et al. 2019, as the first author's later release has it, or ("micronet-paper") in the paper's words."""

    def __init__(self, metadata: Mapping[str, str], b: int, maps: int, norm: Norm, context: str, paper: bool) -> None:
        super().__init__(metadata)
        before, after = (0.0, 0.5) if paper else (0.5, 0.0)
        self.add_module("in", Stack([Conv(3, b)], norm))
        self.down1 = ResidualDown(b, 2 * b, 1, norm)
        self.down2 = ResidualDown(2 * b, 4 * b, 2, norm)
        self.down3 = ResidualDown(4 * b, 8 * b, 2, norm, before=before, after=after)
        self.down4 = ResidualDown(8 * b, 8 * b, 2, norm, before=before, after=after)
        self.up1 = ResidualUp(8 * b, 8 * b, 2, norm)
        self.up2 = ResidualUp(16 * b, 4 * b, 2, norm)
        self.up3 = ResidualUp(8 * b, 2 * b, 1, norm)
        self.up4 = ResidualUp(4 * b, b, 1, norm)
        taps = [(16, 8 * b), (8, 8 * b), (4, 4 * b)] if paper else [(8, 16 * b), (4, 8 * b)]
        self.contexts = [f"ctx{factor}" for factor, _ in taps]
        for factor, channels in taps:
            self.add_module(f"ctx{factor}", UpUnit(channels, 2 * b, factor, norm, context))
        self.out = Maps(2 * b + 2 * b * len(taps), b, maps, norm, kernel=5)
        self.paper = paper

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        first = getattr(self, "in")(x)
        d1 = self.down1(first)
        d2 = self.down2(d1)
        d3 = self.down3(d2)
        d4 = self.down4(d3)
        u1 = self.up1(d4, d3)
        u2 = self.up2(u1, d2)
        u4 = self.up4(self.up3(u2, d1), first)
        sources = (d4, d3, d2) if self.paper else (u1, u2)
        contexts = [getattr(self, name)(source) for name, source in zip(self.contexts, sources, strict=True)]
        return {"map": self.out(u4, *contexts)}


class MicroNetLite(Network):
    """MicroNet's blocks at half resolution, with or without classes of nuclei."""

    def __init__(self, metadata: Mapping[str, str], b: int, maps: int, classes: int, norm: Norm) -> None:
        super().__init__(metadata)
        self.add_module("in", ResidualDown(3, b, 1, norm, kernel=5))
        self.down1 = ResidualDown(b, 2 * b, 2, norm)
        self.down2 = ResidualDown(2 * b, 4 * b, 2, norm, before=0.2)
        self.down3 = ResidualDown(4 * b, 4 * b, 2, norm, before=0.2)
        self.up1 = LiteUp(4 * b, 4 * b, 2, norm)
        self.up2 = LiteUp(4 * b, 2 * b, 2, norm)
        self.up3 = LiteUp(2 * b, b, 1, norm)
        self.ctx8 = UpUnit(4 * b, b // 2, 4, norm, "bilinear")
        self.ctx4 = UpUnit(2 * b, b // 2, 2, norm, "bilinear")
        self.out = Maps(b + 2 * (b // 2), b // 2, maps, norm)
        self.classes = classes
        if classes > 0:
            self.class8 = UpUnit(4 * b, b, 4, norm, "bilinear")
            self.class4 = UpUnit(2 * b, b, 2, norm, "bilinear")
            self.add_module("class", Maps(3 * b, b, classes, norm))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        half = getattr(self, "in")(x)
        quarter = self.down1(half)
        eighth = self.down2(quarter)
        u1 = self.up1(self.down3(eighth), eighth)
        u2 = self.up2(u1, quarter)
        u3 = self.up3(u2, half)
        outputs = {"map": match_size(enlarged(self.out(u3, self.ctx8(u1), self.ctx4(u2)), 2), x)}
        if self.classes > 0:
            scores = getattr(self, "class")(u3, self.class8(u1), self.class4(u2))
            outputs["classes"] = match_size(enlarged(scores, 2), x)
        return outputs


class Frcn(Network):
    """Xie et al. 2018, Medical Image Analysis 44: encoder and decoder of residual blocks."""

    def __init__(self, metadata: Mapping[str, str], b: int, maps: int, norm: Norm) -> None:
        super().__init__(metadata)

        def block(inputs: int, outputs: int, *steps: str) -> PreActivations:
            return PreActivations(inputs, outputs, steps, norm, 0.33)

        def up(inputs: int, outputs: int) -> PreActivations:
            return PreActivations(inputs, outputs, ("project", "residual"), norm, 0.33, F.relu)

        self.block1 = block(3, b, "project", "residual")
        self.block2 = block(b, 2 * b, "project", "residual", "pool", "residual")
        self.block3 = block(2 * b, 4 * b, "project", "pool", "residual")
        self.block4 = block(4 * b, 8 * b, "project", "pool", "residual")
        self.block5 = block(8 * b, 8 * b, "pool", "residual")
        self.up1, self.up2, self.up3, self.up4 = up(8 * b, 8 * b), up(8 * b, 4 * b), up(4 * b, 2 * b), up(2 * b, b)
        self.out = PreActivations(b, maps, ("project",), norm)
        self.maps = maps

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        levels = []
        for down in (self.block1, self.block2, self.block3, self.block4, self.block5):
            x = down(x)
            levels.append(x)
        for up, like in zip((self.up1, self.up2, self.up3, self.up4), levels[3::-1], strict=True):
            x = up(match_size(enlarged(x, 2), like))
        x = self.out(x)
        return {"map": F.relu(x) if self.maps == 1 else x}


class Fcrn(Network):
    """FCRN-A and FCRN-B of Xie, Noble and Zisserman 2018: pooled levels, and their sizes restored.

    down: of each level the convolutions, (filters over b, kernel); up: those behind an up-sampling, "out" the last."""

    _Plan = list[tuple[str, list[tuple[int, int]]]]
    PLANS: Mapping[str, tuple[_Plan, _Plan]] = {
        "fcrn-a": (
            [("conv1", [(1, 3)]), ("conv2", [(2, 3)]), ("conv3", [(4, 3)]), ("conv4", [(16, 3)])],
            [("up1", [(4, 3)]), ("up2", [(2, 3)]), ("up3", [(1, 3)])],
        ),
        "fcrn-b": (
            [("conv1", [(1, 3), (2, 3)]), ("conv2", [(4, 3), (8, 3)]), ("conv3", [(8, 5)])],
            [("up1", [(8, 5)])],
        ),
        "fcrn-b-alt": (
            [("conv1", [(1, 3), (2, 3)]), ("conv2", [(4, 3), (8, 5)]), ("conv3", [(8, 3)])],
            [("up1", [(8, 5)])],
        ),
    }
    _LAST = {"fcrn-a": 1, "fcrn-b": 5, "fcrn-b-alt": 1}

    def __init__(self, metadata: Mapping[str, str], name: str, b: int, maps: int, norm: Norm) -> None:
        super().__init__(metadata)
        down, up = self.PLANS[name]
        channels = 3
        for block, convolutions in down + up:
            layers = []
            for filters, kernel in convolutions:
                layers.append(Conv(channels, filters * b, kernel, bias=False))
                channels = filters * b
            self.add_module(block, Stack(layers, norm, F.relu))
        self.out = Last(channels, maps, self._LAST[name], bias=False)
        self.down, self.up = [block for block, _ in down], [block for block, _ in up]

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        levels: list[Tensor] = []
        for name in self.down:
            x = getattr(self, name)(F.max_pool2d(x, 2) if levels else x)
            levels.append(x)
        below = levels[-2::-1]
        for name, like in zip(self.up, below, strict=False):
            x = getattr(self, name)(match_size(enlarged(x, 2), like))
        if len(below) > len(self.up):  # FCRN-B: the last convolution stands behind an up-sampling
            x = match_size(enlarged(x, 2), below[-1])
        return {"map": self.out(x)}


class UpLevel(Units):
    """U-Net's: x up-sampled by a 2x2 transposed convolution beside the encoder's map, then two units."""

    def __init__(self, inputs: int, outputs: int, norm: Norm) -> None:
        super().__init__([Conv(2 * outputs, outputs), Conv(outputs, outputs)], norm, F.relu)
        self.tconv1 = nn.ConvTranspose2d(inputs, outputs, 2, 2)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.units(torch.cat([match_size(self.tconv1(x), skip), skip], 1))


class UNet(Network):
    """Ronneberger et al. 2015, padded."""

    def __init__(self, metadata: Mapping[str, str], b: int, maps: int, norm: Norm) -> None:
        super().__init__(metadata)

        def level(inputs: int, outputs: int) -> Stack:
            return Stack([Conv(inputs, outputs), Conv(outputs, outputs)], norm, F.relu)

        self.down1, self.down2 = level(3, b), level(b, 2 * b)
        self.down3, self.down4 = level(2 * b, 4 * b), level(4 * b, 8 * b)
        self.bottom = level(8 * b, 16 * b)
        self.up1, self.up2 = UpLevel(16 * b, 8 * b, norm), UpLevel(8 * b, 4 * b, norm)
        self.up3, self.up4 = UpLevel(4 * b, 2 * b, norm), UpLevel(2 * b, b, norm)
        self.out = Last(b, maps)
        self.drop = nn.Dropout2d(0.5)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        skips = [self.down1(x)]
        for down in (self.down2, self.down3):
            skips.append(down(F.max_pool2d(skips[-1], 2)))
        skips.append(self.drop(self.down4(F.max_pool2d(skips[-1], 2))))
        x = self.drop(self.bottom(F.max_pool2d(skips[-1], 2)))
        for up in (self.up1, self.up2, self.up3, self.up4):
            x = up(x, skips.pop())
        return {"map": self.out(x)}


class Score(Units):
    """FCN-8s's layers that were fully connected, and the scores."""

    def __init__(self, inputs: int, hidden: int, maps: int, norm: Norm) -> None:
        super().__init__([Conv(inputs, hidden, 7), Conv(hidden, hidden, 1)], norm, F.relu)
        self.conv3 = Conv(hidden, maps, 1)
        self.drop = nn.Dropout2d(0.5)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.conv3(self.drop(self.units(self.drop(self.units(x, 0, 1)), 1)))
        return scores


class Fcn8s(Network):
    """Long, Shelhamer and Darrell 2015, on VGG-16, padded by one pixel."""

    def __init__(self, metadata: Mapping[str, str], b: int, maps: int, norm: Norm) -> None:
        super().__init__(metadata)
        channels, hidden = 3, 64 * b
        for i, (times, filters) in enumerate(((2, b), (2, 2 * b), (3, 4 * b), (3, 8 * b), (3, 8 * b))):
            layers = [Conv(channels if k == 0 else filters, filters) for k in range(times)]
            self.add_module(f"pool{i + 1}", Stack(layers, norm, F.relu))
            channels = filters
        self.score = Score(8 * b, hidden, maps, norm)
        self.fuse4, self.fuse3 = Last(8 * b, maps), Last(4 * b, maps)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        image, pools = x, []
        for i in range(5):
            x = F.max_pool2d(getattr(self, f"pool{i + 1}")(x), 2)
            pools.append(x)
        x = self.score(x)
        for fuse, pool in ((self.fuse4, pools[3]), (self.fuse3, pools[2])):
            finer = fuse(pool)
            x = match_size(enlarged(x, 2), finer) + finer
        return {"map": match_size(enlarged(x, 8), image)}


def build(metadata: Mapping[str, str]) -> Network:
    """The network that the metadata of a weight file name ("network", "network.base", ...), with weights as PyTorch draws
    them. Raises ValueError for one that is not known."""
    name = metadata.get("network", "")
    base, maps = int(metadata.get("network.base", "32")), int(metadata.get("network.maps", "1"))
    classes, context = int(metadata.get("network.classes", "0")), metadata.get("network.context", "sparse3")
    norm = norm_of(metadata.get("network.norm", "batch"))
    made: dict[str, Callable[[], Network]] = {
        "micronet": lambda: MicroNet(metadata, base, maps, norm, context, paper=False),
        "micronet-paper": lambda: MicroNet(metadata, base, maps, norm, context, paper=True),
        "micronet-lite": lambda: MicroNetLite(metadata, base, maps, classes, norm),
        "frcn": lambda: Frcn(metadata, base, maps, norm),
        "unet": lambda: UNet(metadata, base, maps, norm),
        "fcn8s": lambda: Fcn8s(metadata, base, maps, norm),
        **{plan: partial(Fcrn, metadata, plan, base, maps, norm) for plan in Fcrn.PLANS},
    }
    if name not in made:
        raise ValueError(f"nucdet.torch: the network {name!r} is not known; there are: {', '.join(made)}")
    return made[name]()
