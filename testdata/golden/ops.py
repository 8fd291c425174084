"""Golden vectors of the operations: python3 ops.py writes ops.safetensors.

Operand number j of a case is recipe(j, shape), the gradient of its result
recipe(100, shape). Stored are the result, NAME/y, and the gradients, NAME/d0 …"""
import math

import torch
import torch.nn.functional as F

from goldens import recipe, save


def conv(dilation):
    return lambda x, w, b: F.conv2d(x, w, b, padding="same", dilation=dilation)


def up2(x):
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def symmetric(n, more):
    """The places of a row that goes on mirrored, with the pixels at the ends doubled."""
    i = torch.arange(-more, n + more) % (2 * n)
    return torch.minimum(i, 2 * n - 1 - i)


def bicubic(k):
    """PyTorch's a is -1/2 with antialias alone; it leaves out what is beyond the edges."""
    def up(x):
        x = x[..., symmetric(x.shape[2], 4), :][..., symmetric(x.shape[3], 4)]
        return F.interpolate(x, scale_factor=k, mode="bicubic", antialias=True)[..., 4 * k:-4 * k, 4 * k:-4 * k]
    return up


CASES = {
    "Add": (lambda a, b: a + b, (2, 3, 5), (2, 3, 5)),
    "Scale": (lambda x: -1.5 * x, (2, 3, 5)),
    "ReLU": (torch.relu, (2, 3, 5)),
    "LeakyReLU": (lambda x: F.leaky_relu(x, 0.2), (2, 3, 5)),
    "PReLU": (F.prelu, (2, 3, 4, 5), (3,)),
    "Conv2dPReLU of Conv2dLeakyReLU": (lambda x, w, b, v, c, s: F.prelu(conv(1)(F.leaky_relu(conv(1)(x, w, b), 0.1), v, c), s), (1, 3, 6, 7), (4, 3, 3, 3), (4,), (2, 4, 3, 3), (2,), (2,)),
    "Sigmoid": (lambda x: torch.sigmoid(5 * x), (2, 3, 5)),
    "ConcatChannels": (lambda a, b, c: torch.cat([a, b, c], 1), (2, 1, 3, 4), (2, 3, 3, 4), (2, 2, 3, 4)),
    "Expand": (lambda x: x[:, :, None, None].expand(2, 3, 4, 5), (2, 3)),
    "Mean": (lambda x: x.mean().reshape(1), (2, 3, 5)),
    "MSE": (lambda a, b: F.mse_loss(a, b).reshape(1), (2, 3, 5), (2, 3, 5)),
    "InversePSNR": (lambda m: 1 / (-10 * torch.log10(0.01 * F.mse_loss(m, torch.zeros(1)))).reshape(1), (1,)),
    "Conv2d": (conv(1), (2, 3, 7, 9), (5, 3, 3, 3), (5,)),
    "Conv2d 1x1": (conv(1), (2, 5, 7, 9), (3, 5, 1, 1), (3,)),
    "Conv2d 1x3 of Upsample2": (lambda x, w, b: conv(1)(up2(x), w, b), (2, 4, 5, 7), (3, 4, 1, 3), (3,)),
    "Conv2d 5x5": (conv(1), (1, 2, 7, 9), (3, 2, 5, 5), (3,)),
    "Conv2d dilation 2": (conv(2), (1, 3, 9, 8), (4, 3, 3, 3), (4,)),
    "Conv2d dilation 4": (conv(4), (2, 3, 9, 11), (4, 3, 3, 3), (4,)),
    "Conv2dReLU": (lambda x, w, b: torch.relu(conv(1)(x, w, b)), (2, 3, 7, 9), (5, 3, 3, 3), (5,)),
    "Conv2dReLU of Conv2dReLU": (lambda x, w, b, v, c: torch.relu(conv(1)(torch.relu(conv(1)(x, w, b)), v, c)), (2, 3, 7, 9), (4, 3, 3, 3), (4,), (2, 4, 3, 3), (2,)),
    "Conv2dAddReLU": (lambda x, w, b, s: torch.relu(conv(1)(x, w, b) + s), (2, 3, 7, 9), (5, 3, 3, 3), (5,), (2, 5, 7, 9)),
    "Conv2dAddReLU of Upsample2": (lambda x, w, b: torch.relu(conv(1)(up2(x), w, b) + up2(x)), (2, 3, 4, 5), (3, 3, 3, 3), (3,)),
    "Conv2d of ConcatChannels": (lambda x, y, z, w, b: conv(2)(torch.cat((x, up2(y), z[:, :, None, None].expand(2, 3, 6, 8)), 1), w, b), (2, 2, 6, 8), (2, 1, 3, 4), (2, 3), (4, 6, 3, 3), (4,)),
    "Conv2d of Upsample2 twice 3x3": (lambda x, w, b: conv(1)(up2(up2(x)), w, b), (1, 3, 3, 5), (2, 3, 3, 3), (2,)),
    "Upsample2": (up2, (2, 3, 5, 7)),
    "Upsample2 one pixel": (up2, (1, 2, 1, 1)),
    "UpsampleNearest": (lambda x: F.interpolate(x, scale_factor=2, mode="nearest"), (2, 3, 5, 7)),
    "UpsampleNearest 3": (lambda x: F.interpolate(x, scale_factor=3, mode="nearest"), (1, 2, 3, 1)),
    "Conv2d of UpsampleNearest": (lambda x, w, b: conv(1)(F.interpolate(x, scale_factor=2, mode="nearest"), w, b), (2, 4, 5, 7), (3, 4, 3, 3), (3,)),
    "UpsampleBicubic": (bicubic(2), (2, 3, 5, 7)),
    "UpsampleBicubic 3": (bicubic(3), (1, 2, 3, 1)),
    "UpsampleBicubic 4": (bicubic(4), (1, 1, 2, 4)),
    "PixelShuffle": (lambda x: F.pixel_shuffle(x, 2), (2, 8, 3, 5)),
    "PixelShuffle 3": (lambda x: F.pixel_shuffle(x, 3), (1, 9, 2, 3)),
    "PixelUnshuffle": (lambda x: F.pixel_unshuffle(x, 2), (2, 3, 4, 6)),
    "PixelUnshuffle 4": (lambda x: F.pixel_unshuffle(x, 4), (1, 2, 4, 8)),
    "PadReflect": (lambda x: F.pad(x, (0, 3, 0, 1), mode="reflect"), (2, 3, 3, 4)),
    "Crop": (lambda x: x[:, :, :3, :2], (2, 3, 4, 5)),
    "Conv2d of Upsample2": (lambda x, w, b: conv(1)(up2(x), w, b), (2, 4, 5, 7), (3, 4, 1, 1), (3,)),
    "Conv2d of Upsample2 twice": (lambda x, w, b: conv(1)(up2(up2(x)), w, b), (1, 4, 3, 5), (2, 4, 1, 1), (2,)),
}

out = {}
for name, (f, *shapes) in CASES.items():
    operands = [recipe(j, *s).requires_grad_() for j, s in enumerate(shapes)]
    y = f(*operands)
    y.backward(recipe(100, *y.shape))
    out[name + "/y"] = y
    for j, o in enumerate(operands):
        out[f"{name}/d{j}"] = o.grad
save("ops", out)
