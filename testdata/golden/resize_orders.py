#!/usr/bin/env python3
"""Writes resize_orders.json: hashes of what Pillow, torchvision's transform for VGG16 and OpenAI's for CLIP make of
pictures of many sizes, for the tests of packages vision, vgg and clip.

    python3 testdata/golden/resize_orders.py              the committed file, half of whose cases are resized along the columns first
    python3 testdata/golden/resize_orders.py 3000 FILE    so many cases of each kind, all random, into FILE
    PIXELGRAD_RESIZE=FILE go test -run 'Orders' -v ./vision ./vgg ./clip

A hash is the beginning of SHA-256 over the bytes of the picture, rows of red, green, blue; or, of a transform, over its
float32 numbers, little-endian. The pictures are the noise of resize.py."""
import hashlib
import json
import os
import random
import sys

import numpy as np
import PIL
import torchvision
from PIL import Image
from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Normalize, Resize, ToTensor

HERE = os.path.dirname(os.path.abspath(__file__))
CLIP = Compose([Resize(224, interpolation=InterpolationMode.BICUBIC), CenterCrop(224), ToTensor(),
                Normalize((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))])
VGG = torchvision.models.VGG16_Weights.IMAGENET1K_V1.transforms()


def noise(w, h):
    y, x, c = np.mgrid[0:h, 0:w, 0:3].astype(np.int64)
    return Image.fromarray(((x * 73856093 ^ y * 19349663 ^ c * 83492791) >> 7).astype(np.uint8))


def digest(data):
    return hashlib.sha256(data).hexdigest()[:16]


def columns_first(w, h, to_w, to_h):
    return h > to_h and h - to_h > 2 * (w - to_w)


def side(r, most):
    """A side that is often small, sometimes one pixel, and at the most so long."""
    return 1 if r.random() < 0.03 else int(most ** r.random() * r.uniform(0.5, 1)) + 1


def resized(r, n, whole):
    """whole: random sizes as they come. Else half of them in each order."""
    orders = [0, 0]
    while sum(orders) < n:
        size = [side(r, 600) for _ in range(4)]
        if r.random() < 0.1:  # one direction only
            k = r.randrange(2)
            size[2 + k] = size[k]
        first = columns_first(*size)
        if size[2:] == size[:2] or not whole and orders[first] >= n // 2:
            continue
        orders[first] += 1
        yield size


def squares():
    """Sizes of photographs, and the training's squares; the last ones are tall enough for the columns to come first."""
    for w, h in [(500, 375), (375, 500), (481, 321), (321, 481), (333, 500), (281, 500), (225, 451), (200, 500), (72, 300)]:
        for n in (72, 144, 288):
            yield [w, h, n, n]


def photographs(r, n, short, whole):
    """Sizes for a transform whose shorter side becomes short."""
    for w, h in [(225, 451), (229, 512), (286, 575), (short, short), (short, short + 1), (short + 1, short), (1, 1), (1, 70), (70, 1), (short, 3 * short)]:
        yield w, h
    orders = [0, 0]
    while sum(orders) < n:
        w, h = r.randint(1, 640), r.randint(1, 640)
        if max(w, h) > 40 * min(w, h):
            continue
        a, b = min(w, h), max(w, h)
        long = int(short * b / a)
        first = columns_first(w, h, *((short, long) if w < h else (long, short)))
        if not whole and orders[first] >= n // 2:
            continue
        orders[first] += 1
        yield w, h


def main():
    n, path = (0, os.path.join(HERE, "resize_orders.json")) if len(sys.argv) == 1 else (int(sys.argv[1]), sys.argv[2])
    r = random.Random(13)
    whole = n > 0
    sizes = list(resized(r, n or 100, whole)) + list(squares())
    resize, clip, vgg, differing = [], [], [], 0
    for w, h, to_w, to_h in sizes:
        image = noise(w, h)
        cubic, linear = (image.resize((to_w, to_h), f).tobytes() for f in (Image.BICUBIC, Image.BILINEAR))
        resize.append(dict(w=w, h=h, to_w=to_w, to_h=to_h, bicubic=digest(cubic), bilinear=digest(linear)))
        rows = image.resize((to_w, h), Image.BICUBIC).resize((to_w, to_h), Image.BICUBIC).tobytes()
        differing += rows != cubic
    for out, transform, short in ((clip, CLIP, 224), (vgg, VGG, 256)):
        for w, h in photographs(r, n or 20, short, whole):
            out.append(dict(w=w, h=h, numbers=digest(transform(noise(w, h)).contiguous().numpy().astype("<f4").tobytes())))
    for name, cases in (("resize", sizes), ("clip", [(w, h, max(224, 224 * w // h), max(224, 224 * h // w)) for w, h in ((c["w"], c["h"]) for c in clip)])):
        print(name, len(cases), "cases,", sum(columns_first(*c) for c in cases), "along the columns first")
    print("bicubic results that are other than along the rows first:", differing)
    with open(path, "w") as f:  # a line for each case
        rows = lambda cases: "[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]"
        f.write(f'{{\n"pillow": "{PIL.__version__}",\n"torchvision": "{torchvision.__version__}",\n')
        f.write(f'"resize": {rows(resize)},\n"clip": {rows(clip)},\n"vgg": {rows(vgg)}\n}}\n')


if __name__ == "__main__":
    main()
