"""Golden vectors of nn's losses: python3 losses.py writes losses.safetensors.

The operands of a case are (recipe(0, shape) + 1) / 2 and (recipe(1, shape) + 1) / 2, changed
as the case says. Stored are the loss, NAME/y, and its gradients times 1000, NAME/d0 and
NAME/d1. SSIM is computed in float64: its variances are differences of near numbers."""
import math

import torch
import torch.nn.functional as F

from goldens import recipe, save


def ssim_loss(a, b):
    """1 - SSIM of Wang et al. 2004: Gaussian windows of 11x11 pixels within the picture."""
    g = torch.tensor([math.exp(-((k - 5) ** 2) / (2 * 1.5**2)) for k in range(11)], dtype=torch.float64)
    window = torch.outer(g, g) / g.sum() ** 2
    colours = a.shape[1]

    def mean(x):
        return F.conv2d(x, window.expand(colours, 1, 11, 11), groups=colours)

    a, b = a.double(), b.double()
    ma, mb = mean(a), mean(b)
    va, vb, cov = mean(a * a) - ma**2, mean(b * b) - mb**2, mean(a * b) - ma * mb
    c1, c2 = 0.01**2, 0.03**2
    s = (2 * ma * mb + c1) * (2 * cov + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))
    return 1 - s.mean()


def charbonnier_loss(a, b):
    return torch.sqrt((a - b) ** 2 + 1e-3**2).mean()


def unchanged(a, b):
    pass


def ties(a, b):
    b.flatten()[::3] = a.flatten()[::3]


def near(a, b):
    b.copy_(0.9 * a + 0.1 * b)


def equal(a, b):
    b.copy_(a)


def constant(a, b):
    a.fill_(0.25)
    b.fill_(0.75)


def against_constant(a, b):
    b.fill_(0.5)


SMALL, PICTURES = (2, 3, 5), (2, 3, 14, 17)
CASES = {
    "L1Loss": (F.l1_loss, SMALL, unchanged),
    "L1Loss, ties": (F.l1_loss, SMALL, ties),
    "L1Loss, equal": (F.l1_loss, SMALL, equal),
    "CharbonnierLoss": (charbonnier_loss, SMALL, unchanged),
    "CharbonnierLoss, ties": (charbonnier_loss, SMALL, ties),
    "CharbonnierLoss, near": (charbonnier_loss, PICTURES, near),
    "SSIMLoss": (ssim_loss, PICTURES, unchanged),
    "SSIMLoss, near": (ssim_loss, PICTURES, near),
    "SSIMLoss, one window": (ssim_loss, (1, 1, 11, 11), near),
    "SSIMLoss, equal": (ssim_loss, PICTURES, equal),
    "SSIMLoss, constant": (ssim_loss, PICTURES, constant),
    "SSIMLoss, against constant": (ssim_loss, PICTURES, against_constant),
}

out = {}
for name, (loss, shape, change) in CASES.items():
    a, b = (recipe(0, *shape) + 1) / 2, (recipe(1, *shape) + 1) / 2
    change(a, b)
    a.requires_grad_()
    b.requires_grad_()
    y = loss(a, b)
    y.backward(torch.tensor(1000, dtype=y.dtype))
    out[name + "/y"] = y.float().reshape(1)
    out[name + "/d0"], out[name + "/d1"] = a.grad, b.grad
save("losses", out)
