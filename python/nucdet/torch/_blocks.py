"""What the networks are made of. A parameter is called by its role in a block, counted: conv1, tconv1, norm1, norm2."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Activation = Callable[[Tensor], Tensor]
Norm = Callable[[int], nn.Module | None]


def match_size(x: Tensor, like: Tensor) -> Tensor:
    """x brought to the height and width of `like`, centred: zeros around it, or rows and columns cut off."""

    def sides(more: int) -> tuple[int, int]:
        before = more // 2 if more >= 0 else -(-more // 2)
        return before, more - before

    high, wide = like.shape[2] - x.shape[2], like.shape[3] - x.shape[3]
    return F.pad(x, (*sides(wide), *sides(high))) if high or wide else x


def enlarged(x: Tensor, factor: int) -> Tensor:
    """Bilinear, pixel centres at halves."""
    return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)


class Conv(nn.Conv2d):
    """Padded so that n pixels become n, with stride 2 floor(n / 2): then the padding before is the larger one."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, bias: bool = True) -> None:
        super().__init__(inputs, outputs, kernel, stride, padding=kernel // 2 if stride == 1 else 0, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        if self.stride[0] > 1:
            before = self.kernel_size[0] // 2
            after = self.kernel_size[0] - self.stride[0] - before
            x = F.pad(x, (before, after, before, after))
        return super().forward(x)


class BatchStatistics(nn.BatchNorm2d):
    """Normalises by the batch's statistics, in eval mode too."""

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return super().forward(x)
        return F.batch_norm(x, None, None, self.weight, self.bias, True, 0.0, self.eps)


def norm_of(name: str) -> Norm:
    """The layer for so many channels; None: without."""
    made: dict[str, Norm] = {
        "batch": nn.BatchNorm2d,
        "batch-stats": BatchStatistics,
        "instance": nn.InstanceNorm2d,
        "none": lambda channels: None,
    }
    if name not in made:
        raise ValueError(f"nucdet.torch: the normalisation {name!r} is not known; there are: {', '.join(made)}")
    return made[name]


class Units(nn.Module):
    """Convolutions, each with a normalisation and an activation: what every block is made of."""

    def __init__(
        self, convolutions: Iterable[nn.Conv2d | nn.ConvTranspose2d], norm: Norm, activation: Activation = F.elu
    ) -> None:
        super().__init__()
        self.activation = activation
        self.roles: list[tuple[str, str]] = []
        counts = {"conv": 0, "tconv": 0, "norm": 0}
        for convolution in convolutions:
            kind = "tconv" if isinstance(convolution, nn.ConvTranspose2d) else "conv"
            counts[kind] += 1
            counts["norm"] += 1
            layer = norm(convolution.out_channels)
            self.roles.append((f"{kind}{counts[kind]}", f"norm{counts['norm']}" if layer is not None else ""))
            self.add_module(self.roles[-1][0], convolution)
            if layer is not None:
                self.add_module(self.roles[-1][1], layer)

    def units(self, x: Tensor, first: int = 0, last: int | None = None) -> Tensor:
        for convolution, norm in self.roles[first:last]:
            x = getattr(self, convolution)(x)
            if norm:
                x = getattr(self, norm)(x)
            x = self.activation(x)
        return x


class Stack(Units):
    """One unit after the other."""

    def forward(self, x: Tensor) -> Tensor:
        return self.units(x)


class ResidualDown(Units):
    """d = a strided unit, y = ELU(F(d) + d), F: `count` units, with channel dropout before or after them."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        count: int,
        norm: Norm,
        kernel: int = 3,
        before: float = 0.0,
        after: float = 0.0,
    ) -> None:
        inner = (Conv(outputs, outputs) for _ in range(count))
        super().__init__([Conv(inputs, outputs, kernel, 2), *inner], norm)
        self.before, self.after = nn.Dropout2d(before), nn.Dropout2d(after)

    def forward(self, x: Tensor) -> Tensor:
        d = self.units(x, 0, 1)
        return F.elu(d + self.after(self.units(self.before(d), 1)))


class UpUnit(Units):
    """Up-sampling by a factor with a learned kernel: "sparse3", "two-s" or "bilinear"."""

    def __init__(self, inputs: int, outputs: int, factor: int, norm: Norm, how: str = "sparse3") -> None:
        layers: dict[str, Callable[[], nn.Conv2d | nn.ConvTranspose2d]] = {
            "sparse3": lambda: nn.ConvTranspose2d(inputs, outputs, 3, factor, 1, 1),
            "two-s": lambda: nn.ConvTranspose2d(inputs, outputs, 2 * factor, factor, factor // 2),
            "bilinear": lambda: Conv(inputs, outputs, 1),
        }
        super().__init__([layers[how]()], norm)
        self.factor = factor if how == "bilinear" else 1

    def forward(self, x: Tensor) -> Tensor:
        x = self.units(x)
        return enlarged(x, self.factor) if self.factor > 1 else x


class ResidualUp(Units):
    """c = [up-sampled x, the encoder's map], y = ELU(F(c) + c)."""

    def __init__(self, inputs: int, outputs: int, count: int, norm: Norm) -> None:
        wide = 2 * outputs
        inner = (Conv(wide, wide) for _ in range(count))
        super().__init__([nn.ConvTranspose2d(inputs, outputs, 3, 2, 1, 1), *inner], norm)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        c = torch.cat([match_size(self.units(x, 0, 1), skip), skip], 1)
        return F.elu(c + self.units(c, 1))


class LiteUp(Units):
    """c = x through a 1x1 unit, up-sampled, plus the encoder's map; y = ELU(F(c) + c)."""

    def __init__(self, inputs: int, outputs: int, count: int, norm: Norm) -> None:
        inner = (Conv(outputs, outputs) for _ in range(count))
        super().__init__([Conv(inputs, outputs, 1), *inner], norm)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        c = match_size(enlarged(self.units(x, 0, 1), 2), skip) + skip
        return F.elu(c + self.units(c, 1))


class Maps(Units):
    """All inputs side by side at the size of the first, a unit, and linear maps."""

    def __init__(self, inputs: int, hidden: int, maps: int, norm: Norm, kernel: int = 3) -> None:
        super().__init__([Conv(inputs, hidden, kernel)], norm)
        self.conv2 = Conv(hidden, maps, 1)

    def forward(self, *inputs: Tensor) -> Tensor:
        together = torch.cat([match_size(x, inputs[0]) for x in inputs], 1)
        last: Tensor = self.conv2(self.units(together))
        return last


class Last(nn.Module):
    """A convolution alone."""

    def __init__(self, inputs: int, maps: int, kernel: int = 1, bias: bool = True) -> None:
        super().__init__()
        self.conv1 = Conv(inputs, maps, kernel, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        maps: Tensor = self.conv1(x)
        return maps


class PreActivations(nn.Module):
    """Normalisation and activation before each convolution, as FRCN has them: a block is a list of "project", a 1x1
    convolution, "pool", and "residual", x + 0.3 F(x) with two 3x3 convolutions."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        steps: Iterable[str],
        norm: Norm,
        drop: float = 0.0,
        activation: Activation = F.elu,
    ) -> None:
        super().__init__()
        self.steps, self.activation, self.drop = list(steps), activation, nn.Dropout2d(drop)
        count, channels = 0, inputs
        for step in self.steps:
            for kernel in {"project": (1,), "residual": (3, 3), "pool": ()}[step]:
                count += 1
                self.add_module(f"norm{count}", norm(channels))
                self.add_module(f"conv{count}", Conv(channels, outputs, kernel))
                channels = outputs

    def _layer(self, number: int, x: Tensor, activation: Activation) -> Tensor:
        y: Tensor = getattr(self, f"conv{number}")(activation(getattr(self, f"norm{number}")(x)))
        return y

    def forward(self, x: Tensor) -> Tensor:
        at = 1
        for step in self.steps:
            if step == "pool":
                x = F.max_pool2d(x, 2)
            elif step == "project":
                x, at = self._layer(at, x, self.activation), at + 1
            else:
                inner = self.drop(self._layer(at, x, F.elu))
                x, at = x + 0.3 * self._layer(at + 1, inner, F.elu), at + 2
        return x
