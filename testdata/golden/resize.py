#!/usr/bin/env python3
"""Writes resize.json: what Pillow and PyTorch make of small pictures, for the tests of package vision.

    python3 testdata/golden/resize.py

The pictures are made by picture() from integers only, and by the Go test in the same way,
so that only results are stored: bytes as base64, rows of red, green, blue.
"""
import base64
import io
import json
import os

import torch
import torch.nn.functional as F
from PIL import Image, features


def sample(kind, x, y, c):
    """One sample, 0…255, of the picture of that kind."""
    if kind == "noise":
        return ((x * 73856093 ^ y * 19349663 ^ c * 83492791) >> 7) & 255
    if kind == "stripes":  # black and white at several widths: overshoot must be cut
        return 255 if (x * (c + 1) // 5 + y // 3) % 2 else 0
    if kind == "smooth":
        return (x * (c + 2) + y * (5 - c)) // 2 % 256
    raise ValueError(kind)


def picture(kind, w, h):
    data = bytes(sample(kind, x, y, c) for y in range(h) for x in range(w) for c in range(3))
    return Image.frombytes("RGB", (w, h), data)


def b64(data):
    return base64.b64encode(data).decode()


def resized():
    whole = None
    for kind, w, h, to_w, to_h, crop in [
        ("noise", 37, 23, 16, 16, whole),  # smaller
        ("noise", 16, 16, 37, 23, whole),  # larger
        ("stripes", 50, 38, 13, 13, whole),
        ("stripes", 9, 7, 36, 28, whole),
        ("smooth", 20, 30, 33, 11, whole),  # wider and lower
        ("noise", 24, 18, 24, 7, whole),  # one direction only
        ("noise", 24, 18, 7, 18, whole),
        ("noise", 12, 12, 12, 12, whole),
        ("noise", 1, 1, 5, 4, whole),
        ("noise", 2, 3, 7, 1, whole),
        ("stripes", 3, 200, 10, 10, whole),
        ("noise", 500, 375, 288, 288, (264, 0, 24, 24)),  # a photograph's size, one corner
        ("smooth", 500, 375, 144, 144, (60, 60, 24, 24)),
        ("noise", 500, 375, 72, 72, (0, 48, 24, 24)),
        ("noise", 72, 72, 288, 288, (0, 264, 24, 24)),
        ("stripes", 72, 72, 224, 224, (100, 200, 24, 24)),  # CLIP's size
    ]:
        x, y, cw, ch = crop or (0, 0, to_w, to_h)
        out = picture(kind, w, h).resize((to_w, to_h), Image.BICUBIC).crop((x, y, x + cw, y + ch))
        yield dict(kind=kind, w=w, h=h, to_w=to_w, to_h=to_h, crop=[x, y, cw, ch], pix=b64(out.tobytes()))


def interpolated(mode):
    for kind, w, h, to_w, to_h in [("noise", 7, 5, 14, 10), ("noise", 4, 3, 16, 12), ("smooth", 5, 5, 8, 3), ("noise", 1, 2, 3, 4)]:
        x = torch.tensor(list(picture(kind, w, h).tobytes())).reshape(1, h, w, 3).permute(0, 3, 1, 2).float() / 255
        y = F.interpolate(x, (to_h, to_w), mode=mode, align_corners=False).clamp(0, 1)
        yield dict(kind=kind, w=w, h=h, to_w=to_w, to_h=to_h, values=[round(v, 7) for v in y.flatten().tolist()])


def patched(data, sampling):
    """Changes how a JPEG says that its brightness is sampled. With as many blocks in the
    same order it stays a valid file of another layout, one that Pillow cannot write."""
    at = data.index(b"\xff\xc0")
    return data[: at + 11] + bytes([sampling]) + data[at + 12 :]


def jpegs():
    def encode(image, **options):
        f = io.BytesIO()
        image.save(f, "JPEG", quality=85, **options)
        return f.getvalue()

    colour, square = picture("smooth", 21, 19), picture("smooth", 32, 32)
    cmyk = picture("smooth", 17, 13).convert("CMYK")
    adobe = encode(cmyk)
    marker = adobe.index(b"Adobe") + 11  # colour transform: 0 CMYK, 2 YCCK
    files = [
        ("4:4:4", encode(colour, subsampling=0)),
        ("4:2:2", encode(colour, subsampling=1)),
        ("4:2:0", encode(colour, subsampling=2)),
        ("4:2:0 progressive", encode(colour, subsampling=2, progressive=True)),
        ("4:2:0, even size", encode(square, subsampling=2)),
        ("4:2:0, 3 pixels wide", encode(picture("smooth", 3, 9), subsampling=2)),
        ("4:2:2, 1 pixel", encode(picture("noise", 1, 1), subsampling=1)),
        ("4:4:0", patched(encode(square, subsampling=1), 0x12)),
        ("4:1:1", patched(encode(square, subsampling=2), 0x41)),
        ("grey", encode(colour.convert("L"))),
        ("CMYK", adobe),
        ("YCCK", adobe[:marker] + b"\x02" + adobe[marker + 1 :]),
    ]
    for name, data in files:
        image = Image.open(io.BytesIO(data)).convert("RGB")
        yield dict(name=name, file=b64(data), w=image.width, h=image.height, pix=b64(image.tobytes()))


def main():
    out = dict(
        pillow=Image.__version__,
        libjpeg=f"{features.version('jpg')}, turbo: {features.check('libjpeg_turbo')}",
        torch=str(torch.__version__),
        resize=list(resized()),
        bilinear=list(interpolated("bilinear")),
        bicubic=list(interpolated("bicubic")),
        jpeg=list(jpegs()),
    )
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "resize.json")
    with open(path, "w") as f:  # a line for each case
        f.write("{\n")
        for i, (key, value) in enumerate(out.items()):
            text = json.dumps(value)
            if isinstance(value, list):
                text = "[\n" + ",\n".join(json.dumps(v, separators=(",", ":")) for v in value) + "\n]"
            f.write(f'"{key}": {text}{"," if i + 1 < len(out) else ""}\n')
        f.write("}\n")


if __name__ == "__main__":
    main()
