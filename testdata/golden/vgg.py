"""Golden vectors of VGG16 and its preprocessing, made by torchvision:

    python3 vgg.py    writes vgg.safetensors, vgg_small.pth and vgg_preprocess.json beside this file

Weights come from mixed(), not from recipe(): that is so regular that layer after layer
takes the differences between images away, and the logits would be those of the biases.
Of large activations every so many-th element is stored, and the largest."""
import base64
import copy
import json
import os

import numpy as np
import PIL
import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision
from PIL import Image
from torchvision.models import vgg

from goldens import recipe, save
from resize import picture

HERE = os.path.dirname(os.path.abspath(__file__))
TAPS = [f"{kind}{stage + 1}_{i + 1}" if kind == "relu" else f"pool{stage + 1}"
        for stage, n in enumerate((2, 2, 3, 3, 3)) for kind, count in (("relu", n), ("pool", 1)) for i in range(count)]


def mixed(salt, *shape):
    """Numbers in [-1, 1) that look random: the upper 24 bits of a mixed-up index, as a fraction. The mixing is the
    last step of MurmurHash3 by Austin Appleby."""
    n = int(np.prod(shape))
    out = np.empty(n, dtype=np.float32)
    for at in range(0, n, 1 << 22):
        h = np.arange(at, min(n, at + (1 << 22)), dtype=np.uint32) + np.uint32(salt * 0x9E3779B9 & 0xFFFFFFFF)
        for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
            h ^= h >> np.uint32(shift)
            h *= np.uint32(factor)
        h ^= h >> np.uint32(16)
        out[at : at + len(h)] = (h >> np.uint32(8)).astype(np.float32) / np.float32(1 << 23) - np.float32(1)
    return torch.from_numpy(out.reshape(shape))


def fill(model):
    """Gives parameter number i of a model mixed(i), weights times sqrt(6/fan-in), which keeps the size of activations
    from layer to layer, and biases times 0.1."""
    with torch.no_grad():
        for i, p in enumerate(model.parameters()):
            p.copy_(mixed(i, *p.shape) * np.float32(np.sqrt(6 / p[0].numel()) if p.dim() > 1 else 0.1))
    return model.eval()


def sample(t, most=1500):
    flat = t.flatten()
    return flat[:: -(-flat.numel() // most) | 1]  # an odd stride, to meet every column


def activations(features, x):
    """The outputs of all ReLUs and pools, in order."""
    for layer in features:
        x = layer(x)
        if not isinstance(layer, nn.Conv2d):
            yield x


def small():
    """The same network with other numbers of channels, all different."""
    channels = iter([3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
    cfg = [c if c == "M" else next(channels) for c in vgg.cfgs["D"]]
    model = vgg.VGG(vgg.make_layers(cfg), num_classes=10)
    for i, (n_in, n_out) in {0: (15 * 49, 18), 3: (18, 17), 6: (17, 10)}.items():
        model.classifier[i] = nn.Linear(n_in, n_out)
    return fill(model)


torch.manual_seed(0)
out = {}
with torch.no_grad():
    # Pools, of odd sizes and with numbers that are none.
    for i, (h, w) in enumerate([(2, 2), (7, 9), (8, 5), (31, 64)]):
        out[f"MaxPool2/{i}"] = F.max_pool2d(recipe(i, 2, 3, h, w), 2)
    x = recipe(4, 1, 2, 6, 7)
    x.view(-1)[torch.arange(0, 84, 5)] = float("nan")
    x.view(-1)[torch.arange(1, 84, 7)] = float("-inf")
    out["MaxPool2/nan"] = F.max_pool2d(x, 2).nan_to_num(nan=1e30, neginf=-1e30)
    for i, (h, w) in enumerate([(7, 7), (1, 1), (3, 2), (5, 9), (14, 14), (8, 23)]):
        out[f"AdaptiveAvgPool/{i}"] = F.adaptive_avg_pool2d(recipe(i, 2, 3, h, w), (7, 7))

    model = small()
    torch.save(model.state_dict(), os.path.join(HERE, "vgg_small.pth"), _use_new_zipfile_serialization=False)
    for n, h, w in [(1, 224, 224), (3, 32, 32), (2, 97, 130), (5, 71, 66)]:
        out[f"small/{n}x{h}x{w}"] = model(recipe(7, n, 3, h, w))

    model = fill(torchvision.models.vgg16(weights=None))
    x = recipe(60, 2, 3, 40, 40)
    for tap, y in zip(TAPS, activations(copy.deepcopy(model.features), x)):
        out["features/" + tap] = sample(y)
        out["largest/" + tap] = y.abs().max().reshape(1)
    x = recipe(61, 1, 3, 224, 224)
    out["logits"] = model(x)
    other = model(recipe(62, 1, 3, 224, 224))
    print("logits: largest", out["logits"].abs().max().item(), "largest change with another image", (out["logits"] - other).abs().max().item())

    transform = torchvision.models.VGG16_Weights.IMAGENET1K_V1.transforms()
    cases = []
    for kind, w, h in [("noise", 300, 260), ("smooth", 500, 375), ("stripes", 375, 500), ("smooth", 90, 31), ("stripes", 256, 257), ("noise", 31, 33), ("smooth", 700, 261)]:
        y = transform(picture(kind, w, h))
        cases.append(dict(kind=kind, w=w, h=h, values=[round(v, 6) for v in y.flatten()[::1009].tolist()]))
    bilinear = []
    for kind, w, h, to_w, to_h, (x0, y0, cw, ch) in [
        ("noise", 37, 23, 16, 16, (0, 0, 16, 16)),
        ("noise", 16, 16, 37, 23, (0, 0, 37, 23)),
        ("stripes", 50, 38, 13, 13, (0, 0, 13, 13)),
        ("noise", 24, 18, 24, 7, (0, 0, 24, 7)),
        ("noise", 24, 18, 7, 18, (0, 0, 7, 18)),
        ("noise", 1, 1, 5, 4, (0, 0, 5, 4)),
        ("noise", 2, 3, 7, 1, (0, 0, 7, 1)),
        ("noise", 500, 375, 341, 256, (310, 0, 24, 24)),  # a photograph's size, one corner
        ("smooth", 500, 375, 341, 256, (100, 100, 24, 24)),
        ("stripes", 72, 72, 256, 256, (60, 230, 24, 24)),
    ]:
        image = picture(kind, w, h).resize((to_w, to_h), Image.BILINEAR).crop((x0, y0, x0 + cw, y0 + ch))
        bilinear.append(dict(kind=kind, w=w, h=h, to_w=to_w, to_h=to_h, crop=[x0, y0, cw, ch], pix=base64.b64encode(image.tobytes()).decode()))

save("vgg", out)
with open(os.path.join(HERE, "vgg_preprocess.json"), "w") as f:  # a line for each case
    rows = lambda cases: "[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]"
    f.write("{\n" + f'"pillow": "{PIL.__version__}",\n"torchvision": "{torchvision.__version__}",\n')
    f.write(f'"preprocess": {rows(cases)},\n"bilinear": {rows(bilinear)}\n}}\n')
