"""Golden vectors of whole predictions: python3 superres_odd.py writes superres-odd.safetensors.

Each model enlarges a picture of 35x51 and one of 101x67 pixels, number i of which is the level
((i*7919 + 80*104729) mod 2003) mod 256, colour by colour. Weights are twice fill_weights's, so that predictions have
all levels. VGG16's features are computed of the picture, with the weights in vgg/pretrained; it halves its input, so a
picture with an odd side has its last row or column once more, and what that becomes is cut off. CLIP's embedding is
recipe(60)/2. Stored is the level of every k-th number of each result."""
import os
import sys

import torch
import torch.nn.functional as F
from torchvision.models import vgg16

from goldens import fill_weights, recipe, sample, save
from models import MODELS
from vgg_pretrained import HERE, MEANS, read


def picture(h, w):
    """(1,3,h,w), levels."""
    return torch.round((recipe(80, 1, 3, h, w) + 1) * 1001) % 256


def eyes():
    """VGG16 as far as relu2_2, as it is in the program."""
    with open(os.path.join(HERE, "../../vgg/pretrained/vgg16-relu2_2.safetensors"), "rb") as f:
        weights = read(f.read())
    features = vgg16(weights=None).features[:9]
    features.load_state_dict({k.removeprefix("features."): v.float() for k, v in weights.items()})
    return lambda x: features(x - (MEANS / 255).float())


@torch.no_grad()
def main():
    see, out = eyes(), {}
    for name, make in MODELS.items():
        model = make()
        fill_weights(model)
        for p in model.parameters():
            p *= 2
        for h, w in (35, 51), (101, 67):
            x, extra = picture(h, w) / 255, []
            if name == "vgg":
                x = F.pad(x, (0, w % 2, 0, h % 2), mode="replicate")
                extra = [see(x)]
            if name == "clip":
                extra = [recipe(60, 1, 512) / 2]
            for scale, y in zip((2, 4), model(x, *extra)):
                y = torch.round(255 * y[..., : scale * h, : scale * w].clamp(0, 1))
                print(name, h, w, scale, "levels: mean %.1f, deviation %.1f" % (y.mean(), y.std()))
                flat = y.flatten()
                out[f"{name}/{w}x{h}/{scale}"] = flat[:: flat.numel() // 2000 | 1].half()  # exact
    save("superres-odd", out)


if __name__ == "__main__":
    main()
