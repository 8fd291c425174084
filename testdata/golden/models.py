"""The workshop's models in PyTorch, and one beyond it, with the loss: what golden vectors are made of,
and what timings are compared with. A model fills stages, if it gets a dict."""
import torch
import torch.nn as nn
import torch.nn.functional as F


def up2(x):
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def bicubic2(x):
    """As MATLAB does it: mirrored beyond the edges, and with a = -1/2, which PyTorch has with antialias alone."""
    edge = 4
    for d in (2, 3):
        x = torch.cat([x.narrow(d, 0, edge).flip(d), x, x.flip(d).narrow(d, 0, edge)], d)
    y = F.interpolate(x, scale_factor=2, mode="bicubic", antialias=True)
    return y[:, :, 2 * edge : -2 * edge, 2 * edge : -2 * edge]


def conv3(i, o, dilation=1):
    return nn.Conv2d(i, o, 3, padding=dilation, dilation=dilation)


def psnr_loss(pred, target):
    return 1 / (-10 * torch.log10(torch.mean((pred - target) ** 2)))


class Model(nn.Module):
    """A model that writes its stages down if it is asked to."""

    stages = None

    def note(self, name, value):
        if self.stages is not None:
            self.stages[name] = value
        return value

    def two_sizes(self, h):
        m = up2(h)
        return [
            self.note("mid", torch.sigmoid(self.conv_mid(m))),
            self.note("large", torch.sigmoid(self.conv_large(up2(m)))),
        ]


class SuperResNet(Model):
    def __init__(self):
        super().__init__()
        self.conv1 = conv3(3, 64)
        self.conv2 = conv3(64, 64)
        self.conv3 = nn.Conv2d(64, 3, 1)

    def forward(self, x):
        h = self.note("conv1", torch.relu(self.conv1(x)))
        h = self.note("conv2", torch.relu(self.conv2(h)))
        return [self.note("mid", torch.sigmoid(self.conv3(up2(h))))]


class SuperResNetGlobalResidual(Model):
    def __init__(self):
        super().__init__()
        self.conv1 = conv3(3, 64)
        self.conv2 = conv3(64, 64)
        self.residual = nn.Conv2d(64, 3, 1)

    def forward(self, x):
        h = self.note("conv1", torch.relu(self.conv1(x)))
        h = self.note("conv2", torch.relu(self.conv2(h)))
        return [self.note("mid", bicubic2(x) + self.note("residual", self.residual(up2(h))))]


class SuperResNetMulti(Model):
    def __init__(self):
        super().__init__()
        self.conv1 = conv3(3, 64)
        self.conv2 = conv3(64, 64)
        self.conv_mid = nn.Conv2d(64, 3, 1)
        self.conv_large = nn.Conv2d(64, 3, 1)

    def forward(self, x):
        h = self.note("conv1", torch.relu(self.conv1(x)))
        h = self.note("conv2", torch.relu(self.conv2(h)))
        return self.two_sizes(h)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = conv3(32, 32)
        self.conv2 = conv3(32, 32)

    def forward(self, x):
        return torch.relu(x + self.conv2(torch.relu(self.conv1(x))))


class Dilated(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = conv3(32, 32)
        self.conv2 = conv3(32, 32, 2)
        self.conv4 = conv3(32, 32, 4)
        self.fuse = conv3(96, 32)

    def forward(self, x):
        parts = [torch.relu(c(x)) for c in (self.conv1, self.conv2, self.conv4)]
        return torch.relu(self.fuse(torch.cat(parts, 1)))


class Blocks(Model):
    """The two models of three blocks, which differ in the block alone."""

    def __init__(self, block):
        super().__init__()
        self.conv1 = conv3(3, 32)
        self.block1 = block()
        self.block2 = block()
        self.block3 = block()
        self.conv_mid = nn.Conv2d(32, 3, 1)
        self.conv_large = nn.Conv2d(32, 3, 1)

    def forward(self, x):
        h = self.note("conv1", torch.relu(self.conv1(x)))
        h = self.note("block1", self.block1(h))
        h = self.note("block2", self.block2(h))
        m = up2(h)
        h = self.note("block3", self.block3(m))
        return [
            self.note("mid", torch.sigmoid(self.conv_mid(m))),
            self.note("large", torch.sigmoid(self.conv_large(up2(h)))),
        ]


class Merging(Model):
    """The two models that lean on a frozen network, whose features they get."""

    def __init__(self, channels):
        super().__init__()
        self.conv1 = conv3(3, 64)
        self.conv2 = conv3(64, 64)
        self.merge = conv3(64 + channels, 64)
        self.conv_mid = nn.Conv2d(64, 3, 1)
        self.conv_large = nn.Conv2d(64, 3, 1)

    def forward(self, x, features):
        h = self.note("conv1", torch.relu(self.conv1(x)))
        h = self.note("conv2", torch.relu(self.conv2(h)))
        if features.dim() == 2:
            features = features[:, :, None, None].expand(*features.shape, *x.shape[2:])
        else:
            features = up2(features)
        h = self.note("merge", torch.relu(self.merge(torch.cat([h, features], 1))))
        return self.two_sizes(h)


MODELS = {
    "superresnet": SuperResNet,
    "multi": SuperResNetMulti,
    "residual": lambda: Blocks(Residual),
    "dilated": lambda: Blocks(Dilated),
    "vgg": lambda: Merging(128),
    "clip": lambda: Merging(512),
    "global": SuperResNetGlobalResidual,
}


def features(name, recipe, n, h, w):
    """What a model gets beside the photographs: numbers as large as the frozen network's."""
    if name == "vgg":
        return [(recipe(60, n, 128, h // 2, w // 2) + 1) / 2]
    if name == "clip":
        return [recipe(60, n, 512) / 2]
    return []
