#!/usr/bin/env python3
"""Writes the golden values in this folder: MicroNet and single convolutions, computed by PyTorch in double precision.

    /usr/bin/python3 tests/golden/make_network.py        (Debian: python3-torch, python3-numpy)

What the files hold is in README.md. One thread and fixed seeds: the numbers repeat.
"""
import json
import math
import pathlib
import struct

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent


# ---- MicroNet (Xing et al. 2019, with the channel plan of the first author's later release) -------------------------

class Unit(nn.Module):
    """ELU(norm(conv(x))). Parameters are named by role in the block that owns the unit, see MicroNet.named()."""

    def __init__(self, conv, channels):
        super().__init__()
        self.conv, self.norm = conv, nn.BatchNorm2d(channels, eps=1e-5, momentum=0.1)

    def forward(self, x):
        return F.elu(self.norm(self.conv(x)))


class HalvingConv(nn.Conv2d):
    """3x3, stride 2, padding 1 before and 0 after: n -> floor(n / 2)."""

    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs, 3, stride=2)

    def forward(self, x):
        return super().forward(F.pad(x, (1, 0, 1, 0)))


def conv_unit(inputs, outputs, kernel=3):
    return Unit(nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2), outputs)


def up_unit(inputs, outputs, stride):
    """3x3 transposed convolution: n -> 2 n, 4 n - 2, 8 n - 6 for strides 2, 4, 8."""
    return Unit(nn.ConvTranspose2d(inputs, outputs, 3, stride, padding=1, output_padding=1), outputs)


def match_size(x, like):
    """Zeros around x up to the size of `like`, centred: floor(difference / 2) before, the rest after."""
    h, w = like.shape[2] - x.shape[2], like.shape[3] - x.shape[3]
    return F.pad(x, (w // 2, w - w // 2, h // 2, h - h // 2))


class Residual(nn.Module):
    """ELU(F(x) + x), F = n units; channel dropout before F, not on the shortcut."""

    def __init__(self, channels, count, dropout=0.0):
        super().__init__()
        self.units = nn.ModuleList(conv_unit(channels, channels) for _ in range(count))
        self.dropout = nn.Dropout2d(dropout)

    def forward(self, x):
        y = self.dropout(x)
        for unit in self.units:
            y = unit(y)
        return F.elu(y + x)


class Down(nn.Module):
    def __init__(self, inputs, outputs, count, dropout=0.0):
        super().__init__()
        self.first = Unit(HalvingConv(inputs, outputs), outputs)
        self.body = Residual(outputs, count, dropout)

    def forward(self, x):
        return self.body(self.first(x))


class Up(nn.Module):
    def __init__(self, inputs, outputs, count):
        super().__init__()
        self.first = up_unit(inputs, outputs, 2)
        self.body = Residual(2 * outputs, count)

    def forward(self, x, skip):
        return self.body(torch.cat([match_size(self.first(x), skip), skip], 1))


class Out(nn.Module):
    def __init__(self, inputs, hidden, maps):
        super().__init__()
        self.first = conv_unit(inputs, hidden, 5)
        self.last = nn.Conv2d(hidden, maps, 1)

    def forward(self, x):
        return self.last(self.first(x))


class MicroNet(nn.Module):
    """Input [N, 3, H, W] -> maps [N, maps, H, W], linear. H, W >= 16."""

    def __init__(self, base=32, inputs=3, maps=1, dropout=0.5):
        super().__init__()
        b = base
        self.inp = conv_unit(inputs, b)
        self.down1 = Down(b, 2 * b, 1)
        self.down2 = Down(2 * b, 4 * b, 2)
        self.down3 = Down(4 * b, 8 * b, 2, dropout)
        self.down4 = Down(8 * b, 8 * b, 2, dropout)
        self.up1 = Up(8 * b, 8 * b, 2)
        self.up2 = Up(16 * b, 4 * b, 2)
        self.up3 = Up(8 * b, 2 * b, 1)
        self.up4 = Up(4 * b, b, 1)
        self.ctx8 = up_unit(16 * b, 2 * b, 8)
        self.ctx4 = up_unit(8 * b, 2 * b, 4)
        self.out = Out(6 * b, b, maps)

    def forward(self, x):
        s1 = self.inp(x)
        s2 = self.down1(s1)
        s3 = self.down2(s2)
        s4 = self.down3(s3)
        u1 = self.up1(self.down4(s4), s4)
        u2 = self.up2(u1, s3)
        u4 = self.up4(self.up3(u2, s2), s1)
        return self.out(torch.cat([u4, match_size(self.ctx8(u1), x), match_size(self.ctx4(u2), x)], 1))

    def named(self):
        """Parameters and running statistics by role: {"down3.conv1.weight": tensor, ...}."""
        tensors = {}
        for block in ("in", "down1", "down2", "down3", "down4", "up1", "up2", "up3", "up4", "ctx8", "ctx4", "out"):
            module = self.inp if block == "in" else getattr(self, block)
            counts = {"conv": 0, "tconv": 0, "norm": 0}
            for layer in module.modules():
                kind = {nn.BatchNorm2d: "norm", nn.ConvTranspose2d: "tconv", nn.Conv2d: "conv",
                        HalvingConv: "conv"}.get(type(layer))
                if kind is None:
                    continue
                counts[kind] += 1
                role = f"{block}.{kind}{counts[kind]}"
                tensors[f"{role}.weight"], tensors[f"{role}.bias"] = layer.weight, layer.bias
                if kind == "norm":
                    tensors[f"{role}.running_mean"] = layer.running_mean
                    tensors[f"{role}.running_var"] = layer.running_var
        return tensors


def parameter_count(net):
    return sum(p.numel() for p in net.parameters())


def weighted_squared_error(output, label, scale=5.0, weight=5.0):
    """Eq. 2: mean over all pixels of (y + weight mean(y)) (o - scale y)^2 / 2, with mean(y) of each sample and map."""
    mean = label.mean(dim=(2, 3), keepdim=True)
    return (0.5 * (label + weight * mean) * (output - scale * label) ** 2).mean()


# ---- files ----------------------------------------------------------------------------------------------------------

def write_safetensors(path, tensors, metadata):
    """8 bytes: length of the header; the header, JSON padded with spaces to a multiple of 8; the elements."""
    header, blobs, offset = {"__metadata__": metadata}, [], 0
    for name, tensor in tensors.items():
        array = np.asarray(tensor)
        array = np.ascontiguousarray(array, dtype="<f4" if array.dtype == np.float32 else "<f8")
        header[name] = {"dtype": f"F{8 * array.itemsize}", "shape": list(array.shape),
                        "data_offsets": [offset, offset + array.nbytes]}
        blobs.append(array.tobytes())
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))
    print(f"{path.name}: {len(tensors)} tensors, {path.stat().st_size} bytes")


def nhwc(tensor):
    return tensor.detach().permute(0, 2, 3, 1).contiguous().numpy()


def proximity_map(height, width, centres, alpha=3.0, radius=15.0):
    """Eq. 1 at integer pixels, of the nearest of `centres` (x, y)."""
    y, x = np.mgrid[0:height, 0:width]
    distance = np.min([np.hypot(x - cx, y - cy) for cx, cy in centres], axis=0)
    value = (np.exp(alpha * (1 - distance / radius)) - 1) / (math.exp(alpha) - 1)
    return np.where(distance <= radius, value, 0.0)


# ---- fixtures -------------------------------------------------------------------------------------------------------

def uneven(net, rng):
    """Weights for which every term matters: no bias, mean or shift of 0, no scale of 1."""
    with torch.no_grad():
        for name, tensor in net.named().items():
            shape = tuple(tensor.shape)
            if name.endswith("running_mean"):
                value = rng.normal(0, 0.3, shape)
            elif name.endswith("running_var"):
                value = rng.uniform(0.5, 2.0, shape)
            elif ".norm" in name:
                value = rng.uniform(0.6, 1.4, shape) if name.endswith("weight") else rng.normal(0, 0.2, shape)
            elif name.endswith("bias"):
                value = rng.normal(0, 0.1, shape)
            else:
                inputs = shape[0] / 4 if "tconv" in name else shape[1]
                value = rng.normal(0, math.sqrt(2.0 / (inputs * shape[2] * shape[3])), shape)
            tensor.copy_(torch.from_numpy(value))


def network_fixture(base=2, height=39, width=45, steps=50):
    rng = np.random.default_rng(20190)
    net = MicroNet(base, dropout=0.0).double()
    uneven(net, rng)
    x = torch.from_numpy(rng.normal(0, 1, (2, 3, height, width))).requires_grad_()
    centres = [[(6.25, 8.5), (21.0, 14.0), (38.75, 30.5)], [(30.5, 5.75)]]  # different label means
    label = torch.from_numpy(np.stack([proximity_map(height, width, c) for c in centres]))[:, None]

    tensors = {f"weight/{name}": t.detach().clone() for name, t in net.named().items()}
    tensors["input"], tensors["target"] = nhwc(x), nhwc(label)
    tensors["eval_output"] = nhwc(net.eval()(x))
    output = net.train()(x)
    loss = weighted_squared_error(output, label)
    loss.backward()
    tensors["train_output"], tensors["gradient/input"] = nhwc(output), nhwc(x.grad)
    for name, t in net.named().items():
        if "running" in name:
            tensors[f"after/{name}"] = t.clone()
        else:
            tensors[f"gradient/{name}"] = t.grad.clone()

    losses = training_losses(base, tensors, x.detach(), label, steps)
    assert losses[0] == loss.item()
    write_safetensors(HERE / f"micronet_base{base}.safetensors", tensors, {
        "network": f"MicroNet, base {base}, 3 channels in, 1 map out, no dropout",
        "loss": repr(loss.item()), "loss_formula": "mean (y + 5 mean(y)) (o - 5 y)^2 / 2",
        "training": "SGD, Nesterov, lr 0.01, momentum 0.9, decay 1e-6 on every parameter",
        "training_losses": json.dumps(losses), "torch": torch.__version__})


def training_losses(base, tensors, x, label, steps):
    """The loss before each of `steps` steps on one fixed batch, from the stored weights."""
    net = MicroNet(base, dropout=0.0).double().train()
    with torch.no_grad():
        for name, t in net.named().items():
            t.copy_(tensors[f"weight/{name}"])
    optimiser = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-6)
    losses = []
    for _ in range(steps):
        optimiser.zero_grad()
        loss = weighted_squared_error(net(x), label)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    return losses


CONV = [  # kernel, stride, padding before, padding after, height, width, channels in, channels out
    (1, 1, 0, 0, 5, 7, 3, 8), (1, 2, 0, 0, 7, 5, 8, 3), (3, 1, 1, 1, 7, 9, 3, 8), (3, 1, 1, 1, 1, 1, 8, 3),
    (3, 1, 0, 0, 5, 6, 1, 3), (3, 2, 1, 0, 9, 11, 3, 8), (3, 2, 1, 0, 8, 10, 8, 3), (3, 2, 1, 1, 9, 8, 3, 3),
    (3, 2, 0, 0, 7, 8, 1, 8), (5, 1, 2, 2, 7, 8, 8, 3), (5, 1, 2, 2, 3, 2, 3, 1), (5, 2, 2, 2, 9, 7, 1, 3),
]
TCONV = [  # kernel, stride, padding, output padding, height, width, channels in, channels out
    (3, 2, 1, 1, 4, 5, 8, 3), (3, 2, 1, 0, 4, 5, 3, 8), (3, 2, 0, 0, 3, 4, 1, 3), (3, 4, 1, 1, 3, 4, 8, 3),
    (3, 8, 1, 1, 2, 3, 3, 3), (4, 2, 1, 0, 4, 3, 3, 8), (16, 8, 4, 0, 2, 3, 3, 1), (2, 2, 0, 0, 5, 4, 8, 3),
    (3, 1, 1, 0, 5, 4, 3, 3), (3, 2, 1, 1, 1, 1, 3, 3), (4, 4, 0, 0, 2, 3, 3, 3),
]


def add_case(tensors, name, rng, x_shape, weight_shape, outputs, forward):
    x = torch.from_numpy(rng.normal(0, 1, x_shape)).requires_grad_()
    weight = torch.from_numpy(rng.normal(0, 0.5, weight_shape)).requires_grad_()
    bias = torch.from_numpy(rng.normal(0, 0.5, outputs)).requires_grad_()
    y = forward(x, weight, bias)
    dy = torch.from_numpy(rng.normal(0, 1, tuple(y.shape)))
    y.backward(dy)
    tensors.update({
        f"{name}/x": nhwc(x), f"{name}/weight": weight.detach(), f"{name}/bias": bias.detach(), f"{name}/y": nhwc(y),
        f"{name}/dy": nhwc(dy), f"{name}/dx": nhwc(x.grad), f"{name}/dweight": weight.grad, f"{name}/dbias": bias.grad})


def ops_fixture():
    rng = np.random.default_rng(472)
    tensors, metadata = {}, {"torch": torch.__version__, "conv": str(len(CONV)), "tconv": str(len(TCONV))}
    for i, (k, s, before, after, h, w, cin, cout) in enumerate(CONV):
        def conv(x, weight, bias):
            return F.conv2d(F.pad(x, (before, after, before, after)), weight, bias, stride=s)
        add_case(tensors, f"conv/{i}", rng, (2, cin, h, w), (cout, cin, k, k), cout, conv)
        metadata[f"conv/{i}"] = f"kernel={k} stride={s} pad_before={before} pad_after={after}"
    for i, (k, s, pad, extra, h, w, cin, cout) in enumerate(TCONV):
        def tconv(x, weight, bias):
            return F.conv_transpose2d(x, weight, bias, stride=s, padding=pad, output_padding=extra)
        add_case(tensors, f"tconv/{i}", rng, (2, cin, h, w), (cin, cout, k, k), cout, tconv)
        metadata[f"tconv/{i}"] = f"kernel={k} stride={s} padding={pad} output_padding={extra}"
    write_safetensors(HERE / "ops.safetensors", tensors, metadata)


def check_network():
    assert parameter_count(MicroNet(32)) == 11_724_705
    assert parameter_count(MicroNet(16)) == 2_934_737
    net = MicroNet(2).eval()
    assert sum(t.numel() for n, t in net.named().items() if "running" not in n) == parameter_count(net)
    with torch.no_grad():
        for h, w in ((16, 16), (17, 31), (39, 45), (50, 63), (100, 75)):
            assert net(torch.zeros(1, 3, h, w)).shape == (1, 1, h, w)


def main():
    torch.set_num_threads(1)
    check_network()
    network_fixture()
    ops_fixture()


if __name__ == "__main__":
    main()
