"""The networks that enlarge whole pictures, in plain PyTorch. Parameters have the order that they have in ours."""
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


def conv3(inputs, outputs):
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def keys(x, a=-0.5):
    """The kernel of bicubic interpolation: R. G. Keys, 1981, equation 15."""
    x = abs(x)
    if x < 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    if x < 2:
        return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a
    return 0.0


class Bicubic(nn.Module):
    """Bicubic interpolation with a = -1/2 and mirrored edges, which F.interpolate lacks: a convolution that makes the
    scale² pixels of each, in the order of F.pixel_shuffle. Two pixels beyond each edge are seen."""

    def __init__(self, scale):
        super().__init__()
        phases = torch.tensor([[keys((p + 0.5) / scale - 0.5 - t) for t in range(-2, 3)] for p in range(scale)])
        taps = torch.einsum("ia,jb->ijab", phases, phases).reshape(scale * scale, 1, 5, 5)
        self.register_buffer("taps", taps.repeat(3, 1, 1, 1))

    def forward(self, x):
        x = torch.cat([x[:, :, 1:2], x[:, :, :1], x, x[:, :, -1:], x[:, :, -2:-1]], 2)
        x = torch.cat([x[..., 1:2], x[..., :1], x, x[..., -1:], x[..., -2:-1]], 3)
        return F.conv2d(x, self.taps, groups=3)


class Body(nn.Module):
    """Convolutions at the size of the picture, with PReLUs between."""

    damping, base = 0.1, 0  # of random weights: see fill

    def __init__(self, features, convs, scale):
        super().__init__()
        layers = [conv3(3, features), nn.PReLU(features)]
        for _ in range(convs):
            layers += [conv3(features, features), nn.PReLU(features)]
        self.body = nn.Sequential(*layers, conv3(features, 3 * scale * scale))
        self.scale = scale


class Fast(Body):
    def __init__(self, scale=2):
        super().__init__(32, 5, scale)
        self.bicubic = Bicubic(scale)

    def forward(self, x):
        return F.pixel_shuffle(self.body(x) + self.bicubic(x), self.scale)


class Compact(Body):
    """SRVGGNetCompact with the sizes of realesr-general-x4v3."""

    def __init__(self):
        super().__init__(64, 32, 4)

    def forward(self, x):
        return F.pixel_shuffle(self.body(x), self.scale) + F.interpolate(x, scale_factor=self.scale, mode="nearest")


class DenseBlock(nn.Module):
    def __init__(self, features, growth):
        super().__init__()
        self.convs = nn.ModuleList([conv3(features + i * growth, growth) for i in range(4)])
        self.last = conv3(features + 4 * growth, features)

    def forward(self, x):
        seen = [x]
        for conv in self.convs:
            seen.append(F.leaky_relu(conv(torch.cat(seen, 1)), 0.2, inplace=True))
        return self.last(torch.cat(seen, 1)) * 0.2 + x


class RRDB(nn.Module):
    def __init__(self, features, growth):
        super().__init__()
        self.blocks = nn.Sequential(*[DenseBlock(features, growth) for _ in range(3)])

    def forward(self, x):
        return self.blocks(x) * 0.2 + x


class RRDBNet(nn.Module):
    """RRDBNet with the sizes of RealESRGAN_x4plus."""

    damping, base = 0.005, 0.5

    def __init__(self, features=64, growth=32, blocks=23):
        super().__init__()
        self.first = conv3(3, features)
        self.body = nn.Sequential(*[RRDB(features, growth) for _ in range(blocks)], conv3(features, features))
        self.up = nn.ModuleList([conv3(features, features) for _ in range(2)])
        self.hr = conv3(features, features)
        self.last = conv3(features, 3)

    def forward(self, x):
        x = self.first(x)
        x = x + self.body(x)
        for conv in self.up:
            x = F.leaky_relu(conv(F.interpolate(x, scale_factor=2, mode="nearest")), 0.2, inplace=True)
        return self.last(F.leaky_relu(self.hr(x), 0.2, inplace=True))


ENLARGERS = {"fast": Fast, "compact": Compact, "rrdb": RRDBNet}


class Pictures(nn.Module):
    """What people do with a network: bytes of pictures, (1,h,w,3), become bytes of larger ones."""

    layout = None  # of what the network gets: the bytes lie by pixels

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        x = x.permute(0, 3, 1, 2).float() / 255
        if self.layout is not None:
            x = x.contiguous(memory_format=self.layout)
        y = self.network(x)
        return (y.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def picture(size, scattered):
    """The bytes of a picture of a size such as 512x512."""
    width, height = map(int, size.split("x"))
    return torch.from_numpy(((scattered(1000, 1, height, width, 3) + 1) * 128).astype("uint8"))


def fill(network, scattered):
    """Parameter number i becomes scattered(i), of a size that keeps activations about as large from layer to layer;
    those of the last convolution are smaller and about grey, so that few pixels are black or white."""
    parameters = list(network.parameters())
    with torch.no_grad():
        for i, p in enumerate(parameters):
            factor = 0.1
            if p.dim() == 4:
                factor = math.sqrt(6 / p[0].numel())
                if i == len(parameters) - 2:
                    factor *= network.damping
            p.copy_(torch.from_numpy(scattered(i, *p.shape) * np.float32(factor)))
        parameters[-1] += network.base
