"""The networks that whole slides are otherwise put through, built anew from what is published of their layers, with
random weights: forward passes only. Each is as fast as its description allows: what only training looks at is left
out, and up-sampling by repetition is PyTorch's own.

    python bench/peers/slide_networks.py      (parameters and FLOP of each)

Convolutions get He's scale, so that neither the activations nor their products fade to nothing.
"""
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import cat, nn


class Published(NamedTuple):
    """A shape is (images, pixels a side); `margin` is what a side loses from input to output, `stride` how far its
    authors' program moves from one patch to the next, or None where it may read tiles of any size."""
    name: str
    make: type
    um_per_pixel: float
    shapes: tuple
    margin: int
    stride: int | None

    def counted(self, shape):
        """Pixels of the output of all images."""
        images, side = shape
        return images * (side - self.margin) ** 2

    def new(self):
        """The part of a patch's output that the next one does not give again."""
        return 1 if self.stride is None else (self.stride / (self.shapes[0][1] - self.margin)) ** 2


def cropped(x, size):
    """The middle of a map."""
    top, left = (x.shape[2] - size[0]) // 2, (x.shape[3] - size[1]) // 2
    return x[:, :, top:top + size[0], left:left + size[1]]


def doubled(x):
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


# ---- StarDist -------------------------------------------------------------------------------------------------------

class StarDist(nn.Module):
    """2D_versatile_he: a U-Net on a grid of 2 x 2 pixels, 32 rays.

    U. Schmidt et al., Cell Detection with Star-convex Polygons, MICCAI 2018; widths and order of layers:
    github.com/stardist/stardist, models/model2d.py (Config2D) and github.com/CSBDeep/CSBDeep, internals/blocks.py
    (unet_block). QuPath's scripts run it at 0.5 um a pixel."""

    def __init__(self, base=32, depth=3, rays=32, features=128):
        super().__init__()
        widths = [base * 2**level for level in range(depth + 1)]
        self.to_grid = self.pair(3, base, base)
        self.down = nn.ModuleList(self.pair(a, b, b) for a, b in zip([base, *widths], widths[:-1]))
        self.middle = self.pair(widths[-2], widths[-1], widths[-2])
        self.up = nn.ModuleList(self.pair(2 * widths[level], widths[level], widths[max(0, level - 1)])
                                for level in reversed(range(depth)))
        self.features = nn.Conv2d(base, features, 3, padding=1)
        self.probability, self.distances = nn.Conv2d(features, 1, 1), nn.Conv2d(features, rays, 1)

    @staticmethod
    def pair(inputs, first, second):
        return nn.Sequential(nn.Conv2d(inputs, first, 3, padding=1), nn.ReLU(inplace=True),
                             nn.Conv2d(first, second, 3, padding=1), nn.ReLU(inplace=True))

    def forward(self, x):
        x = F.max_pool2d(self.to_grid(x), 2)
        skipped = []
        for pair in self.down:
            skipped.append(pair(x))
            x = F.max_pool2d(skipped[-1], 2)
        x = self.middle(x)
        for pair in self.up:
            x = pair(cat([doubled(x), skipped.pop()], 1))
        x = F.relu(self.features(x), inplace=True)
        return torch.sigmoid(self.probability(x)), self.distances(x)


# ---- HoVer-Net ------------------------------------------------------------------------------------------------------

def normalised(channels):
    return [nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]


class Residual(nn.Module):
    """Units of 1x1, 3x3, 1x1 with activation first; the last sum is normalised and activated."""

    def __init__(self, inputs, width, units, stride):
        super().__init__()
        outputs = 4 * width

        def unit(index):
            first, step = index == 0, stride if index == 0 else 1
            return nn.Sequential(
                *([] if first else normalised(outputs)), nn.Conv2d(inputs if first else outputs, width, 1, bias=False),
                *normalised(width), nn.ZeroPad2d((0, 1, 0, 1) if step == 2 else 1),
                nn.Conv2d(width, width, 3, step, bias=False), *normalised(width),
                nn.Conv2d(width, outputs, 1, bias=False))
        self.units = nn.ModuleList(unit(index) for index in range(units))
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
        self.last = nn.Sequential(*normalised(outputs))

    def forward(self, x):
        total = self.shortcut(x)
        for index, unit in enumerate(self.units):
            total = unit(x if index == 0 else total) + total
        return self.last(total)


class Dense(nn.Module):
    """Units of 1x1 and 3x3 in four groups, without padding; each adds 32 channels to the middle of what it saw."""

    def __init__(self, inputs, units):
        super().__init__()
        self.units = nn.ModuleList(
            nn.Sequential(*normalised(n), nn.Conv2d(n, 128, 1, bias=False), *normalised(128),
                          nn.Conv2d(128, 32, 3, groups=4, bias=False))
            for n in range(inputs, inputs + 32 * units, 32))
        self.last = nn.Sequential(*normalised(inputs + 32 * units))

    def forward(self, x):
        for unit in self.units:
            added = unit(x)
            x = cat([cropped(x, added.shape[2:]), added], 1)
        return self.last(x)


class HoVerNet(nn.Module):
    """Mode "fast" with the six types of PanNuke: 256 x 256 pixels give maps of 164 x 164, at 0.25 um a pixel.

    S. Graham et al., HoVer-Net, Medical Image Analysis 58 (2019); layers: github.com/vqdang/hover_net, models/hovernet,
    and the same in TIAToolbox, models/architecture/hovernet.py; patches: its pretrained_model.yaml."""

    def __init__(self, types=6):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 64, 7, padding=3, bias=False), *normalised(64))
        self.encoder = nn.ModuleList(Residual(*sizes) for sizes in (
            (64, 64, 3, 1), (256, 128, 4, 2), (512, 256, 6, 2), (1024, 512, 3, 2)))
        self.bottom = nn.Conv2d(2048, 1024, 1, bias=False)
        self.branches = nn.ModuleList(self.branch(outputs) for outputs in (types, 2, 2))  # type, pixel, distances

    @staticmethod
    def branch(outputs):
        def convolution(a, b, kernel, padding=0):
            return nn.Conv2d(a, b, kernel, padding=padding, bias=False)
        return nn.ModuleList([
            nn.Sequential(convolution(1024, 256, 3), Dense(256, 8), convolution(512, 512, 1)),
            nn.Sequential(convolution(512, 128, 3), Dense(128, 4), convolution(256, 256, 1)),
            nn.Sequential(convolution(256, 64, 3, 1), *normalised(64), nn.Conv2d(64, outputs, 1))])

    def forward(self, x):
        x = self.stem(x / 255.0)
        skipped = []
        for block in self.encoder:
            x = block(x)
            skipped.append(x)
        deepest = doubled(self.bottom(skipped.pop()))
        maps = []
        for branch in self.branches:
            x = branch[0](deepest + skipped[2])
            for convolutions, skip in zip(branch[1:], (skipped[1], skipped[0])):
                x = doubled(x)
                x = convolutions(x + cropped(skip, x.shape[2:]))
            maps.append(x)
        return tuple(maps)


# ---- MapDe ----------------------------------------------------------------------------------------------------------

class MapDe(nn.Module):
    """TIAToolbox's: Micro-Net, then a fixed cone of 11 x 11 pixels; 252 x 252 pixels at 0.5 um a pixel.

    S. E. A. Raza et al., Deconvolving convolutional neural network for cell detection, ISBI 2019, and Micro-Net,
    Medical Image Analysis 52 (2019); layers: github.com/TissueImageAnalytics/tiatoolbox, models/architecture/mapde.py
    and micronet.py; patches: its pretrained_model.yaml. The three auxiliary outputs, which nothing reads, are left
    out (8,070 parameters)."""

    def __init__(self, outputs=2):
        super().__init__()
        widths = (64, 128, 256, 512)
        self.down = nn.ModuleList(self.two(a, b, norm=True) for a, b in zip((3, 128, 256, 512), widths))
        self.resized = nn.ModuleList(self.two(3, width, norm=True) for width in widths)
        self.bottom = self.two(1024, 2048)
        self.up = nn.ModuleList(self.rise(width) for width in (1024, 512, 256, 128))
        self.scales = nn.ModuleList(
            nn.Sequential(nn.ConvTranspose2d(a, a // 2, s, s), nn.Conv2d(a // 2, a // 2, 3), nn.ReLU(inplace=True))
            for a, s in ((128, 2), (256, 4), (512, 8)))
        self.out = nn.Conv2d(64 + 128 + 256, outputs, 3)
        y, x = torch.meshgrid(torch.arange(-5.0, 6), torch.arange(-5.0, 6), indexing="ij")
        self.register_buffer("cone", (1 - torch.hypot(y, x) / 5).clamp(min=0).expand(1, outputs, 11, 11).clone())

    @staticmethod
    def two(inputs, width, norm=False):
        return nn.Sequential(nn.Conv2d(inputs, width, 3), nn.Tanh(), *([nn.BatchNorm2d(width)] if norm else []),
                             nn.Conv2d(width, width, 3), nn.Tanh())

    @staticmethod
    def rise(width):
        return nn.ModuleDict({
            "up": nn.ConvTranspose2d(2 * width, width, 2, 2), "convolutions": MapDe.two(width, width),
            "own": nn.ConvTranspose2d(width, width, 5), "skipped": nn.ConvTranspose2d(width, width, 5),
            "merge": nn.Sequential(nn.Conv2d(2 * width, width, 1), nn.Tanh())})

    def forward(self, image):
        x, skipped, decoded = image, [], []
        for down, resized, size in zip(self.down, self.resized, (128, 64, 32, 16)):
            small = F.interpolate(image, size=(size, size), mode="bicubic", align_corners=False)
            x = cat([F.max_pool2d(down(x), 2), resized(small)], 1)
            skipped.append(x)
        x = self.bottom(x)
        for rise in self.up:
            x = rise["own"](rise["convolutions"](rise["up"](x)))
            x = rise["merge"](cat([x, rise["skipped"](skipped.pop())], 1))
            decoded.append(x)
        scales = [scale(x) for scale, x in zip(self.scales, reversed(decoded))]
        x = F.relu(self.out(cat(scales, 1)))
        return F.relu(F.conv2d(x, self.cone, padding=5))


# ---- all of them ----------------------------------------------------------------------------------------------------

PUBLISHED = {p.name: p for p in (
    Published("StarDist", StarDist, 0.5, ((1, 1024), (4, 512)), 0, None),
    Published("HoVer-Net", HoVerNet, 0.25, ((1, 256), (4, 256), (1, 512)), 92, 164),
    Published("MapDe", MapDe, 0.5, ((1, 252), (4, 252)), 0, 150))}


def network(name, seed=1):
    torch.manual_seed(seed)
    net = PUBLISHED[name].make().eval()
    for layer in net.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return net


def image(shape, seed=1):
    """[N, 3, H, W], in units of a standard deviation."""
    return torch.randn(shape[0], 3, shape[1], shape[1], generator=torch.Generator().manual_seed(seed))


def cost(name):
    """Parameters, and FLOP a pixel of output, in the smallest shape: of all convolutions that learn, two for a
    multiplication and an addition, bias not counted. Computes nothing (PyTorch's device "meta")."""
    published, total = PUBLISHED[name], 0
    shape = (1, min(side for _, side in published.shapes))

    def add(layer, inputs, output):
        nonlocal total
        places = output if isinstance(layer, nn.Conv2d) else inputs[0]
        total += 2 * layer.weight[0].numel() * places.numel()
    with torch.device("meta"), torch.no_grad():
        net = published.make().eval()
        for layer in net.modules():
            if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
                layer.register_forward_hook(add)
        net(torch.empty(1, 3, shape[1], shape[1]))
    return sum(p.numel() for p in net.parameters()), total / published.counted(shape)


def main():
    print("| network | parameters | GFLOP a megapixel of output | um a pixel |\n" + "|---" * 4 + "|")
    for name, published in PUBLISHED.items():
        parameters, flop = cost(name)
        print(f"| {name} | {parameters:,} | {1e-3 * flop:.0f} | {published.um_per_pixel} |")


if __name__ == "__main__":
    main()
