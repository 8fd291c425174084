#!/usr/bin/env python3
"""Brings VGG16's first four convolutions to this project's convention, and makes golden vectors of the original:

    python3 vgg_pretrained.py ORIGINAL

ORIGINAL is a safetensors file of 1,041,328 bytes with features.0, .2, .5 and .7 of VGG16 as its authors published it,
in float32, its first convolution for red, green, blue. It wants levels 0…255 less (123.68, 116.779, 103.939), and its
activations are about a hundred. The script writes

    vgg/pretrained/vgg16-relu2_2.safetensors     what the program embeds
    testdata/golden/vgg_pretrained.safetensors   pixels of three photographs, activations of the original on them,
                                                 and of what is embedded

What is embedded wants pixels in [0,1] less (123.68, 116.779, 103.939)/255. With mₗ the mean activation of layer l of
the original over testdata/photos at 72×72, m₀ = 255:

    w'ₗ = wₗ · mₗ₋₁/mₗ      b'ₗ = bₗ / mₗ

ReLU and max pooling commute with positive factors, so activations become those of the original divided by mₗ: their
mean is 1. L. Gatys et al., "Image Style Transfer Using Convolutional Neural Networks", 2016, section 2, scale each
filter so; here a layer has one factor, which keeps its channels in proportion."""
import glob
import hashlib
import json
import os
import struct
import sys

import numpy as np
import PIL
import torch
import torchvision
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
SHA256 = "382490db1bbdf969b53544f6197b6a95a85e40ec2f242f7df9f80e964fad5f60"
MEANS = torch.tensor([123.68, 116.779, 103.939], dtype=torch.float64).view(1, 3, 1, 1)
LAYERS = {0: "relu1_1", 2: "relu1_2", 5: "relu2_1", 7: "relu2_2"}  # torchvision's index of each convolution
TAPS = ["relu1_1", "relu1_2", "pool1", "relu2_1", "relu2_2", "pool2"]
PHOTOS = ["astronaut-portrait_0", "citrus-slices_1", "brick-stairs_0"]


def network(weights, dtype):
    """torchvision's vgg16().features up to pool2."""
    features = torchvision.models.vgg16(weights=None).features[:10].to(dtype)
    features.load_state_dict({k.removeprefix("features."): v.to(dtype) for k, v in weights.items()})
    return features.eval()


def activations(features, x):
    """The outputs of all ReLUs and pools, by their names."""
    outputs = []
    for layer in features:
        x = layer(x)
        if not isinstance(layer, torch.nn.Conv2d):
            outputs.append(x)
    return dict(zip(TAPS, outputs))


def photograph(path):
    """(1,3,72,72), levels."""
    image = Image.open(path).convert("RGB").resize((72, 72), Image.BICUBIC)
    return torch.from_numpy(np.asarray(image).transpose(2, 0, 1).copy()).unsqueeze(0)


def mean_activations(features, photos):
    """The mean of each layer over photographs, channels and positions."""
    sums = dict.fromkeys(LAYERS.values(), 0.0)
    for x in photos:
        y = activations(features, x)
        for tap in sums:
            sums[tap] += y[tap].mean().item() / len(photos)
    return sums


def relative_errors(want, got, inputs):
    """‖got − want‖ / ‖want‖ over all photographs at each layer; inputs are those of want and of got."""
    above, below = dict.fromkeys(LAYERS.values(), 0.0), dict.fromkeys(LAYERS.values(), 0.0)
    for x, x2 in inputs:
        a, b = activations(want, x), activations(got, x2.to(next(got.parameters()).dtype))
        for tap in above:
            above[tap] += (b[tap].double() - a[tap]).square().sum().item()
            below[tap] += a[tap].square().sum().item()
    return {tap: (above[tap] / below[tap]) ** 0.5 for tap in above}


def sample(t, most=1500):
    flat = t.flatten()
    return flat[:: -(-flat.numel() // most) | 1]  # an odd stride, to meet every column


def read(content):
    """The tensors of a safetensors file of float32 and float16."""
    start = 8 + struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:start])
    header.pop("__metadata__", None)
    tensors = {}
    for name, t in header.items():
        begin, end = t["data_offsets"]
        tensors[name] = torch.from_numpy(np.frombuffer(content[start + begin : start + end], dtype={"F32": "<f4", "F16": "<f2"}[t["dtype"]]).reshape(t["shape"]).copy())
    return tensors


def write(path, tensors, metadata):
    """Writes a safetensors file of float32 and float16. The library's writer puts the metadata in another order every
    time; here the same tensors give the same bytes."""
    header, blobs, at = {"__metadata__": metadata}, [], 0
    for key, t in tensors.items():
        a = np.ascontiguousarray(t.numpy())
        header[key] = {"dtype": {"float32": "F32", "float16": "F16"}[a.dtype.name], "shape": list(a.shape), "data_offsets": [at, at + a.nbytes]}
        blobs.append(a.tobytes())
        at += a.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    content = struct.pack("<Q", len(text)) + text + b"".join(blobs)
    with open(os.path.join(HERE, path), "wb") as f:
        f.write(content)
    print(path, len(content), "bytes, SHA-256", hashlib.sha256(content).hexdigest())


@torch.no_grad()
def main(original):
    torch.set_num_threads(1)  # sums in the same order on every machine
    with open(original, "rb") as f:
        content = f.read()
    if (got := hashlib.sha256(content).hexdigest()) != SHA256:
        sys.exit(f"{original}: expected SHA-256 {SHA256}, found {got}")
    weights = read(content)
    photos = [photograph(p) for p in sorted(glob.glob(os.path.join(HERE, "../photos/*.jpg")))]
    means = mean_activations(network(weights, torch.float64), [x.double() - MEANS for x in photos])

    scaled, before = {}, 255.0
    for i, tap in LAYERS.items():
        scaled[f"features.{i}.weight"] = weights[f"features.{i}.weight"].double() * (before / means[tap])
        scaled[f"features.{i}.bias"] = weights[f"features.{i}.bias"].double() / means[tap]
        before = means[tap]
    half = {k: v.half() for k, v in scaled.items()}

    # What does the precision cost, beside the rounding of pixels to levels that every photograph has been through?
    exact = network(scaled, torch.float64)
    pixels = [x.double() / 255 - MEANS / 255 for x in photos]
    torch.manual_seed(0)
    for name, got, inputs in [
        ("float32", network(scaled, torch.float32), pixels),
        ("float16", network(half, torch.float64), pixels),
        ("bfloat16", network({k: v.bfloat16() for k, v in scaled.items()}, torch.float64), pixels),
        ("pixels moved by half a level at most", exact, [x + (torch.rand_like(x) - 0.5) / 255 for x in pixels]),
    ]:
        errors = relative_errors(exact, got, list(zip(pixels, inputs)))
        print(f"{name:38}", *(f"{tap} {e:.1e}" for tap, e in errors.items()))
    print("mean activations, original", means)
    print("mean activations, embedded", mean_activations(network(half, torch.float64), pixels))

    versions = {"torch": torch.__version__, "torchvision": torchvision.__version__, "pillow": PIL.__version__, "numpy": np.__version__}
    write("../../vgg/pretrained/vgg16-relu2_2.safetensors", half, {
        "authors": "Karen Simonyan and Andrew Zisserman, Visual Geometry Group, University of Oxford",
        "licence": "CC BY 4.0",
        "source": "Very Deep Convolutional Networks for Large-Scale Image Recognition, 2015",
        "changed": "scaled to a mean activation of 1 a layer, for pixels in [0,1] less the means; float16; see README.md",
        "original": "SHA-256 " + SHA256,
        **{"mean activation of " + tap: f"{m:.9g}" for tap, m in means.items()},
    })
    golden = {"means": torch.tensor([means[tap] for tap in LAYERS.values()], dtype=torch.float32)}
    x = torch.cat([photograph(os.path.join(HERE, "../photos", p + ".jpg")) for p in PHOTOS])
    golden["levels"] = x.half()  # exact
    levels = activations(network(weights, torch.float32), (x - MEANS).float())
    rounded = activations(network(half, torch.float32), (x.double() / 255 - MEANS / 255).float())
    for tap in TAPS:
        golden["original/" + tap] = sample(levels[tap]).clone()
        golden["embedded/" + tap] = sample(rounded[tap]).clone()
    write("vgg_pretrained.safetensors", golden, versions)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
