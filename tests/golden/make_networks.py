#!/usr/bin/env python3
"""Writes the golden values of the networks beside MicroNet, computed by PyTorch in double precision.

    /usr/bin/python3 tests/golden/make_networks.py        (Debian: python3-torch, python3-numpy)

What the files hold is in README.md. The modules are written from the papers' descriptions, apart from the library's
compositions. One thread and fixed seeds: the numbers repeat.
"""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from make_network import HERE, HalvingConv, match_size, nhwc, uneven, write_safetensors


class Blocks(nn.Module):
    """A network of named blocks, whose parameters are named by role in the block, in the order of their making."""

    def __init__(self, **blocks):
        super().__init__()
        self.blocks = nn.ModuleDict(blocks)

    def __getitem__(self, name):
        return self.blocks[name]

    def named(self):
        tensors = {}
        for block, module in self.blocks.items():
            counts = {"conv": 0, "tconv": 0, "norm": 0}
            for layer in module.modules():
                kind = next((k for t, k in ((nn.BatchNorm2d, "norm"), (nn.ConvTranspose2d, "tconv"),
                                            (nn.Conv2d, "conv")) if isinstance(layer, t)), None)
                if kind is None:
                    continue
                counts[kind] += 1
                role = f"{block}.{kind}{counts[kind]}"
                tensors[f"{role}.weight"] = layer.weight
                if layer.bias is not None:
                    tensors[f"{role}.bias"] = layer.bias
                if kind == "norm":
                    tensors[f"{role}.running_mean"] = layer.running_mean
                    tensors[f"{role}.running_var"] = layer.running_var
        return tensors


def conv(inputs, outputs, kernel=3, bias=True):
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=bias)


def norm(channels):
    return nn.BatchNorm2d(channels, eps=1e-5, momentum=0.1)


def bilinear(x, factor):
    return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)


# ---- FRCN (Xie et al. 2018, Medical Image Analysis) ----------------------------------------------------------------

SCALE = float(np.float32(0.3))  # the library keeps settings in single precision


class PreActivation(nn.Module):
    """x + 0.3 (conv(elu(norm(.))) twice)."""

    def __init__(self, c):
        super().__init__()
        self.norm1, self.conv1, self.norm2, self.conv2 = norm(c), conv(c, c), norm(c), conv(c, c)

    def forward(self, x):
        y = self.conv1(F.elu(self.norm1(x)))
        return x + SCALE * self.conv2(F.elu(self.norm2(y)))


def project(inputs, outputs, activation=nn.ELU):
    return nn.Sequential(norm(inputs), activation(), conv(inputs, outputs, 1))


class Frcn(Blocks):
    def __init__(self, b, inputs=3):
        pool = nn.MaxPool2d(2)
        up = lambda i, o: nn.Sequential(project(i, o, nn.ReLU), PreActivation(o))
        super().__init__(
            block1=nn.Sequential(project(inputs, b), PreActivation(b)),
            block2=nn.Sequential(project(b, 2 * b), PreActivation(2 * b), pool, PreActivation(2 * b)),
            block3=nn.Sequential(project(2 * b, 4 * b), pool, PreActivation(4 * b)),
            block4=nn.Sequential(project(4 * b, 8 * b), pool, PreActivation(8 * b)),
            block5=nn.Sequential(pool, PreActivation(8 * b)),
            up1=up(8 * b, 8 * b), up2=up(8 * b, 4 * b), up3=up(4 * b, 2 * b), up4=up(2 * b, b),
            out=nn.Sequential(project(b, 1), nn.ReLU()))

    def forward(self, x):
        levels = []
        for name in ("block1", "block2", "block3", "block4", "block5"):
            x = self[name](x)
            levels.append(x)
        for name, like in zip(("up1", "up2", "up3", "up4"), levels[3::-1]):
            x = self[name](match_size(bilinear(x, 2), like))
        return self["out"](x)


# ---- FCRN-A, FCRN-B (Xie, Noble and Zisserman 2018) -----------------------------------------------------------------

def unit(inputs, outputs, kernel=3):
    return nn.Sequential(conv(inputs, outputs, kernel, bias=False), norm(outputs), nn.ReLU())


class Density(Blocks):
    """An encoder of pooled levels and a decoder that restores their sizes; `last` maps to the density."""

    def __init__(self, down, up, last):
        self.depth = len(down)
        blocks = {f"conv{i + 1}": block for i, block in enumerate(down)}
        blocks.update({f"up{i + 1}": block for i, block in enumerate(up)})
        super().__init__(**blocks, out=last)

    def forward(self, x):
        levels = []
        for i in range(self.depth):
            x = self[f"conv{i + 1}"](F.max_pool2d(x, 2) if i > 0 else x)
            levels.append(x)
        ups = [name for name in self.blocks if name.startswith("up")]
        ups += ["out"] if len(ups) < self.depth - 1 else []  # FCRN-B: the last convolution is behind an up-sampling
        for name, like in zip(ups, levels[-2::-1]):
            x = self[name](match_size(bilinear(x, 2), like))
        return x if ups[-1] == "out" else self["out"](x)


def fcrn_a(b):
    return Density([unit(3, b), unit(b, 2 * b), unit(2 * b, 4 * b), unit(4 * b, 16 * b)],
                   [unit(16 * b, 4 * b), unit(4 * b, 2 * b), unit(2 * b, b)], conv(b, 1, 1, bias=False))


def fcrn_b(b, variant):
    second, third, last = {"a": (3, 5, 5), "b": (5, 3, 1)}[variant]
    return Density([nn.Sequential(unit(3, b), unit(b, 2 * b)),
                    nn.Sequential(unit(2 * b, 4 * b), unit(4 * b, 8 * b, second)), unit(8 * b, 8 * b, third)],
                   [unit(8 * b, 8 * b, 5)], conv(8 * b, 1, last, bias=False))


# ---- pixel classifiers ----------------------------------------------------------------------------------------------

def relu_unit(inputs, outputs, kernel, with_norm):
    return nn.Sequential(conv(inputs, outputs, kernel), *([norm(outputs)] if with_norm else []), nn.ReLU())


class UNet(Blocks):
    def __init__(self, b, with_norm, inputs=1):
        level = lambda i, o: nn.Sequential(relu_unit(i, o, 3, with_norm), relu_unit(o, o, 3, with_norm))
        up = lambda i, o: nn.ModuleList([nn.ConvTranspose2d(i, o, 2, 2), level(2 * o, o)])
        super().__init__(
            down1=level(inputs, b), down2=level(b, 2 * b), down3=level(2 * b, 4 * b), down4=level(4 * b, 8 * b),
            bottom=level(8 * b, 16 * b), up1=up(16 * b, 8 * b), up2=up(8 * b, 4 * b), up3=up(4 * b, 2 * b),
            up4=up(2 * b, b), out=conv(b, 2, 1))

    def forward(self, x):
        skips = []
        for name in ("down1", "down2", "down3", "down4"):
            skips.append(self[name](x))
            x = F.max_pool2d(skips[-1], 2)
        x = self["bottom"](x)
        for name in ("up1", "up2", "up3", "up4"):
            skip = skips.pop()
            x = self[name][1](torch.cat([match_size(self[name][0](x), skip), skip], 1))
        return self["out"](x)


class Fcn8s(Blocks):
    """Long, Shelhamer and Darrell 2015, on the convolutions of VGG-16; pixels are padded by one, not a hundred."""

    def __init__(self, b, hidden, maps, with_norm, inputs=1):
        blocks = {}
        for i, (times, channels) in enumerate(((2, b), (2, 2 * b), (3, 4 * b), (3, 8 * b), (3, 8 * b))):
            layers = []
            for _ in range(times):
                layers.append(relu_unit(inputs, channels, 3, with_norm))
                inputs = channels
            blocks[f"pool{i + 1}"] = nn.Sequential(*layers, nn.MaxPool2d(2))
        super().__init__(**blocks, score=nn.Sequential(relu_unit(8 * b, hidden, 7, with_norm),
                                                       relu_unit(hidden, hidden, 1, with_norm), conv(hidden, maps, 1)),
                         fuse4=conv(8 * b, maps, 1), fuse3=conv(4 * b, maps, 1))

    def forward(self, x):
        image, pools = x, []
        for i in range(5):
            x = self[f"pool{i + 1}"](x)
            pools.append(x)
        x = self["score"](x)
        for name, pool in (("fuse4", pools[3]), ("fuse3", pools[2])):
            finer = self[name](pool)
            x = match_size(bilinear(x, 2), finer) + finer
        return match_size(bilinear(x, 8), image)


# ---- MicroNetLite ---------------------------------------------------------------------------------------------------

class HalvingConv5(nn.Conv2d):
    """5x5, stride 2, padding 2 before: n -> floor(n / 2)."""

    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs, 5, stride=2)

    def forward(self, x):
        return super().forward(F.pad(x, (2, 1, 2, 1)))


def elu_unit(layer):
    return nn.Sequential(layer, norm(layer.out_channels), nn.ELU())


class Residual(nn.Module):
    """elu(x + n units of x), behind a first block."""

    def __init__(self, first, channels, count):
        super().__init__()
        self.first = first
        self.body = nn.Sequential(*(elu_unit(conv(channels, channels)) for _ in range(count)))

    def forward(self, x, skip=None):
        x = self.first(x)
        if skip is not None:
            x = match_size(bilinear(x, 2), skip) + skip
        return F.elu(x + self.body(x))


class MicroNetLite(Blocks):
    def __init__(self, b):
        down = lambda i, o: Residual(elu_unit(HalvingConv(i, o)), o, 2)
        up = lambda i, o, count: Residual(elu_unit(conv(i, o, 1)), o, count)
        super().__init__(**{"in": Residual(elu_unit(HalvingConv5(3, b)), b, 1)},
                         down1=down(b, 2 * b), down2=down(2 * b, 4 * b), down3=down(4 * b, 4 * b),
                         up1=up(4 * b, 4 * b, 2), up2=up(4 * b, 2 * b, 2), up3=up(2 * b, b, 1),
                         ctx8=elu_unit(conv(4 * b, b // 2, 1)), ctx4=elu_unit(conv(2 * b, b // 2, 1)),
                         out=nn.Sequential(elu_unit(conv(2 * b, b // 2)), conv(b // 2, 1, 1)))

    def forward(self, x):
        half = self["in"](x)
        quarter = self["down1"](half)
        eighth = self["down2"](quarter)
        u1 = self["up1"](self["down3"](eighth), eighth)
        u2 = self["up2"](u1, quarter)
        u3 = self["up3"](u2, half)
        context = [match_size(bilinear(self["ctx8"](u1), 4), u3), match_size(bilinear(self["ctx4"](u2), 2), u3)]
        return match_size(bilinear(self["out"](torch.cat([u3, *context], 1)), 2), x)


# ---- Attention U-Net (Oktay et al. 2018), with 2D maps and batch norm -------------------------------------------------

class AttentionGate(nn.Module):
    """x weighted by sigmoid(psi(relu(W_x x + W_g g))), computed on g's grid, which is half as fine, and brought up."""

    def __init__(self, c, below, hidden):
        super().__init__()
        self.of_x = nn.Conv2d(c, hidden, 2, stride=2, bias=False)
        self.of_g, self.psi = conv(below, hidden, 1), conv(hidden, 1, 1)

    def forward(self, x, g):
        alpha = torch.sigmoid(self.psi(F.relu(match_size(self.of_x(x), g) + self.of_g(g))))
        return x * match_size(bilinear(alpha, 2), x)


class AttentionUNet(Blocks):
    def __init__(self, b, maps):
        level = lambda i, o: nn.Sequential(conv(i, o), norm(o), nn.ReLU(), conv(o, o), norm(o), nn.ReLU())
        up = lambda i, o: nn.Sequential(nn.ConvTranspose2d(i, o, 2, 2), level(2 * o, o))
        super().__init__(down1=level(3, b), down2=level(b, 2 * b), down3=level(2 * b, 4 * b), down4=level(4 * b, 8 * b),
                         bottom=level(8 * b, 16 * b), gate4=AttentionGate(8 * b, 16 * b, 8 * b), up1=up(16 * b, 8 * b),
                         gate3=AttentionGate(4 * b, 8 * b, 4 * b), up2=up(8 * b, 4 * b),
                         gate2=AttentionGate(2 * b, 4 * b, 2 * b), up3=up(4 * b, 2 * b), up4=up(2 * b, b),
                         out=conv(b, maps, 1))

    def forward(self, x):
        pool = nn.MaxPool2d(2)
        skips = [self["down1"](x)]
        for i in (2, 3, 4):
            skips.append(self[f"down{i}"](pool(skips[-1])))
        deep = self["bottom"](pool(skips[-1]))
        for i, skip in enumerate(reversed(skips)):
            if i < 3:
                skip = self[f"gate{4 - i}"](skip, deep)
            bring_up, level = self[f"up{i + 1}"]
            deep = level(torch.cat([match_size(bring_up(deep), skip), skip], 1))
        return self["out"](deep)


# ---- MicroNet of depthwise units with squeeze and excitation ---------------------------------------------------------

class SqueezeExcite(nn.Module):
    def __init__(self, c, reduction):
        super().__init__()
        self.down, self.up = conv(c, c // reduction, 1), conv(c // reduction, c, 1)

    def forward(self, x):
        return x * torch.sigmoid(self.up(F.relu(self.down(x.mean((2, 3), keepdim=True)))))


class HalvingDepthwise(nn.Conv2d):
    """3x3, stride 2, one filter a channel: n -> floor(n / 2)."""

    def __init__(self, c):
        super().__init__(c, c, 3, stride=2, groups=c)

    def forward(self, x):
        return super().forward(F.pad(x, (1, 0, 1, 0)))


def depthwise_unit(i, o, halving=False):
    first = HalvingDepthwise(i) if halving else nn.Conv2d(i, i, 3, padding=1, groups=i)
    return nn.Sequential(first, norm(i), nn.SiLU(), conv(i, o, 1), norm(o), nn.SiLU())


class MobileResidual(nn.Module):
    """d + SE(F(d)), d = what `before` makes."""

    def __init__(self, before, c, count):
        super().__init__()
        self.before = before
        self.f = nn.Sequential(*[depthwise_unit(c, c) for _ in range(count)], SqueezeExcite(c, 4))

    def forward(self, x, skip=None):
        d = self.before(x)
        if skip is not None:
            d = match_size(bilinear(d, 2), skip) + skip
        return d + self.f(d)


def silu_unit(convolution, c):
    return nn.Sequential(convolution, norm(c), nn.SiLU())


class MicroNetMobile(Blocks):
    def __init__(self, b):
        down = lambda i, o, n: MobileResidual(depthwise_unit(i, o, halving=True), o, n)
        up = lambda i, o, n: MobileResidual(silu_unit(conv(i, o, 1), o), o, n)
        super().__init__(**{"in": MobileResidual(silu_unit(HalvingConv(3, b), b), b, 1)},
                         down1=down(b, 2 * b, 2), down2=down(2 * b, 4 * b, 2), down3=down(4 * b, 8 * b, 2),
                         up1=up(8 * b, 4 * b, 2), up2=up(4 * b, 2 * b, 2), up3=up(2 * b, b, 1),
                         ctx8=silu_unit(conv(4 * b, b // 2, 1), b // 2), ctx4=silu_unit(conv(2 * b, b // 2, 1), b // 2),
                         out=nn.Sequential(depthwise_unit(2 * b, b), conv(b, 1, 1)))

    def forward(self, x):
        half = self["in"](x)
        quarter = self["down1"](half)
        eighth = self["down2"](quarter)
        u1 = self["up1"](self["down3"](eighth), eighth)
        u2 = self["up2"](u1, quarter)
        u3 = self["up3"](u2, half)
        context = [match_size(bilinear(self["ctx8"](u1), 4), u3), match_size(bilinear(self["ctx4"](u2), 2), u3)]
        return match_size(bilinear(self["out"](torch.cat([u3, *context], 1)), 2), x)


# ---- fixtures -------------------------------------------------------------------------------------------------------

def short(tensor):
    """As it is stored: in single precision, which holds the number exactly where it was rounded before use."""
    return np.asarray(tensor).astype("<f4")


def rounded(array):
    return torch.from_numpy(array.astype("f4").astype("f8"))


def disc_labels(count, height, width, radius=6.0):
    y, x = np.mgrid[0:height, 0:width]
    centres = [(0.3 * width + 3.0 * i, 0.5 * height - 2.0 * i) for i in range(count)]
    return np.stack([np.hypot(x - cx, y - cy) <= radius for cx, cy in centres])


def fixture(name, net, shape, seed, classifier=False):
    rng = np.random.default_rng(seed)
    net = net.double()
    uneven(net, rng)
    with torch.no_grad():
        for t in net.named().values():
            t.copy_(t.float())
    tensors = {f"weight/{n}": short(t.detach()) for n, t in net.named().items()}
    x = rounded(rng.normal(0, 1, shape)).requires_grad_()
    tensors["input"] = short(nhwc(x))
    tensors["eval_output"] = short(nhwc(net.eval()(x)))
    output = net.train()(x)
    tensors["train_output"] = nhwc(output)
    metadata = {"network": name, "torch": torch.__version__}
    if classifier:
        label = torch.from_numpy(disc_labels(shape[0], *shape[2:]))
        loss = F.cross_entropy(output, label.long())
        loss.backward()
        tensors["target"], metadata["loss"] = short(label[..., None]), repr(loss.item())
    else:
        dy = rounded(rng.normal(0, 1, tuple(output.shape)))
        output.backward(dy)
        tensors["dy"] = short(nhwc(dy))
    tensors["gradient/input"] = nhwc(x.grad)
    silent = 0
    for n, t in net.named().items():
        if "running" in n:
            tensors[f"after/{n}"] = t.numpy().copy()
        else:
            tensors[f"gradient/{n}"] = t.grad.numpy()
            silent += int(not n.endswith("bias") and float(t.grad.abs().max()) < 1e-9)
    assert silent == 0, f"{name}: {silent} weights have no gradient"
    assert 0.2 < float((output != 0).double().mean()), f"{name}: a dead output"
    write_safetensors(HERE / f"{name}.safetensors", tensors, metadata)


def main():
    torch.set_num_threads(1)
    fixture("frcn_base1", Frcn(1), (2, 3, 19, 37), 31)
    fixture("fcrn_a_base1", fcrn_a(1), (2, 3, 11, 23), 32)
    fixture("fcrn_b_base1", fcrn_b(1, "a"), (2, 3, 11, 13), 33)
    fixture("fcrn_b_alt_base1", fcrn_b(1, "b"), (2, 3, 11, 13), 34)
    fixture("unet_base1", UNet(1, False), (2, 1, 19, 37), 35, classifier=True)
    fixture("unet_norm_base1", UNet(1, True), (2, 1, 19, 37), 36, classifier=True)
    fixture("fcn8s_base1", Fcn8s(1, 4, 2, False), (2, 1, 33, 35), 37, classifier=True)
    fixture("fcn8s_norm_base1", Fcn8s(1, 4, 1, True), (3, 1, 33, 35), 38)
    fixture("micronet_lite_base2", MicroNetLite(2), (2, 3, 19, 37), 39)
    fixture("attention_unet_base1", AttentionUNet(1, 1), (2, 3, 19, 37), 40)
    fixture("micronet_mobile_base4", MicroNetMobile(4), (2, 3, 19, 37), 42)
    for name, net in (("AttentionUNet(32, 1)", AttentionUNet(32, 1)), ("MicroNetMobile(32)", MicroNetMobile(32))):
        print(name, sum(p.numel() for p in net.parameters()), "parameters")


if __name__ == "__main__":
    main()
