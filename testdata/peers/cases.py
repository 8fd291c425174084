"""The models that cmd/bench compares, in PyTorch, with the weights, inputs and targets that its own processes
make by the same recipes."""
import os
import sys

import numpy as np
import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))

from enlargers import ENLARGERS, Pictures, fill as fill_enlarger, picture
from frozen import VGG16, ViTB32
from goldens import recipe
from models import MODELS, features, psnr_loss


class Case:
    """A model, what goes into it, and for those that are trained what should come out. batch is a number of
    pictures, or for networks that enlarge one picture its size, such as 512x512."""

    def __init__(self, name, batch):
        self.enlarges = name in ENLARGERS
        if self.enlarges:
            network = ENLARGERS[name]().eval()
            fill_enlarger(network, scattered)
            self.model, self.targets = Pictures(network), None
            self.inputs = [picture(batch, scattered)]
            return
        batch = int(batch)
        if name == "vgg16":
            self.model, self.targets = VGG16().eval(), None
            fill(self.model)
            self.inputs = [recipe(50, batch, 3, 224, 224)]
        elif name == "vitb32":
            self.model, self.targets = ViTB32().eval(), None
            fill_scattered(self.model)
            self.inputs = [torch.from_numpy(scattered(1000, batch, 3, 224, 224)) * 1.5]
        else:
            self.model = MODELS[name]()
            fill(self.model)
            self.inputs = [(recipe(50, batch, 3, 72, 72) + 1) / 2, *features(name, recipe, batch, 72, 72)]
            outputs = 1 if name in ("superresnet", "global") else 2
            self.targets = [(recipe(51 + i, batch, 3, 144 << i, 144 << i) + 1) / 2 for i in range(outputs)]

    def lay_out(self, layout):
        """Has weights, inputs and targets lie by channels or by pixels."""
        self.model.to(memory_format=layout)
        if self.enlarges:
            self.model.layout = layout
            return
        self.inputs = [x.contiguous(memory_format=layout) if x.dim() == 4 else x for x in self.inputs]
        if self.targets is not None:
            self.targets = [t.contiguous(memory_format=layout) for t in self.targets]

    def loss(self, outputs):
        """For networks that are not trained here, the mean square of what they compute: any number that depends
        on all of it would do."""
        if self.targets is None:
            return mean_square(outputs[0] if isinstance(outputs, (list, tuple)) else outputs)
        return sum(psnr_loss(p, t) for p, t in zip(outputs, self.targets))


def mean_square(y):
    """The mean square of what a model computes, of bytes as numbers in [0, 1]."""
    if y.dtype == torch.uint8:
        return torch.bincount(y.flatten(), minlength=256).double() @ (torch.arange(256).double() / 255) ** 2 / y.numel()
    return (y**2).mean()


def fill(module):
    """What fill_weights in goldens.py does. The recipe repeats itself after 2003 numbers, so one period is
    copied; counting through VGG16's first linear layer would take five times its memory, and the peak is compared."""
    period = 2003
    with torch.no_grad():
        for i, p in enumerate(module.parameters()):
            fan_in = p[0].numel() if p.dim() > 1 else p.numel()
            cycle = recipe(i, period) / np.float32(np.sqrt(fan_in))
            flat = p.view(-1)
            whole = len(flat) // period
            flat[: whole * period].view(whole, period).copy_(cycle.expand(whole, period))
            flat[whole * period :] = cycle[: len(flat) - whole * period]


def scattered(salt, *shape):
    """Numbers in [-1, 1) that look random, as in golden/clip.py: number i is the upper 24 bits of a hash of i and
    salt. The other recipe is too regular for a transformer: all pictures would end up alike."""
    n = int(np.prod(shape))
    out = np.empty(n, dtype=np.float32)
    for at in range(0, n, 1 << 18):
        h = np.arange(at, min(n, at + (1 << 18)), dtype=np.uint32) * np.uint32(0x9E3779B1)
        h += np.uint32(salt * 0x85EBCA77 & 0xFFFFFFFF)
        for shift, factor in (15, 0x2C1B3C6D), (12, 0x297A2D39):
            h ^= h >> np.uint32(shift)
            h *= np.uint32(factor)
        h ^= h >> np.uint32(15)
        out[at : at + len(h)] = (h >> np.uint32(8)).astype(np.float32) / np.float32(1 << 23) - np.float32(1)
    return out.reshape(shape)


def fill_scattered(module):
    """Parameter number i, by name, becomes scattered(i), of a size that keeps activations about 1."""
    with torch.no_grad():
        for salt, (name, p) in enumerate(sorted(module.named_parameters())):
            r = scattered(salt, *p.shape)
            if p.dim() == 1 and name.endswith(".weight"):  # of a normalisation
                r = r * np.float32(0.1) + np.float32(1)
            elif name.endswith("bias"):
                r *= np.float32(0.1)
            elif name.endswith("proj"):  # a matrix with a row for each input
                r *= np.float32(np.sqrt(3 / p.shape[0]))
            elif name.endswith("weight"):
                r *= np.float32(np.sqrt(3 / np.prod(p.shape[1:])))
            p.copy_(torch.from_numpy(r))
